// The picture in the README: two people's windows on one document, one light and one dark, while both are writing.
// `npm run picture` writes docs/two-windows.png.
import path from 'node:path';
import { launchBrowser } from './harness/browser';
import { caretAfter, converged, makeDocument, openEditor, textarea } from './harness/editor';
import { SAMPLE_TEXT } from './harness/samples';
import { startServer } from './harness/server';

const FILE = path.resolve(import.meta.dirname, '../../docs/two-windows.png');
const WINDOW = { viewport: { width: 640, height: 520 } };

const asUser = (url: string, cookie: string, body: object) =>
  fetch(`${url}/api/me`, { method: 'PUT', headers: { 'content-type': 'application/json', origin: url, cookie }, body: JSON.stringify(body) });

async function main(): Promise<void> {
  const [browser, server] = await Promise.all([launchBrowser(), startServer()]);
  try {
    const address = await makeDocument(server.url, { title: 'What the river keeps', text: SAMPLE_TEXT });
    const people = [
      { name: 'Ada', color: 8, colorScheme: 'light', behind: 'three farms', typed: ', a ladder' },
      { name: 'Ben', color: 1, colorScheme: 'dark', behind: 'does not forget.', typed: ' It lends.' },
    ] as const;
    const editors = [];
    for (const { name, color, colorScheme } of people) {
      const { context, page } = await openEditor(browser, address, { ...WINDOW, colorScheme });
      const [cookie] = await context.cookies();
      await asUser(server.url, `${cookie?.name}=${cookie?.value}`, { name, color });
      await page.reload();
      editors.push(page);
    }
    await converged(...editors);
    for (const [index, page] of editors.entries()) await caretAfter(page, people[index]?.behind ?? '');
    await Promise.all(editors.map((page, index) => textarea(page).pressSequentially(people[index]?.typed ?? '', { delay: 40 })));
    await converged(...editors);
    const shots = await Promise.all(editors.map((page) => page.screenshot()));
    const frame = await browser.newPage({ viewport: { width: 1344, height: 568 } });
    const images = shots.map((shot) => `<img src="data:image/png;base64,${shot.toString('base64')}">`).join('');
    await frame.setContent(
      `<style>body{margin:0;padding:24px 22px;display:flex;gap:20px;background:#e9e7e2}img{border-radius:10px;box-shadow:0 8px 30px #0003}</style>${images}`,
    );
    await frame.screenshot({ path: FILE });
  } finally {
    await browser.close();
    await server.remove();
  }
}

await main();
