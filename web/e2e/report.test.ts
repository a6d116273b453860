// Reports of sessions: a failed check offers one, the menu offers one, and what is copied plays on the engine.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { assertAccessible } from './harness/axe';
import { openWindow, until } from './harness/browser';
import { beforeCaret, converged, makeDocument, openEditor, ready, saveLineOf, saved, setCaret, textOf, textarea, type } from './harness/editor';
import { WRONG_CHECK, liar, played } from './harness/report';
import { prepareStage } from './harness/stage';

const stage = prepareStage();

const sheetOf = (page: Page) => page.getByRole('dialog', { name: 'Report of this session' });

/** Copies the report of the open sheet, with its words or without. */
async function copied(page: Page, words: boolean): Promise<string> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const sheet = sheetOf(page);
  await sheet.getByRole('checkbox', { name: 'Hide the words' }).setChecked(!words);
  await sheet.getByRole('button', { name: 'Copy report' }).click();
  await sheet.waitFor({ state: 'hidden' });
  await page.getByText('Report copied').first().waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

async function openFromMenu(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: /^Report of this session/ }).click();
  await sheetOf(page).waitFor();
}

describe('a report of the session', () => {
  it('is offered when a check fails, and names the event that was wrong', async () => {
    const address = await makeDocument(stage.server.url, { text: 'Private words: 42\n' });
    const { context, page } = await openWindow(stage.browser);
    const between = await liar(context);
    await page.goto(address);
    await ready(page);
    await setCaret(page, 0);
    await type(page, 'Before. ');
    await saved(page);
    between.lie();
    await type(page, 'Then. ');
    await until('a check was wrong', () => between.lied());
    const offer = page.getByRole('button', { name: 'Copy report…' });
    await offer.waitFor();
    assert.match((await page.getByRole('status').allTextContents()).join(' '), /A check failed/);
    await saved(page);
    await type(page, 'And after it.');
    await saved(page);

    // By keyboard alone.
    await offer.focus();
    await page.keyboard.press('Enter');
    await sheetOf(page).waitFor();
    await assertAccessible(page, 'the sheet of a report');
    const hidden = await copied(page, false);
    await until('the focus is back where it was', () => offer.evaluate((button) => button === document.activeElement));
    assert.ok(!/Private|words|Before|Then|after it/.test(hidden), 'no words');

    await page.keyboard.press('Enter');
    const open = await copied(page, true);
    assert.ok(open.includes('Private words: 42'));
    assert.ok(!open.includes('after it'), 'it ends where the check failed');
    for (const report of [open, hidden]) {
      const { code, outcome } = played(report);
      assert.deepEqual([code, outcome.outcome, outcome.kind, outcome.trouble], [1, 'differs', 'server_check', 'diverged']);
      const line = report.split('\n')[Number(outcome.line) - 1] ?? '';
      assert.ok(line.includes('"check"'), line);
    }
    assert.equal(played(open).outcome.report, WRONG_CHECK);
    assert.equal(played(open).outcome.event, played(hidden).outcome.event);
    await context.close();
  });

  it('of a session with everything in it plays to its end', async () => {
    const address = await makeDocument(stage.server.url, { text: 'one two three\nvier fünf 😀\n' });
    const [ada, ben] = [await openEditor(stage.browser, address), await openEditor(stage.browser, address)];
    const writing = (page: Page, words: string, at: number) => setCaret(page, at).then(() => type(page, words));
    await Promise.all([writing(ada.page, 'Ada writes. ', 0), writing(ben.page, 'Ben writes. ', 10)]);
    await converged(ada.page, ben.page);
    await ada.page.keyboard.press('Control+z');
    await writing(ben.page, 'Under it. ', 3);
    await ada.page.keyboard.press('Control+Shift+z');

    const ime = await ada.context.newCDPSession(ada.page);
    await setCaret(ada.page, 4);
    for (const text of ['に', 'にほ', 'にほん']) {
      await ime.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
      await writing(ben.page, 'x', 0);
    }
    await ime.send('Input.insertText', { text: '日本' });
    await converged(ada.page, ben.page);

    await ada.context.setOffline(true);
    await until('offline', async () => (await saveLineOf(ada.page)).startsWith('Offline'));
    await setCaret(ada.page, 2);
    await type(ada.page, 'Written offline. ');
    await ada.page.keyboard.press('Control+z');
    await type(ada.page, 'Again. ');
    await writing(ben.page, 'Meanwhile. ', 1);
    await ada.context.setOffline(false);
    const text = await converged(ada.page, ben.page);
    assert.ok(text.includes('日本') && text.includes('Again. ') && text.includes('Meanwhile. '), text);

    await openFromMenu(ada.page);
    const report = await copied(ada.page, true);
    const { code, outcome } = played(report);
    assert.deepEqual([code, outcome.outcome], [0, 'matches'], JSON.stringify(outcome));
    assert.ok(Number(outcome.submissions) > 5 && Number(outcome.checks) > 0, JSON.stringify(outcome));
    assert.equal(outcome.len_chars, [...text].length);
    for (const kind of ['undo', 'redo', 'hold', 'composition', 'net']) assert.ok(report.includes(`"e":"${kind}"`), kind);
    assert.deepEqual([...ada.faults, ...ben.faults], []);
    await Promise.all([ada.context.close(), ben.context.close()]);
  });

  it('can be downloaded, and leaves the caret where it was', async () => {
    const address = await makeDocument(stage.server.url, { text: 'Some text to write in' });
    const { context, page } = await openEditor(stage.browser, address);
    await setCaret(page, 4);
    await type(page, '!');
    await saved(page);
    await openFromMenu(page);
    const [download] = await Promise.all([page.waitForEvent('download'), sheetOf(page).getByRole('button', { name: 'Download' }).click()]);
    assert.equal(download.suggestedFilename(), 'concord-report.jsonl');
    const report = readFileSync(await download.path(), 'utf8');
    assert.deepEqual([played(report).code, played(report).outcome.redacted], [0, true]);
    await sheetOf(page).waitFor({ state: 'hidden' });
    const menu = page.getByRole('button', { name: 'Menu' });
    await until('the focus is on what opened the menu', () => menu.evaluate((button) => button === document.activeElement));
    await textarea(page).focus();
    assert.equal(await beforeCaret(page), 'Some!');
    assert.equal(await textOf(page), 'Some! text to write in');
    await context.close();
  });
});
