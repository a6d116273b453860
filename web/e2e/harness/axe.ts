// Accessibility of a page as it stands, by axe: WCAG 2.2 AA and the best practices.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Fails with the rules and places that are violated. */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  // Animations would be measured half way.
  await page.waitForFunction(() => document.getAnimations().every((one) => one.playState !== 'running' || one.effect?.getComputedTiming().iterations === Infinity));
  // By evaluation, which the page's content security policy does not bind.
  await page.evaluate(AXE);
  const results = (await page.evaluate(
    (tags) => {
      const { axe } = globalThis as unknown as { axe: { run(context: Document, options: object): Promise<unknown> } };
      // Menus and tooltips hang at the end of the page while they are open, outside of its landmarks.
      const floating = document.querySelector('[data-radix-popper-content-wrapper]') !== null;
      return axe.run(document, { runOnly: tags, rules: { region: { enabled: !floating } } });
    },
    TAGS,
  )) as AxeResults;
  const found = results.violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `    ${node.target.join(' ')}  ${node.failureSummary?.replace(/\s+/g, ' ')}`).join('\n')}`,
  );
  assert.equal(found.length, 0, `${what} violates\n  ${found.join('\n  ')}`);
}
