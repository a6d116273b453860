// Rights while people write: shared, lowered, taken away, given back. With a real server, live, in several windows.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BrowserContext, BrowserContextOptions } from 'playwright-core';
import { assertAccessible } from './harness/axe';
import { until } from './harness/browser';
import { caretAfter, converged, type Editor, openTab, ready, saveLineOf, saved, setCaret, textOf, textarea, type } from './harness/editor';
import { idOf } from './harness/history';
import { choose, give, openAs, openShare, setLink, shareDialog, userOf, writeOwn } from './harness/people';
import { prepareStage } from './harness/stage';

const stage = prepareStage();

/** What a change of rights may take until everybody has it. */
const LIVE_MS = 5_000;

/** Ada owns a document, Ben has it open by the link. */
async function together(
  text: string,
  test: (ada: Editor, ben: Editor, address: string) => Promise<void>,
  { hold, ...options }: BrowserContextOptions & { hold?: (context: BrowserContext) => Promise<void> } = {},
): Promise<void> {
  const { url } = stage.server;
  const [ada, ben] = await Promise.all([openAs(stage.browser, url, 'Ada', options), openAs(stage.browser, url, 'Ben', options)]);
  try {
    const address = await writeOwn(ada, url, { title: 'Plans', text });
    await setLink(ada, address, 'edit');
    await hold?.(ben.context);
    await ben.page.goto(address);
    await ready(ben.page);
    await test(ada, ben, address);
    assert.deepEqual([...ada.faults, ...ben.faults], []);
  } finally {
    await Promise.all([ada, ben].map(({ context }) => context.close()));
  }
}

const readsOnly = async ({ page }: Editor, badge: string, withinMs = LIVE_MS): Promise<void> => {
  await until(`it says ${badge}`, async () => (await saveLineOf(page)) === badge, withinMs);
  assert.equal(await textarea(page).isEditable(), false);
  assert.equal(await page.getByRole('textbox', { name: 'Title', exact: true }).isEditable(), false);
};
const lost = ({ page }: Editor) => page.getByRole('alert', { name: 'You may no longer open this document' });
const unsent = ({ page }: Editor) => page.getByRole('alert', { name: 'Text that was not sent' });

describe('sharing', () => {
  it('for reading makes others readers while they look on, and back', () =>
    together('The plan: ', async (ada, ben) => {
      await openShare(ada.page);
      await until('the focus begins with the choice', () => shareDialog(ada.page).getByRole('radio', { name: 'Edit' }).evaluate((element) => element === document.activeElement));
      await assertAccessible(ada.page, 'the share dialog');
      const dialog = shareDialog(ada.page);
      await dialog.getByText('came by the link').waitFor();
      await dialog.getByRole('radio', { name: 'Read' }).click();
      await readsOnly(ben, 'View only');
      await assertAccessible(ben.page, 'a document to read');
      await ben.page.getByText('You can only read this document now.').waitFor();
      await ada.page.keyboard.press('Escape');
      await setCaret(ada.page, 10);
      await type(ada.page, 'sail');
      await until('he reads on', async () => (await textOf(ben.page)) === 'The plan: sail');
      await textarea(ben.page).focus();
      await type(ben.page, 'row');
      assert.equal(await textOf(ben.page), 'The plan: sail');
      await openShare(ada.page);
      await choose(ada.page, 'Ben', 'Can comment');
      await readsOnly(ben, 'Comment only');
      await choose(ada.page, 'Ben', 'Can edit');
      await until('he may write', () => textarea(ben.page).isEditable(), LIVE_MS);
      await setCaret(ben.page, 14);
      await type(ben.page, ' at dawn');
      await ada.page.keyboard.press('Escape');
      assert.equal(await converged(ada.page, ben.page), 'The plan: sail at dawn');
    }));

  it('can be done by keyboard alone, on a phone, and says what the server would not do', () =>
    together('x', async (ada) => {
      const { page } = ada;
      await page.setViewportSize({ width: 390, height: 844 });
      await openShare(page);
      const dialog = shareDialog(page);
      await assertAccessible(page, 'the share dialog on a phone');
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide`);
      await dialog.getByRole('radio', { name: 'Edit' }).focus();
      await page.keyboard.press('ArrowLeft', { delay: 80 });
      await until('it is chosen', () => dialog.getByRole('radio', { name: 'Read' }).isChecked());
      await dialog.getByText('Anyone who has the link can read it.').waitFor();
      await dialog.getByRole('button', { name: /^Ben: Can view/ }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('menu').waitFor();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.getByRole('menu').waitFor({ state: 'detached' });
      await until('the focus is back', () => dialog.getByRole('button', { name: /^Ben: / }).evaluate((element) => element === document.activeElement));

      await page.route('**/sharing', (route) => (route.request().method() === 'PUT' ? route.abort('connectionfailed') : route.continue()));
      await dialog.getByRole('radio', { name: 'Off' }).click();
      await dialog.getByRole('alert').filter({ hasText: 'The server does not answer. Nothing was changed.' }).waitFor();
      assert.ok(await dialog.getByRole('radio', { name: 'Read' }).isChecked(), 'it was put back');
      await assertAccessible(page, 'a refused change');
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      // A request that passes a service worker may be out of a test's reach.
    }, { serviceWorkers: 'block' }));

  it('is handed over after a second question, and left by who does not want it', () =>
    together('x', async (ada, ben, address) => {
      await openShare(ada.page);
      await choose(ada.page, 'Ben', 'Hand over…');
      const question = shareDialog(ada.page).getByRole('group', { name: 'Hand over' });
      await question.getByText('Hand this document over to Ben?').waitFor();
      await until('the careful answer has the focus', () => question.getByRole('button', { name: 'Keep it' }).evaluate((element) => element === document.activeElement));
      await assertAccessible(ada.page, 'the question before handing over');
      await question.getByRole('button', { name: 'Hand over' }).click();
      await ben.page.getByText('This document is yours now.').waitFor();
      await until('she has no choice any more', async () => (await shareDialog(ada.page).getByRole('radio').count()) === 0);
      await openShare(ben.page);
      await shareDialog(ben.page).getByRole('radio', { name: 'Off' }).click();
      await shareDialog(ben.page).getByText('Only the people below can open it.').waitFor();
      await shareDialog(ada.page).getByRole('button', { name: 'Leave this document' }).click();
      await ada.page.waitForURL(`${stage.server.url}/`);
      await ada.page.goto(address);
      await ada.page.getByRole('heading', { name: 'There is no document here' }).waitFor();
    }));
});

describe('access taken away', () => {
  it('shows at once in the middle of writing: the text stays, what was not sent can be copied, and goes when it is given back', async () => {
    let holds = false;
    const held: (() => void)[] = [];
    await together(
      'The plan: ',
      async (ada, ben, address) => {
        await caretAfter(ben.page, 'The plan: ');
        await type(ben.page, 'sail');
        await saved(ben.page);
        holds = true;
        await type(ben.page, ' at dawn');
        await until('it is on its way', async () => /not saved|Saving/.test(await saveLineOf(ben.page)));
        await openShare(ada.page);
        const started = performance.now();
        await choose(ada.page, 'Ben', 'Shut out');
        await lost(ben).waitFor();
        process.stdout.write(`  cut after ${Math.round(performance.now() - started)} ms\n`);
        assert.ok(performance.now() - started < LIVE_MS);
        await unsent(ben).waitFor();
        assert.equal(await unsent(ben).locator('pre').innerText(), ' at dawn');
        assert.equal(await textOf(ben.page), 'The plan: sail at dawn');
        assert.equal(await textarea(ben.page).isEditable(), false);
        await assertAccessible(ben.page, 'a document that was taken away');
        await ben.context.grantPermissions(['clipboard-read', 'clipboard-write']);
        await ben.page.bringToFront();
        await lost(ben).getByRole('button', { name: 'Copy the text' }).click();
        await until('the text is copied', async () => (await ben.page.evaluate(() => navigator.clipboard.readText())) === 'The plan: sail at dawn');
        await unsent(ben).getByRole('button', { name: 'Copy' }).click();
        await until('the rest is copied', async () => (await ben.page.evaluate(() => navigator.clipboard.readText())) === ' at dawn');
        assert.equal(await ada.page.locator('#text').inputValue(), 'The plan: sail', 'behind her dialog');

        holds = false;
        held.length = 0;
        await lost(ben).getByRole('button', { name: 'Try again' }).click();
        await lost(ben).waitFor();
        await choose(ada.page, 'Ben', 'Can edit');
        await until('she has been answered', async () => (await shareDialog(ada.page).getByText('Saving…').count()) === 0);
        await lost(ben).getByRole('button', { name: 'Try again' }).click();
        await until('he may write again', () => textarea(ben.page).isEditable());
        await ada.page.keyboard.press('Escape');
        assert.equal(await converged(ada.page, ben.page), 'The plan: sail at dawn');
        assert.equal(await unsent(ben).count(), 0);
        assert.ok(address);
      },
      {
        hold: (context) =>
          context.routeWebSocket(/\/api\/socket/, (socket) => {
            const server = socket.connectToServer();
            socket.onMessage((message) => {
              const submits = String(message).includes('"type":"submit"');
              if (holds && submits) held.push(() => server.send(message));
              else server.send(message);
            });
            server.onMessage((message) => socket.send(message));
          }),
      },
    );
  });

  it('while offline shows when the network is back, also after a reload, with all that was written', () =>
    together('ben: ', async (ada, ben, address) => {
      await ben.page.waitForFunction(() => navigator.serviceWorker?.ready.then((worker) => worker.active?.state === 'activated'));
      const user = await userOf(ben, stage.server.url);
      await ben.context.setOffline(true);
      await caretAfter(ben.page, 'ben: ');
      await type(ben.page, 'written offline');
      await until('it is kept', async () => /kept on this device$/.test(await saveLineOf(ben.page)));
      await give(ada, address, user, 'none');
      await ben.context.setOffline(false);
      await lost(ben).waitFor();
      assert.equal(await unsent(ben).locator('pre').innerText(), 'written offline');
      await ben.page.reload();
      await lost(ben).waitFor();
      assert.equal(await unsent(ben).locator('pre').innerText(), 'written offline');
      assert.equal(await textOf(ben.page), 'ben: written offline');
      assert.equal(await textOf(ada.page), 'ben: ');
      await give(ada, address, user, 'editor');
      await ben.page.reload();
      await ready(ben.page);
      assert.equal(await converged(ada.page, ben.page), 'ben: written offline');
    }));

  it('down to reading keeps unsent text to be copied, and takes nothing else away', () =>
    together('ben: ', async (ada, ben, address) => {
      const user = await userOf(ben, stage.server.url);
      await ben.context.setOffline(true);
      await caretAfter(ben.page, 'ben: ');
      await type(ben.page, 'too late');
      await give(ada, address, user, 'viewer');
      await ben.context.setOffline(false);
      await readsOnly(ben, 'View only', 15_000);
      const refused = ben.page.getByRole('alert', { name: 'Text that was not accepted' });
      assert.equal(await refused.locator('pre').innerText(), 'too late');
      assert.equal(await textOf(ben.page), 'ben: ');
      await assertAccessible(ben.page, 'refused text of a reader');
    }));

  it('leaves nothing behind that tells the document from one that never was', () =>
    together('secret', async (ada, ben, address) => {
      await saved(ben.page);
      const user = await userOf(ben, stage.server.url);
      await give(ada, address, user, 'none');
      await lost(ben).waitFor();
      const missing = `${stage.server.url}/d/0123456789abcdef0123456789abcdef`;
      const look = async (at: string) => {
        const { page } = await openTabOf(ben, at);
        await page.getByRole('heading', { name: 'There is no document here' }).waitFor();
        await page.waitForLoadState('networkidle');
        const seen = { title: await page.title(), words: await page.locator('body').innerText(), restore: await page.getByRole('button', { name: 'Restore' }).count() };
        await page.close();
        return seen;
      };
      assert.deepEqual(await look(address), await look(missing));
      for (const path of ['', '/text', '/history', '/sharing', '/versions', '/seen']) {
        const [one, other] = await Promise.all([address, missing].map((at) => ben.context.request.get(`${stage.server.url}/api/documents/${idOf(at)}${path}`)));
        assert.deepEqual([one?.status(), await one?.text()], [other?.status(), await other?.text()], path);
      }
      await ben.page.reload();
      await ben.page.getByRole('heading', { name: 'There is no document here' }).waitFor();
    }));
});

/** One more tab that need not become an editor. */
async function openTabOf({ context }: Editor, address: string): ReturnType<typeof openTab> {
  const page = await context.newPage();
  await page.goto(address);
  return { context, page, faults: [] };
}
