import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Selection16 } from '../src/types.js';
import { bindTextarea } from '../src/textarea.js';
import { FakeModel } from './support/fake-model.js';
import { Page, type Edit } from './support/page.js';

const cut = (from: number, to: number) => (element: HTMLTextAreaElement) => element.setRangeText('', from, to, 'end');

/** What one edit in `before` tells the model, and how the textarea looks afterwards. */
function check(before: string, edit: Edit, told: unknown[], after: string): void {
  const page = new Page(before);
  page.input(edit);
  assert.deepEqual(page.edits, told, `${edit.inputType} in ${before}`);
  assert.equal(page.shown, after);
  assert.equal(page.model.text(), page.element.value);
}

describe('an edit becomes one replacement', () => {
  const table: [string, Edit, [number, number, string], string][] = [
    ['ab|c', { inputType: 'insertText', text: 'x' }, [2, 0, 'x'], 'abx|c'],
    ['aa|a', { inputType: 'insertText', text: 'a' }, [2, 0, 'a'], 'aaa|a'],
    ['a[bc]d', { inputType: 'insertText', text: 'x' }, [1, 2, 'x'], 'ax|d'],
    ['ab|', { inputType: 'insertLineBreak', text: '\n' }, [2, 0, '\n'], 'ab\n|'],
    ['|', { inputType: 'insertFromPaste', text: 'one\ntwo' }, [0, 0, 'one\ntwo'], 'one\ntwo|'],
    ['a[b]c', { inputType: 'insertFromYank', text: '' }, [1, 1, ''], 'a|c'],
    ['ab|c', { inputType: 'deleteContentBackward', change: cut(1, 2) }, [1, 1, ''], 'a|c'],
    ['ab|c', { inputType: 'deleteContentForward', change: cut(2, 3) }, [2, 1, ''], 'ab|'],
    ['one two|', { inputType: 'deleteWordBackward', change: cut(4, 7) }, [4, 3, ''], 'one |'],
    ['|one two', { inputType: 'deleteWordForward', change: cut(0, 3) }, [0, 3, ''], '| two'],
    ['one|\ntwo', { inputType: 'deleteSoftLineBackward', change: cut(0, 3) }, [0, 3, ''], '|\ntwo'],
    ['one|\ntwo', { inputType: 'deleteHardLineForward', change: cut(3, 4) }, [3, 1, ''], 'one|two'],
    ['a[bc]d', { inputType: 'deleteByCut', change: cut(1, 3) }, [1, 2, ''], 'a|d'],
    ['a[bc]d', { inputType: 'deleteContent', change: cut(1, 3) }, [1, 2, ''], 'a|d'],
    ['a|😀b', { inputType: 'insertText', text: '👍🏽' }, [1, 0, '👍🏽'], 'a👍🏽|😀b'],
    ['😀|', { inputType: 'insertText', text: '😁' }, [2, 0, '😁'], '😀😁|'],
    ['a😀|b', { inputType: 'deleteContentBackward', change: cut(1, 3) }, [1, 2, ''], 'a|b'],
    ['שלום|', { inputType: 'insertText', text: '!' }, [4, 0, '!'], 'שלום!|'],
  ];
  for (const [before, edit, told, after] of table) {
    it(`${edit.inputType} in ${JSON.stringify(before)}`, () => check(before, edit, [['edit', ...told]], after));
  }
});

describe('what does not happen at the caret is found by comparing', () => {
  it('a spelling correction before the caret', () => {
    const change = (element: HTMLTextAreaElement): void => element.setRangeText('the', 0, 3, 'preserve');
    check('teh cat|', { inputType: 'insertReplacementText', change }, [['diff', 'the cat']], 'the cat|');
  });

  it('an autocorrection that calls itself typing', () => {
    const change = (element: HTMLTextAreaElement): void => {
      element.value = 'the ';
    };
    check('teh|', { inputType: 'insertText', text: ' ', change }, [['diff', 'the ']], 'the |');
  });

  it('two characters transposed', () => {
    const change = (element: HTMLTextAreaElement): void => {
      element.value = 'acb';
    };
    check('ab|c', { inputType: 'insertTranspose', change }, [['diff', 'acb']], 'acb|');
  });

  it('a selection dragged to the front, in two inputs', () => {
    const page = new Page('one [two]');
    page.input({ inputType: 'deleteByDrag', change: cut(4, 7) });
    page.input({ inputType: 'insertFromDrop', change: (element) => element.setRangeText('two', 0, 0, 'select') });
    assert.equal(page.model.text(), 'twoone ');
    assert.equal(page.shown, '[two]one ');
  });

  it('a keyboard that announces nothing', () => {
    check('ab|c', { inputType: '', text: 'x', silent: true }, [['diff', 'abxc']], 'abx|c');
  });

  it('a value set by a script, at the next input', () => {
    const page = new Page('ab|c');
    page.element.value = 'hello abc';
    page.element.setSelectionRange(9, 9);
    page.type('!');
    assert.deepEqual(page.edits, [['diff', 'hello abc'], ['edit', 9, 0, '!']]);
    assert.equal(page.model.text(), 'hello abc!');
  });

  it('a value set by a script, at the next focus', () => {
    const page = new Page('abc|');
    page.element.blur();
    page.element.value = 'abcd';
    page.element.focus();
    assert.equal(page.model.text(), 'abcd');
  });

  it('a value set by a script just before a remote edit keeps both', () => {
    const page = new Page('abc|');
    page.element.value = 'abc, said she';
    page.model.remote({ at: 0, deleted: 0, inserted: '> ' });
    assert.equal(page.element.value, '> abc, said she');
    assert.equal(page.model.text(), '> abc, said she');
  });
});

describe('the text stays clean', () => {
  it('CRLF and CR become LF before the edit exists', () => {
    check('|', { inputType: 'insertFromPaste', text: 'a\r\nb\rc' }, [['edit', 0, 0, 'a\nb\nc']], 'a\nb\nc|');
  });

  it('NUL goes and half pairs become the replacement character, also on the screen', () => {
    const edit = { inputType: 'insertFromPaste', text: 'a\0b\ud83dc' };
    check('x|y', edit, [['edit', 1, 0, 'ab\ufffdc']], 'xab\ufffdc|y');
  });

  it('typing inside a surrogate pair never sends half of it', () => {
    const page = new Page('a|');
    page.model.remote({ at: 1, deleted: 0, inserted: '😀' });
    page.select(2);
    page.type('x');
    assert.doesNotMatch(page.model.text(), /\p{Cs}/u);
    assert.equal(page.model.text(), page.element.value);
  });

  it('an emoji replaced by one that shares its first half is replaced whole', () => {
    const change = (element: HTMLTextAreaElement): void => element.setRangeText('😁', 0, 2, 'end');
    const page = new Page('😀|');
    page.input({ inputType: 'insertReplacementText', change });
    assert.equal(page.model.text(), '😁');
  });
});

describe('undo and redo', () => {
  const keys: [string, KeyboardEventInit, 'undo' | 'redo'][] = [
    ['z', { ctrlKey: true }, 'undo'],
    ['z', { metaKey: true }, 'undo'],
    ['Z', { ctrlKey: true, shiftKey: true }, 'redo'],
    ['Z', { metaKey: true, shiftKey: true }, 'redo'],
    ['y', { ctrlKey: true }, 'redo'],
  ];
  for (const [key, init, step] of keys) {
    it(`${JSON.stringify(init)} ${key} is ${step} and the browser does not hear of it`, () => {
      const page = new Page('ab|');
      page.type('c');
      if (step === 'redo') page.binding.undo();
      page.model.told = [];
      assert.equal(page.key(key, init), false);
      assert.deepEqual(page.model.told[0], [step]);
      assert.equal(page.shown, step === 'undo' ? 'ab|' : 'abc|');
    });
  }

  it('other keys pass', () => {
    const page = new Page('ab|');
    for (const [key, init] of [['z', {}], ['y', {}], ['z', { ctrlKey: true, altKey: true }], ['y', { metaKey: true }]] as const) {
      assert.equal(page.key(key, init), true, `${key} ${JSON.stringify(init)}`);
    }
    assert.deepEqual(page.model.told, []);
  });

  it('the browser menu asks by historyUndo and historyRedo', () => {
    const page = new Page('ab|');
    page.type('c');
    assert.equal(page.input({ inputType: 'historyUndo' }), false);
    assert.equal(page.shown, 'ab|');
    assert.equal(page.input({ inputType: 'historyRedo' }), false);
    assert.equal(page.shown, 'abc|');
  });

  it('the caret goes to the change, under later edits of others', () => {
    const page = new Page('ab|');
    page.type('c');
    page.model.remote({ at: 0, deleted: 0, inserted: 'remote ' });
    page.select(0);
    assert.equal(page.binding.undo(), true);
    assert.equal(page.shown, 'remote ab|');
  });

  it('an undo called on the model moves the caret as well', () => {
    const page = new Page('ab|');
    page.type('c');
    page.select(0);
    page.model.undo();
    assert.equal(page.shown, 'ab|');
  });

  it('a caret jump and leaving break the group, typing on does not', () => {
    const page = new Page('ab|');
    page.type('c');
    page.type('d');
    assert.equal(page.model.told.some(([kind]) => kind === 'break'), false);
    page.select(0);
    assert.deepEqual(page.model.told.filter(([kind]) => kind === 'break').length, 1);
    page.element.blur();
    assert.deepEqual(page.model.told.filter(([kind]) => kind === 'break').length, 2);
  });

  it('a jump that no event told of is noticed before the next edit', () => {
    const page = new Page('ab|');
    page.element.setSelectionRange(0, 0);
    page.type('x');
    assert.deepEqual(page.model.told.filter(([kind]) => kind !== 'select'), [['break'], ['edit', 0, 0, 'x']]);
  });
});

describe('carets for the others', () => {
  const span = (from: number, to: number): Selection16 => ({ anchor: from, head: to });
  const at = (offset: number): Selection16 => span(offset, offset);

  it('at most 20 a second, the last one always', (test) => {
    test.mock.timers.enable({ apis: ['setTimeout'] });
    const page = new Page('0123456789|');
    test.mock.timers.tick(100);
    for (let offset = 0; offset < 10; offset += 1) page.select(offset);
    const selects = (): unknown[] => page.model.told.filter(([kind]) => kind === 'select');
    assert.deepEqual(selects(), [['select', at(0)]]);
    test.mock.timers.tick(50);
    assert.deepEqual(selects().at(-1), ['select', at(9)]);
    assert.equal(selects().length, 2);
  });

  it('a backward selection has its head first, a blur has none', (test) => {
    test.mock.timers.enable({ apis: ['setTimeout'] });
    const page = new Page('abcd|');
    test.mock.timers.tick(100);
    page.select(1, 3, 'backward');
    assert.deepEqual(page.model.told.at(-1), ['select', span(3, 1)]);
    page.element.blur();
    assert.deepEqual(page.model.told.at(-1), ['select', null]);
  });

  it('ride with the edit instead of a message of their own', () => {
    const page = new Page('abcd|');
    page.type('x');
    page.element.dispatchEvent(new page.dom.window.Event('select', { bubbles: true }));
    assert.deepEqual(page.model.selection, at(5));
    assert.deepEqual(page.model.told, [['edit', 4, 0, 'x']]);
  });
});

describe('the element around it', () => {
  it('read only: nothing reaches the model and the attribute says so', () => {
    const page = new Page('ab|');
    page.model.readOnly = true;
    page.binding.refresh();
    assert.equal(page.element.readOnly, true);
    assert.equal(page.type('x'), false);
    assert.equal(page.key('z', { ctrlKey: true }), false);
    assert.deepEqual(page.model.told.filter(([kind]) => kind !== 'select'), []);
    page.model.readOnly = false;
    page.model.point({ session: 1, user: 'u', name: 'n', color: 0 }, { anchor: 0, head: 0 });
    assert.equal(page.element.readOnly, false);
  });

  it('a form reset does not touch the shared text', async () => {
    const page = new Page('abc|');
    (page.element.form as HTMLFormElement).reset();
    await page.settle();
    assert.equal(page.element.value, 'abc');
    assert.deepEqual(page.edits, []);
  });

  it('nothing that happens right after a form reset takes the empty text for an edit', async () => {
    const happenings: [string, (page: Page) => void, string][] = [
      ['a remote edit', (page) => page.model.remote({ at: 0, deleted: 0, inserted: 'more ' }), 'more abc'],
      ['leaving', (page) => page.element.blur(), 'abc'],
      ['the page goes away', (page) => page.dom.window.dispatchEvent(new page.dom.window.Event('pagehide')), 'abc'],
      ['a key', (page) => page.type('x'), 'abcx'],
      ['a key nobody announced', (page) => page.input({ inputType: 'insertText', text: 'x', silent: true }), 'abc'],
      ['a composition', (page) => {
        page.compose('compositionstart');
        page.composed('ni', 3, 3);
        page.compose('compositionend', 'ni');
      }, 'abcni'],
    ];
    for (const [what, happen, expected] of happenings) {
      const page = new Page('abc|');
      (page.element.form as HTMLFormElement).reset();
      assert.equal(page.element.value, '', 'as browsers do');
      happen(page);
      await page.settle();
      assert.equal(page.element.value, expected, what);
      assert.equal(page.model.text(), expected, what);
      assert.ok(page.edits.every((told) => told[0] === 'edit' && told[2] === 0), what);
      page.type('!');
      assert.equal(page.element.value, page.model.text(), 'it is over');
    }
  });

  it('a composition that a form reset ends does not take the text along', async () => {
    const page = new Page('abc|');
    page.compose('compositionstart');
    page.composed('ni', 3, 3);
    (page.element.form as HTMLFormElement).reset();
    page.compose('compositionend', '');
    await page.settle();
    assert.deepEqual([page.element.value, page.model.text()], ['abc', 'abc']);
  });

  it('a form reset that the page prevents changes nothing', async () => {
    const page = new Page('abc|');
    const form = page.element.form as HTMLFormElement;
    form.addEventListener('reset', (event) => event.preventDefault());
    form.reset();
    page.type('d');
    await page.settle();
    assert.equal(page.element.value, 'abcd');
    assert.equal(page.model.text(), 'abcd');
  });

  it('binding again replaces the first binding', () => {
    const page = new Page('abc|');
    const model = new FakeModel('other');
    const second = bindTextarea(page.element, model);
    assert.equal(page.element.value, 'other');
    page.model.remote({ at: 0, deleted: 0, inserted: 'x' });
    assert.equal(page.element.value, 'other');
    second.destroy();
    second.destroy();
  });

  it('bound again after others have written, it shows their text with the caret where it was', () => {
    for (const [marked, shown] of [['one |two', 'more one |two'], ['one [two]', 'more one [two]'], ['|one two', '|more one two']] as const) {
      const page = new Page(marked);
      page.binding.destroy();
      page.model.remote({ at: 0, deleted: 0, inserted: 'more ' });
      assert.equal(page.element.value, 'one two');
      bindTextarea(page.element, page.model);
      assert.equal(page.shown, shown);
      assert.deepEqual(page.edits, []);
    }
  });

  it('after destroy nothing is heard and the own attributes are back', () => {
    const page = new Page('abc|');
    page.binding.destroy();
    page.type('x');
    page.model.remote({ at: 0, deleted: 0, inserted: 'y' });
    assert.deepEqual(page.edits, []);
    assert.equal(page.element.hasAttribute('autocomplete'), false);
  });

  it('works in a shadow root and in a frame', () => {
    const page = new Page('|');
    const { document } = page.dom.window;
    const host = document.body.appendChild(document.createElement('div'));
    const inner = host.attachShadow({ mode: 'open' }).appendChild(document.createElement('textarea'));
    const frame = document.body.appendChild(document.createElement('iframe'));
    const framed = frame.contentDocument?.body.appendChild(frame.contentDocument.createElement('textarea'));
    for (const element of [inner, framed as HTMLTextAreaElement]) {
      const model = new FakeModel('ab');
      const binding = bindTextarea(element, model);
      element.focus();
      element.setSelectionRange(1, 1);
      const { InputEvent } = element.ownerDocument.defaultView as Window & typeof globalThis;
      element.dispatchEvent(new InputEvent('beforeinput', { inputType: 'insertText', data: 'x', cancelable: true }));
      element.setRangeText('x', 1, 1, 'end');
      element.dispatchEvent(new InputEvent('input', { inputType: 'insertText', data: 'x' }));
      assert.equal(model.text(), 'axb');
      assert.deepEqual(model.told.at(-1), ['edit', 1, 0, 'x']);
      binding.destroy();
    }
  });
});
