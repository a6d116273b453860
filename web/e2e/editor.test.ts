// The editor page around the text: title, menu, counts, problems, keys, sizes. With a real stage.server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { BrowserContextOptions } from 'playwright-core';
import { assertAccessible } from './harness/axe';
import { openWindow, until, watchFaults } from './harness/browser';
import { type Editor, asViewer, makeDocument, openEditor, paste, saveLineOf, saved, setCaret, textOf, textarea, type } from './harness/editor';
import { prepareStage } from './harness/stage';

const stage = prepareStage(['--document-bytes-max', '4096', '--text-bytes-max', '4096']);

async function editing(body: { title?: string; text?: string }, test: (editor: Editor, address: string) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
  const address = await makeDocument(stage.server.url, body);
  const editor = await openEditor(stage.browser, address, options);
  try {
    await test(editor, address);
    assert.deepEqual(editor.faults, []);
  } finally {
    await editor.context.close();
  }
}

/** Makes a document as the person of a window, who then owns it. */
async function ownDocument(test: (editor: Editor) => Promise<void>): Promise<void> {
  const { context, page } = await openWindow(stage.browser);
  const faults = watchFaults(page);
  try {
    await page.goto(stage.server.url);
    await page.getByRole('button', { name: 'New document' }).click();
    await page.waitForURL(/\/d\/[0-9a-f]{32}$/);
    await until('it can be written', () => textarea(page).isEditable());
    await test({ context, page, faults });
    assert.deepEqual(faults, []);
  } finally {
    await context.close();
  }
}

describe('the editor', () => {
  it('counts words and characters after a pause', () =>
    editing({ text: 'one two' }, async ({ page }) => {
      await until('the first count', async () => (await page.getByTestId('count').innerText()) === '2 words · 7 characters');
      await setCaret(page, 7);
      await type(page, ' three 😀');
      await until('the new count', async () => (await page.getByTestId('count').innerText()) === '3 words · 15 characters');
    }));

  it('is accessible with text, menu and help open, light and dark', () =>
    editing({ title: 'Essay', text: 'Some text.' }, async ({ page }) => {
      await saved(page);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await assertAccessible(page, `the editor, ${colorScheme}`);
        await page.getByRole('button', { name: 'Menu' }).click();
        await assertAccessible(page, `the menu, ${colorScheme}`);
        await page.keyboard.press('Escape');
        await page.keyboard.press('Control+/');
        await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
        await assertAccessible(page, `the help, ${colorScheme}`);
        await page.keyboard.press('Escape');
      }
    }));

  it('renames by F2; Enter leads back to the text, Escape takes the old title', () =>
    ownDocument(async ({ page }) => {
      const title = page.getByRole('textbox', { name: 'Title', exact: true });
      await textarea(page).focus();
      await page.keyboard.press('F2');
      await type(page, 'Plans');
      await page.keyboard.press('Enter');
      await until('the tab has the title', async () => (await page.title()) === 'Plans · Concord');
      await until('the text has the focus', () => textarea(page).evaluate((element) => element === document.activeElement));
      await page.keyboard.press('F2');
      await type(page, 'No');
      await page.keyboard.press('Escape');
      assert.equal(await title.inputValue(), 'Plans');
      await page.goto(stage.server.url);
      await page.getByRole('link', { name: 'Plans' }).waitFor();
    }));

  it('downloads the text, copies the link, changes the typeface', () =>
    editing({ title: 'a/b: notes', text: 'Grüße 😀\n' }, async ({ page, context }, address) => {
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('menuitem', { name: 'Copy link' }).click();
      await page.getByText('Link copied').waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), address);
      await page.getByRole('button', { name: 'Menu' }).click();
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Download as text' }).click()]);
      assert.equal(download.suggestedFilename(), 'a b notes.txt');
      assert.equal(readFileSync(await download.path(), 'utf8'), 'Grüße 😀\n');
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('menuitemradio', { name: 'Mono' }).click();
      await page.reload();
      await until('the typeface stays', () => textarea(page).evaluate((element) => getComputedStyle(element).fontFamily.startsWith('"JetBrains Mono')));
    }));

  it('deletes with a way back', () =>
    ownDocument(async ({ page }) => {
      await textarea(page).focus();
      await type(page, 'precious');
      await saved(page);
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
      await page.getByText('This document was deleted').waitFor();
      await assertAccessible(page, 'a deleted document');
      await page.reload();
      await page.getByText('This document was deleted').waitFor();
      await page.getByRole('button', { name: 'Restore' }).click();
      await until('the text is back', async () => (await textOf(page).catch(() => '')) === 'precious');
    }));

  it('tells who has a document open that it was deleted, and lets them go on when it is back', () =>
    ownDocument(async (ada) => {
      await textarea(ada.page).focus();
      await type(ada.page, 'precious');
      await saved(ada.page);
      const ben = await openEditor(stage.browser, ada.page.url());
      await ada.page.getByRole('button', { name: 'Menu' }).click();
      await ada.page.getByRole('menuitem', { name: 'Delete' }).click();
      await ada.page.getByText('This document was deleted').waitFor();
      await ben.page.getByRole('alert', { name: 'This document was deleted' }).waitFor();
      assert.equal(await textOf(ben.page), 'precious');
      assert.equal(await textarea(ben.page).isEditable(), false);
      assert.equal(await ben.page.getByRole('button', { name: 'Restore' }).count(), 0);
      await assertAccessible(ben.page, 'a document that was deleted under a reader');
      await ada.page.getByRole('button', { name: 'Restore' }).click();
      await until('it is back', () => textarea(ada.page).isEditable());
      await until('he may write again', () => textarea(ben.page).isEditable());
      await setCaret(ben.page, 8);
      await type(ben.page, ' words');
      await until('she reads it', async () => (await textOf(ada.page)) === 'precious words');
      assert.deepEqual(ben.faults, []);
      await ben.context.close();
    }));

  it('says that there is no document, for a wrong id and for no id', () =>
    editing({}, async ({ page }) => {
      for (const path of ['/d/0123456789abcdef0123456789abcdef', '/d/nonsense']) {
        await page.goto(stage.server.url + path);
        await page.getByRole('heading', { name: 'There is no document here' }).waitFor();
        await assertAccessible(page, `no document at ${path}`);
        assert.equal(await page.getByRole('button', { name: 'Restore' }).count(), 0);
      }
    }));

  it('keeps text that does not fit any more in sight, with a way to copy it', () =>
    editing({ text: 'x'.repeat(4000) }, async ({ page, context }) => {
      await setCaret(page, 4000);
      await paste(page, 'This paragraph is too long for what is left of the document. '.repeat(4));
      const refused = page.getByRole('alert', { name: 'Text that was not accepted' });
      await refused.waitFor();
      assert.match(await refused.innerText(), /largest size/);
      await assertAccessible(page, 'a refused edit');
      await refused.getByRole('button', { name: 'Copy' }).click();
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^This paragraph is too long/);
      assert.equal(await textOf(page), 'x'.repeat(4000));
      await refused.getByRole('button', { name: 'Dismiss' }).click();
      await until('it is gone', async () => (await refused.count()) === 0);
      await setCaret(page, 4000);
      await page.keyboard.press('Backspace');
      await saved(page);
      assert.equal((await textOf(page)).length, 3999);
    }));

  it('shows Arabic from the right and keeps the caret visible on a phone with its keyboard out', () =>
    editing(
      { title: 'مذكرات', text: `${'سطر طويل من النص العربي\n'.repeat(60)}نهاية` },
      async ({ page }) => {
        assert.equal(await textarea(page).evaluate((element) => getComputedStyle(element).direction), 'rtl');
        await textarea(page).tap();
        // The keyboard takes half of the window.
        await page.setViewportSize({ width: 390, height: 420 });
        const end = (await textOf(page)).length;
        await setCaret(page, end);
        await type(page, '!');
        const room = await textarea(page).evaluate((element: HTMLTextAreaElement) => {
          const box = element.getBoundingClientRect();
          return { bottom: box.bottom, height: window.innerHeight, below: element.scrollHeight - element.scrollTop - element.clientHeight, padding: parseFloat(getComputedStyle(element).paddingBottom) };
        });
        assert.ok(room.bottom <= room.height, 'the text ends above the keyboard');
        assert.ok(room.below <= room.padding, `the last line is in sight: ${JSON.stringify(room)}`);
        await page.getByTestId('save-state-short').filter({ visible: true }).waitFor();
        await assertAccessible(page, 'the editor on a phone, right to left');
      },
      { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    ));

  it('shows a text I may only read, plainly, and takes no key', () =>
    editing({ title: 'Rules', text: 'No running.' }, async ({ page, context }, address) => {
      await asViewer(context);
      await page.goto(address);
      await until('it says so', async () => (await saveLineOf(page)) === 'View only');
      await textarea(page).focus();
      await type(page, 'Running!');
      assert.equal(await textOf(page), 'No running.');
      assert.equal(await page.getByRole('textbox', { name: 'Title', exact: true }).isEditable(), false);
      await assertAccessible(page, 'a text to read');
    }));

  it('tells a phone in a word above and in full below that the network is away', () =>
    editing(
      { text: 'x' },
      async ({ page, context }) => {
        await saved(page);
        await context.setOffline(true);
        await page.getByTestId('save-state-short').filter({ hasText: 'Offline' }).waitFor();
        await page.getByTestId('save-note').filter({ hasText: 'Offline: everything is saved' }).waitFor();
        await assertAccessible(page, 'the editor offline on a phone');
        await context.setOffline(false);
        await saved(page);
        assert.equal(await page.getByTestId('save-note').count(), 0);
      },
      { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    ));

  it('fits 200 % zoom and a 320 px window without sideways scrolling', () =>
    editing({ title: 'A title that is too long for a small window by far', text: 'word '.repeat(300) }, async ({ page }) => {
      for (const width of [720, 390, 320]) {
        await page.setViewportSize({ width, height: 450 });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(overflow <= 0, `${width} px wide: ${overflow} px too wide`);
        await page.locator('[data-testid^=save-state]').filter({ visible: true, hasText: /^Saved$/ }).waitFor();
      }
    }));
});
