// Two people in one text, in two real windows, with a real server between them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from './harness/browser';
import { type Editor, beforeCaret, caretAfter, converged, makeDocument, openEditor, paste, run, setCaret, textOf, textarea, type } from './harness/editor';
import { prepareStage } from './harness/stage';

const stage = prepareStage();

/** Two windows on a document with this text. */
async function twoWindows(text: string, test: (ada: Editor, ben: Editor) => Promise<void>): Promise<void> {
  const address = await makeDocument(stage.server.url, { text });
  const [ada, ben] = await Promise.all([openEditor(stage.browser, address), openEditor(stage.browser, address)]);
  try {
    await test(ada, ben);
    assert.deepEqual([...ada.faults, ...ben.faults], []);
  } finally {
    await Promise.all([ada.context.close(), ben.context.close()]);
  }
}

const keystrokes = 220;

describe('two windows on one document', () => {
  it('converge while both type 220 keys at different places', () =>
    twoWindows('first line\nlast line', async (ada, ben) => {
      await caretAfter(ada.page, 'first');
      await caretAfter(ben.page, 'last');
      await Promise.all([type(ada.page, run('A', keystrokes)), type(ben.page, run('b', keystrokes))]);
      const text = await converged(ada.page, ben.page);
      assert.equal(text, `first${run('A', keystrokes)} line\nlast${run('b', keystrokes)} line`);
    }));

  it('converge while both type in one line, and each run stays whole', () =>
    twoWindows('one two three', async (ada, ben) => {
      await caretAfter(ada.page, 'one');
      await caretAfter(ben.page, 'two');
      await Promise.all([type(ada.page, run('A', keystrokes)), type(ben.page, run('b', keystrokes))]);
      assert.equal(await converged(ada.page, ben.page), `one${run('A', keystrokes)} two${run('b', keystrokes)} three`);
    }));

  it('converge while both type at one and the same place, and each one’s letters keep their order', () =>
    twoWindows('[]', async (ada, ben) => {
      await setCaret(ada.page, 1);
      await setCaret(ben.page, 1);
      const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.repeat(9).slice(0, keystrokes);
      await Promise.all([type(ada.page, upper), type(ben.page, upper.toLowerCase())]);
      const text = await converged(ada.page, ben.page);
      // Until a letter stands between the two carets, whose letter comes first is the server's choice.
      assert.equal(text.replace(/[^A-Z]/g, ''), upper);
      assert.equal(text.replace(/[^a-z]/g, ''), upper.toLowerCase());
      assert.ok(text.startsWith('[') && text.endsWith(']') && text.length === 2 + 2 * keystrokes, text);
    }));

  it('converge while one deletes backwards through what the other is typing', () =>
    twoWindows('x'.repeat(120), async (ada, ben) => {
      await setCaret(ada.page, 120);
      await setCaret(ben.page, 60);
      const deleting = async () => {
        for (let n = 0; n < 100; n += 1) await ada.page.keyboard.press('Backspace');
      };
      await Promise.all([deleting(), type(ben.page, run('b', 100))]);
      const text = await converged(ada.page, ben.page);
      // She takes what stood before her caret when she pressed the key, his letters too; what came later stays.
      assert.ok(run('b', 100).endsWith(text.replace(/x/g, '')), text);
      assert.equal(text.length, 120);
    }));

  it('keep carets and selections where their owners left them', () =>
    twoWindows('needle in the hay\nneedle below', async (ada, ben) => {
      await caretAfter(ada.page, 'needle below');
      await setCaret(ada.page, 18, 24);
      await setCaret(ben.page, 0);
      await type(ben.page, 'a new first line 😀\n');
      await converged(ada.page, ben.page);
      const selected = await textarea(ada.page).evaluate((element: HTMLTextAreaElement) => element.value.slice(element.selectionStart, element.selectionEnd));
      assert.equal(selected, 'needle');
      assert.equal(await beforeCaret(ben.page), 'a new first line 😀\n');
    }));

  it('agree on emoji, pasted CR LF and an input method in the middle of it all', () =>
    twoWindows('start end', async (ada, ben) => {
      await caretAfter(ada.page, 'start');
      await caretAfter(ben.page, 'end');
      const benTypes = type(ben.page, run('b', keystrokes), 12);
      await ada.page.keyboard.insertText('👩‍👩‍👧‍👦🇩🇪');
      await paste(ada.page, ' one\r\ntwo\rthree\n');
      const ime = await ada.context.newCDPSession(ada.page);
      for (const text of ['に', 'にほ', 'にほん']) {
        await ime.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
        await type(ada.page, '', 0);
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      await ime.send('Input.insertText', { text: '日本' });
      await type(ada.page, ' written');
      await benTypes;
      const text = await converged(ada.page, ben.page);
      assert.equal(text, `start👩‍👩‍👧‍👦🇩🇪 one\ntwo\nthree\n日本 written end${run('b', keystrokes)}`);
    }));

  it('undo only my own edits under the other’s', () =>
    twoWindows('middle', async (ada, ben) => {
      await setCaret(ada.page, 0);
      await type(ada.page, 'mine ');
      await caretAfter(ben.page, 'middle');
      await type(ben.page, ' yours');
      assert.equal(await converged(ada.page, ben.page), 'mine middle yours');
      await textarea(ada.page).focus();
      await ada.page.keyboard.press('Control+z');
      assert.equal(await converged(ada.page, ben.page), 'middle yours');
      await ada.page.keyboard.press('Control+Shift+z');
      assert.equal(await converged(ada.page, ben.page), 'mine middle yours');
    }));

  it('show each other: faces, carets with names, and a click goes to the person', () =>
    twoWindows(`top\n${'line\n'.repeat(200)}bottom`, async (ada, ben) => {
      await caretAfter(ben.page, 'bottom');
      await type(ben.page, '!');
      await converged(ada.page, ben.page);
      const people = ada.page.getByRole('group', { name: 'People here: 2' });
      await people.waitFor();
      assert.equal(await textarea(ada.page).evaluate((element) => element.scrollTop), 0);
      await people.getByRole('button', { name: /^Go to / }).click();
      await until('Ada sees where Ben writes', () => textarea(ada.page).evaluate((element) => element.scrollTop > 1000));
      const name = (await people.getByRole('button', { name: /^Go to / }).getAttribute('aria-label'))?.replace('Go to ', '');
      await until('Ben’s name stands at his caret', () =>
        ada.page.evaluate((wanted) => [...document.querySelectorAll('[data-concord-people]')].some((host) => host.shadowRoot?.textContent?.includes(wanted ?? '?')), name),
      );
      await ben.context.close();
      await ada.page.getByRole('group', { name: 'People here: 1' }).waitFor();
    }));

  it('take over a new title live', () =>
    twoWindows('', async (ada, ben) => {
      await ada.page.getByRole('textbox', { name: 'Title', exact: true }).fill('Minutes of May');
      await ada.page.keyboard.press('Enter');
      await until('Ben reads the title', async () => (await ben.page.getByRole('textbox', { name: 'Title', exact: true }).inputValue()) === 'Minutes of May');
      await until('the tab says it too', async () => (await ben.page.title()).startsWith('Minutes of May'));
      assert.equal(await textOf(ada.page), '');
    }));
});
