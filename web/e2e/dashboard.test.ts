// The dashboard in real browsers with a real server: who sees what, how often it changes, and what it says of a load.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { assertAccessible } from './harness/axe';
import { openWindow, until, watchFaults } from './harness/browser';
import { caretAfter, saved, textarea, type } from './harness/editor';
import { idOf } from './harness/history';
import { openAs, writeOwn } from './harness/people';
import { startServer } from './harness/server';
import { prepareStage } from './harness/stage';
import { TOKEN_FLAGS, mintToken, signIn } from './harness/token';

const stage = prepareStage();

interface Figures {
  atMs: number;
  first: boolean;
  of: string;
  seconds: { operations: number; people: number }[];
}

/** Every message of figures that comes to a page, with its moment. */
function listen(page: Page): Figures[] {
  const heard: Figures[] = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      const text = String(payload);
      if (text.startsWith('{"type":"figures"')) heard.push({ ...(JSON.parse(text) as Figures), atMs: Date.now() });
    }),
  );
  return heard;
}

const live = (page: Page) => page.getByText('Live, once a second').waitFor();
const chart = (page: Page, title: string) => page.getByRole('img', { name: new RegExp(`^${title}\\.`) });
const tile = (page: Page, name: string) => page.locator('dl > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('dd').first();

describe('the dashboard', () => {
  it('tells of a load once a second and never faster, and of what was before it was opened', async () => {
    const origin = stage.server.url;
    const writer = await openAs(stage.browser, origin, 'Ada Lovelace');
    try {
      const address = await writeOwn(writer, origin, { title: 'Plans', text: 'The bell rang twice that night.' });
      await caretAfter(writer.page, 'night.');
      await type(writer.page, ' Nobody came, not even the ferryman, and the river went by.');
      await saved(writer.page);

      const page = await writer.context.newPage();
      const faults = watchFaults(page);
      const heard = listen(page);
      await page.goto(`${origin}/dashboard`);
      await live(page);
      await until('what was before is told', () => (heard[0]?.seconds.some(({ operations }) => operations > 0) ?? false));
      assert.deepEqual([heard[0]?.first, heard[0]?.of], [true, 'server']);
      const startedMs = Date.now() - 1_000;
      const typing = (async () => {
        for (let n = 0; n < 12; n++) await type(writer.page, ' And again the bell.');
      })();
      const before = heard.length;
      await typing;
      await until('five more came', () => heard.length >= before + 5);
      const frames = heard.filter(({ atMs }) => atMs >= startedMs).length;
      const tookS = (Date.now() - startedMs) / 1_000;
      // So many within so long: at most one a second, and one at the beginning.
      assert.ok(frames <= tookS + 1, `${frames} frames in ${tookS} s`);
      const operations = heard.flatMap(({ seconds }) => seconds).reduce((sum, second) => sum + second.operations, 0);
      assert.ok(operations > 0);
      process.stdout.write(`${frames} frames in ${tookS.toFixed(1)} s; ${operations} operations told\n`);

      await until('somebody is there', async () => (await tile(page, 'People online').innerText()) === '1');
      const row = page.getByRole('row', { name: /Plans/ });
      await row.waitFor();
      assert.equal(await row.getByRole('link').getAttribute('href'), `/d/${idOf(address)}`);
      assert.match((await chart(page, 'Operations a second').getAttribute('aria-label')) ?? '', /now .*\/s, between 0\/s and /);
      assert.match((await chart(page, 'Latency').getAttribute('aria-label')) ?? '', /Append p99: now .* ms/);
      await page.getByText('The charts as a table').click();
      assert.ok((await page.getByRole('table').last().getByRole('row').count()) >= 2);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await assertAccessible(page, `the dashboard, ${colorScheme},`);
      }
      assert.deepEqual([...faults, ...writer.faults], []);
      assert.ok(await textarea(writer.page).isEditable());
    } finally {
      await writer.context.close();
    }
  });

  it('shows owners their own documents, and operators of others only numbers', async () => {
    const server = await startServer(TOKEN_FLAGS);
    const [ada, olga] = await Promise.all([openWindow(stage.browser), openWindow(stage.browser)]);
    try {
      await signIn(ada.context, server.url, 'ada');
      await olga.context.addCookies([{ name: 'concord_token', value: mintToken('olga', 3_600, ['--operator']), url: server.url, httpOnly: true, sameSite: 'Lax' }]);
      const made = await ada.context.request.post(`${server.url}/api/documents`, { data: { title: 'Only for Ada' }, headers: { origin: server.url } });
      const { id } = (await made.json()) as { id: string };
      await ada.page.goto(`${server.url}/d/${id}`);
      await textarea(ada.page).waitFor();
      await until('it is open', () => textarea(ada.page).isEditable());

      await olga.page.goto(`${server.url}/dashboard`);
      await live(olga.page);
      await olga.page.getByRole('row', { name: /^Document [0-9a-f]{8}/ }).waitFor();
      const all = await olga.page.content();
      assert.ok(!all.includes(id) && !all.includes('Only for Ada'), 'neither id nor title');
      await olga.page.getByText('My documents').click();
      await olga.page.getByText('Nobody is in a document right now.').waitFor();
      assert.equal(await chart(olga.page, 'Memory').count(), 0);

      const own = await ada.context.newPage();
      await own.goto(`${server.url}/dashboard`);
      await live(own);
      await own.getByRole('link', { name: 'Only for Ada' }).waitFor();
      assert.equal(await own.getByRole('radiogroup').count(), 0, 'there is nothing to choose');
      assert.equal(await chart(own, 'Memory').count(), 0);
      assert.equal(await tile(own, 'People online').innerText(), '1');
    } finally {
      await Promise.all([ada.context.close(), olga.context.close()]);
      await server.remove();
    }
  });

  it('goes on by itself after the server was away', async () => {
    const server = await startServer();
    const { context, page } = await openWindow(stage.browser);
    try {
      await page.goto(`${server.url}/dashboard`);
      await live(page);
      await server.kill();
      await page.getByText('Connecting…').waitFor();
      await server.start();
      await live(page);
    } finally {
      await context.close();
      await server.remove();
    }
  });

  it('fits a telephone without scrolling sideways', async () => {
    const { context, page } = await openWindow(stage.browser, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    try {
      await page.goto(`${stage.server.url}/dashboard`);
      await live(page);
      await chart(page, 'Memory').waitFor();
      const [scrolls, shows] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(scrolls <= shows, `${scrolls} px in ${shows}`);
      await assertAccessible(page, 'the dashboard on a telephone');
    } finally {
      await context.close();
    }
  });
});
