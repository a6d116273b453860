/** What our code takes for a key and for a remote operation in a real browser, by the size of the document. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { Theatre } from './browser.js';
import type { Spent } from './speed.js';

/** Characters. */
const SIZES = [1_000, 10_000, 100_000, 1_000_000, 4_000_000];
/** How often each is measured; less in large documents, where the browser's own layout takes long. */
const timesAt = (length: number): number => (length > 100_000 ? 10 : 40);
/** At this size our code may take so many milliseconds, for a key and for a remote operation. */
const TARGET = { length: 100_000, own: 1, remote: 2 };

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;
const figures = (spent: Spent[]): [number, number, number] => [
  median(spent.map(({ ours }) => ours)),
  spent.map(({ ours }) => ours).sort((a, b) => a - b)[Math.floor(spent.length * 0.95)] ?? NaN,
  median(spent.map(({ field }) => field)),
];

it('keys and remote operations', async () => {
  const theatre = new Theatre();
  await theatre.open({ page: 'speed', wasm: readFileSync('wasm/wasm_client_bg.wasm') });
  const rows: string[] = [];
  const found: Record<'own' | 'remote', number> = { own: NaN, remote: NaN };
  try {
    for (const length of SIZES) {
      await theatre.play(async (page) => {
        await page.evaluate(() => window.speed.ready);
        await page.evaluate((size) => window.speed.open(size), length);
        const times = timesAt(length);
        const spent: Record<'own' | 'remote', Spent[]> = { own: [], remote: [] };
        for (let i = 0; i < times; i += 1) {
          await page.evaluate(() => window.speed.begin());
          await page.keyboard.press('x');
          spent.own.push(await page.evaluate(() => window.speed.end()));
          await page.evaluate(() => window.speed.begin());
          await page.evaluate((index) => window.speed.remote(index), i);
          spent.remote.push(await page.evaluate(() => window.speed.end()));
        }
        assert.equal(await page.evaluate(() => window.speed.length()), length + 2 * times);
        const bare: number[] = [];
        for (let i = 0; i < times; i += 1) bare.push(await page.evaluate((index) => window.speed.bare(index), i));
        rows.push(`| a field with nothing of ours, one character and its layout | ${length} | | | ${median(bare).toFixed(3)} |`);
        for (const kind of ['own', 'remote'] as const) {
          const [ours, most, field] = figures(spent[kind]);
          if (length === TARGET.length) found[kind] = ours;
          rows.push(`| ${kind === 'own' ? 'key' : 'remote operation'} | ${length} | ${ours.toFixed(3)} | ${most.toFixed(3)} | ${field.toFixed(3)} |`);
        }
      });
    }
  } finally {
    await theatre.close();
  }
  console.log(`\n| | characters | our code, ms | 95 % below | the field itself |\n|---|---|---|---|---|\n${rows.join('\n')}\n`);
  for (const kind of ['own', 'remote'] as const) {
    const verdict = found[kind] < TARGET[kind] ? 'met' : 'NOT MET';
    console.log(`${kind} at ${TARGET.length} characters: ${found[kind].toFixed(3)} ms of our code, target < ${TARGET[kind]}: ${verdict}`);
  }
  assert.ok(found.own > 0 && found.remote > 0, 'something was measured');
});
