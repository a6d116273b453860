// The server dies without warning while two people write, and comes back.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from './harness/browser';
import { caretAfter, converged, makeDocument, openEditor, run, saveLineOf, saved, textOf, type } from './harness/editor';
import { prepareStage } from './harness/stage';

const stage = prepareStage();

describe('a server killed while two people type', () => {
  it('loses nothing that was acknowledged, doubles nothing, and both windows find back', async () => {
    const address = await makeDocument(stage.server.url, { text: 'ada: \nben: ' });
    const [ada, ben] = await Promise.all([openEditor(stage.browser, address), openEditor(stage.browser, address)]);
    await caretAfter(ada.page, 'ada: ');
    await caretAfter(ben.page, 'ben: ');
    await type(ada.page, 'safe ');
    await saved(ada.page);
    const typing = Promise.all([type(ada.page, run('A', 400), 12), type(ben.page, run('b', 400), 12)]);
    for (let round = 0; round < 2; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 900));
      await stage.server.kill();
      await until('both notice', async () => {
        const lines = await Promise.all([ada.page, ben.page].map(saveLineOf));
        return lines.every((line) => /^(Reconnecting|Offline)/.test(line));
      });
      await stage.server.start();
    }
    await typing;
    const text = await converged(ada.page, ben.page);
    assert.equal(text, `ada: safe ${run('A', 400)}\nben: ${run('b', 400)}`);
    const reader = await openEditor(stage.browser, address);
    assert.equal(await textOf(reader.page), text);
    assert.deepEqual([...ada.faults, ...ben.faults], []);
    await Promise.all([ada, ben, reader].map(({ context }) => context.close()));
  });

  it('offers to try at once, and the countdown is real', async () => {
    const { context, page } = await openEditor(stage.browser, await makeDocument(stage.server.url));
    await stage.server.kill();
    await until('it reconnects by itself', async () => (await saveLineOf(page)).startsWith('Reconnecting'));
    await page.getByRole('button', { name: 'try now' }).waitFor();
    await stage.server.start();
    // It may have come back by itself a moment before the click.
    await page.getByRole('button', { name: 'try now' }).click({ timeout: 2_000 }).catch(() => undefined);
    await saved(page);
    await context.close();
  });
});
