// Pictures of every page and state, in three sizes, light and dark, into web/screenshots. `npm run screenshots` makes
// all of them; with words (`npm run screenshots -- editors 390`) only scenes and sizes with those names.
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { OUT, serveApp } from './harness/app';
import { launchBrowser } from './harness/browser';
import { makeDocument } from './harness/editor';
import { LONG_TEXT, SAMPLE_TEXT } from './harness/samples';
import { SCENES, type Shoot, writePast } from './harness/scenes';
import { startServer } from './harness/server';
import { TOKEN_FLAGS } from './harness/token';

const FOLDER = path.resolve(import.meta.dirname, '../screenshots');
const SIZES = [
  { name: '1440', viewport: { width: 1440, height: 900 } },
  { name: '820', viewport: { width: 820, height: 1180 }, hasTouch: true },
  { name: '390', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
];
const SCHEMES = ['light', 'dark'] as const;

const wanted = process.argv.slice(2);
/** Words on the command line choose among names of their own kind. */
const chosen = (name: string, all: string[]) => !wanted.some((word) => all.includes(word)) || wanted.includes(name);

/** Fonts are there, nothing moves any more. */
const shooter =
  (suffix: string): Shoot =>
  async (page, name) => {
    await page.evaluate(() => document.fonts.ready);
    await page.waitForFunction(() => document.getAnimations().every((one) => one.playState !== 'running' || one.effect?.getComputedTiming().iterations === Infinity));
    await page.screenshot({ path: path.join(FOLDER, `${name}-${suffix}.png`), fullPage: name === 'gallery' });
  };

async function main(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const [browser, app, server, small, tokens] = await Promise.all([
    launchBrowser(),
    serveApp(),
    startServer(['--submissions-per-s', '10000', '--submissions-burst', '10000', '--digest-interval-ms', '1000']),
    startServer(['--document-bytes-max', '4096', '--text-bytes-max', '4096']),
    startServer([...TOKEN_FLAGS, '--sign-in-url', 'https://product.example/sign-in']),
  ]);
  try {
    const scenes = Object.keys(SCENES).filter((name) => name !== 'gallery' || existsSync(path.join(OUT, 'gallery.html')));
    for (const { name: size, ...window } of SIZES) {
      for (const colorScheme of SCHEMES) {
        if (!chosen(size, SIZES.map((one) => one.name)) || !chosen(colorScheme, [...SCHEMES])) continue;
        const stage = {
          browser,
          appUrl: app.url,
          essay: await makeDocument(server.url, { title: 'What the river keeps', text: SAMPLE_TEXT }),
          long: await makeDocument(server.url, { title: 'A long one', text: LONG_TEXT }),
          full: await makeDocument(small.url, { title: 'Full', text: `${SAMPLE_TEXT}\n`.repeat(8).slice(0, 3900) }),
          past: await makeDocument(server.url, { title: 'What the river keeps' }),
          signedIn: tokens.url,
          window: { ...window, colorScheme },
        };
        await writePast(browser, stage.past);
        for (const scene of scenes) {
          if (chosen(scene, scenes)) await SCENES[scene]?.(stage, shooter(`${size}-${colorScheme}`));
        }
        process.stdout.write(`  ${size} ${colorScheme}\n`);
      }
    }
  } finally {
    await browser.close();
    app.close();
    await Promise.all([server, small, tokens].map((one) => one.remove()));
  }
}

await main();
