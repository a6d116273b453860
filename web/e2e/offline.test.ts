// The network goes away and comes back; nothing is lost and nothing comes twice.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertAccessible } from './harness/axe';
import { reloadOffline, until } from './harness/browser';
import { caretAfter, converged, makeDocument, openEditor, openTab, ready, run, saveLineOf, saved, textOf, textarea, type } from './harness/editor';
import { prepareStage } from './harness/stage';

const stage = prepareStage();

const once = (text: string, part: string) => assert.equal(text.split(part).length - 1, 1, `${JSON.stringify(part)} stands once in ${JSON.stringify(text)}`);

describe('a lost network', () => {
  it('is told, outlives a reload without network, and merges once', async () => {
    const address = await makeDocument(stage.server.url, { text: 'ada: \nben: ' });
    const [ada, ben] = await Promise.all([openEditor(stage.browser, address), openEditor(stage.browser, address)]);
    await ada.page.waitForFunction(() => navigator.serviceWorker?.ready.then((worker) => worker.active?.state === 'activated'));
    await caretAfter(ada.page, 'ada: ');
    await caretAfter(ben.page, 'ben: ');
    const bensRun = run('b', 200);
    const benTypes = type(ben.page, bensRun, 10);
    await type(ada.page, 'before ');
    await saved(ada.page);

    await ada.context.setOffline(true);
    await until('the line says offline', async () => (await saveLineOf(ada.page)).startsWith('Offline'));
    await type(ada.page, run('A', 200));
    await until('the edits are kept here', async () => /^Offline: [\d,]+ edits? kept on this device$/.test(await saveLineOf(ada.page)));
    await assertAccessible(ada.page, 'the editor offline');
    await benTypes;
    await saved(ben.page);

    const takeBack = await reloadOffline(ada);
    await ready(ada.page);
    once(await textOf(ada.page), `ada: before ${run('A', 200)}`);
    await until('still kept', async () => /^Offline: [\d,]+ edits? kept/.test(await saveLineOf(ada.page)));
    await caretAfter(ada.page, run('A', 200));
    await type(ada.page, ' after the reload');
    assert.ok(!(await textOf(ben.page)).includes('A0'));

    await takeBack();
    await ada.context.setOffline(false);
    const text = await converged(ada.page, ben.page);
    assert.equal(text, `ada: before ${run('A', 200)} after the reload\nben: ${bensRun}`);
    assert.deepEqual([...ada.faults, ...ben.faults], []);
    await Promise.all([ada.context.close(), ben.context.close()]);
  });

  it('keeps what three tabs wrote, one of them closed', async () => {
    const address = await makeDocument(stage.server.url, { text: 'one: \ntwo: \nthree: ' });
    const first = await openEditor(stage.browser, address);
    const second = await openTab(first.context, address);
    const third = await openTab(first.context, address);
    await first.page.waitForFunction(() => navigator.serviceWorker?.ready.then((worker) => worker.active?.state === 'activated'));
    await first.context.setOffline(true);
    for (const [tab, place] of [[first, 'one: '], [second, 'two: '], [third, 'three: ']] as const) {
      await tab.page.bringToFront();
      await until('offline', async () => (await saveLineOf(tab.page)).startsWith('Offline'));
      await caretAfter(tab.page, place);
      await type(tab.page, `words of ${place.slice(0, -2)}`);
      await until('kept on this device', async () => /kept on this device/.test(await saveLineOf(tab.page)));
    }
    await third.page.close();
    await second.page.reload();
    await ready(second.page);
    assert.match(await textOf(second.page), /words of two/);

    await first.context.setOffline(false);
    const whole = 'one: words of one\ntwo: words of two\nthree: words of three';
    await until('everything has arrived once', async () => (await converged(first.page, second.page)) === whole, 30_000);
    const reader = await openEditor(stage.browser, address);
    assert.equal(await textOf(reader.page), whole);
    await Promise.all([first.context.close(), reader.context.close()]);
  });

  it('leaves the list of documents readable and says how old it is', async () => {
    const address = await makeDocument(stage.server.url, { title: 'Known before', text: 'x' });
    const { context, page } = await openEditor(stage.browser, address);
    await until('the text is kept on the device', () => page.evaluate(keepsATextOnDevice));
    await page.goto(stage.server.url);
    await page.getByRole('link', { name: 'Known before' }).waitFor();
    await page.waitForFunction(() => navigator.serviceWorker?.ready.then((worker) => worker.active?.state === 'activated'));
    await context.setOffline(true);
    await reloadOffline({ context, page });
    await page.getByText('You are offline. This is the list as last known.').waitFor();
    await page.getByRole('link', { name: 'Known before' }).click();
    await ready(page);
    assert.equal(await textarea(page).inputValue(), 'x');
    await context.close();
  });
});

/** In the page: whether the client has stored a document. A text that only came from the server is stored at leisure. */
function keepsATextOnDevice(): Promise<boolean> {
  return new Promise((resolve) => {
    const request = indexedDB.open('concord');
    // Nobody has made the database yet, and it is not ours to make.
    request.onupgradeneeded = () => request.transaction?.abort();
    request.onerror = () => resolve(false);
    request.onsuccess = () => {
      const database = request.result;
      const count = database.transaction('queue').objectStore('queue').count();
      count.onsuccess = () => {
        database.close();
        resolve(count.result > 0);
      };
    };
  });
}
