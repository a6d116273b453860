// What is too much for one operation or for the document: pasted, typed, undone. With a real server.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { assertAccessible } from './harness/axe';
import { until } from './harness/browser';
import { makeDocument, openEditor, paste, saveLineOf, saved, setCaret, textOf, textarea, type } from './harness/editor';
import { prepareStage } from './harness/stage';

const stage = prepareStage();
const small = prepareStage(['--document-bytes-max', '4096', '--text-bytes-max', '512', '--submissions-per-s', '10', '--submissions-burst', '20']);

const committed = async (page: Page): Promise<{ text: string; revision: number }> => {
  const answer = await page.request.get(page.url().replace('/d/', '/api/documents/') + '/text');
  return { text: await answer.text(), revision: Number(answer.headers()['concord-revision']) };
};
/** How many sockets a page opens from now on. */
function countSockets(page: Page): () => number {
  let sockets = 0;
  page.on('websocket', () => sockets++);
  return () => sockets;
}
/** Lines that can be told apart, so that a lost, doubled or moved one shows. */
const lines = (bytes: number): string => {
  let text = '';
  for (let n = 0; text.length < bytes; n++) text += `${n} the ferry rope, wet and slow as a held breath, line ${n}\n`;
  return text.slice(0, bytes);
};

describe('a paste that is too large for one operation', () => {
  it('of 2 MB arrives whole, on one connection, and one undo removes it', async () => {
    const address = await makeDocument(stage.server.url);
    const { page, context, faults } = await openEditor(stage.browser, address);
    const sockets = countSockets(page);
    const heard = new Set<string>();
    const text = lines(2 * 1024 * 1024);
    const started = performance.now();
    await setCaret(page, 0);
    await paste(page, text);
    await until('everything is saved', async () => {
      const line = await saveLineOf(page);
      heard.add(line);
      return line === 'Saved' && (await committed(page)).revision > 0;
    }, 120_000);
    const tookMs = Math.round(performance.now() - started);
    const after = await committed(page);
    assert.equal(after.text, text);
    assert.ok(after.revision >= 64, `${after.revision} operations`);
    assert.ok([...heard].some((line) => /in parts/.test(line)), `the lines were ${[...heard].join(' | ')}`);
    assert.equal(await textarea(page).evaluate((element: HTMLTextAreaElement) => element.value.length), text.length);
    await page.keyboard.press('Control+z');
    await until('one undo removes it', async () => (await saveLineOf(page)) === 'Saved' && (await committed(page)).text === '', 60_000);
    assert.equal(await textOf(page), '');
    await page.keyboard.press('Control+Shift+z');
    await until('one redo brings it back', async () => (await saveLineOf(page)) === 'Saved' && (await committed(page)).text === text, 120_000);
    assert.equal(sockets(), 0, 'the connection stayed');
    assert.deepEqual(faults, []);
    process.stdout.write(`  2 MB: ${after.revision} operations, saved ${tookMs} ms after the paste\n`);
    await context.close();
  });

  it('goes slowly where the server wants it so, and nothing of it is lost', async () => {
    const address = await makeDocument(small.server.url);
    const { page, context, faults } = await openEditor(stage.browser, address);
    const sockets = countSockets(page);
    await setCaret(page, 0);
    const before = performance.now();
    for (let n = 0; n < 40; n++) await type(page, `${n} `, 0);
    await paste(page, lines(3_500));
    await until('everything is saved', async () => (await saveLineOf(page)) === 'Saved' && (await committed(page)).text.endsWith(lines(3_500)), 60_000);
    const { text, revision } = await committed(page);
    assert.equal(text, Array.from({ length: 40 }, (_, n) => `${n} `).join('') + lines(3_500));
    const seconds = (performance.now() - before) / 1_000;
    assert.ok(revision <= 20 + 10 * seconds + 1, `${revision} operations in ${seconds.toFixed(1)} s`);
    assert.equal(sockets(), 0);
    assert.deepEqual(faults, []);
    await context.close();
  });
});

describe('a full document', () => {
  it('refuses what is typed in one calm line, keeps it, takes deletions, and then takes typing again', async () => {
    const address = await makeDocument(small.server.url, { text: 'x'.repeat(4_096) });
    const { page, context, faults } = await openEditor(stage.browser, address);
    const sockets = countSockets(page);
    await setCaret(page, 4_096);
    await type(page, 'no room for this', 20);
    const refused = page.getByRole('alert', { name: 'Text that was not accepted' });
    await until('it is kept as one text', async () => (await refused.count()) === 1 && (await refused.locator('pre').innerText()) === 'no room for this');
    assert.equal(await page.locator('section[role=alert]').count(), 1, 'one line');
    assert.match(await refused.innerText(), /largest size/);
    await assertAccessible(page, 'a full document');
    await until('it is out of the text', async () => (await textOf(page)) === 'x'.repeat(4_096));
    await setCaret(page, 4_000, 4_096);
    await page.keyboard.press('Delete');
    await type(page, 'room!', 20);
    await until('it is saved', async () => (await saveLineOf(page)) === 'Saved' && (await committed(page)).text === `${'x'.repeat(4_000)}room!`);
    assert.equal(await refused.locator('pre').innerText(), 'no room for this', 'what was refused is still there');
    assert.equal(sockets(), 0, 'nothing touched the connection');
    assert.deepEqual(faults, []);
    await context.close();
  });

  it('keeps the rest of a paste that filled it', async () => {
    const address = await makeDocument(small.server.url);
    const { page, context, faults } = await openEditor(stage.browser, address);
    const text = lines(6_000);
    await setCaret(page, 0);
    await paste(page, text);
    const refused = page.getByRole('alert', { name: 'Text that was not accepted' });
    await refused.waitFor();
    await saved(page, 30_000);
    const kept = await committed(page);
    assert.ok(kept.text.length > 3_500 && kept.text.length <= 4_096);
    assert.equal(kept.text + (await refused.locator('pre').textContent()), text, 'nothing between them is lost');
    assert.equal(await textOf(page), kept.text);
    assert.deepEqual(faults, []);
    await context.close();
  });
});
