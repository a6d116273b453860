import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Page } from './support/page.js';

describe('input methods', () => {
  it('a composition is one edit at its end and nothing is written in between', async () => {
    const page = new Page('a|z');
    page.compose('compositionstart');
    page.composed('n', 1, 1);
    page.composed('ni', 1, 2);
    page.model.remote({ at: 0, deleted: 0, inserted: 'XX' });
    assert.equal(page.element.value, 'aniz');
    page.composed('你', 1, 3);
    page.compose('compositionend', '你');
    assert.deepEqual(page.edits, [['edit', 1, 0, '你']]);
    assert.equal(page.element.value, 'a你z');
    await page.settle();
    assert.equal(page.shown, 'XXa你|z');
    assert.equal(page.model.merged, 'XXa你z');
  });

  it('a cancelled composition says nothing', async () => {
    const page = new Page('a|z');
    page.compose('compositionstart');
    page.composed('ni', 1, 1);
    page.composed('', 1, 3);
    page.compose('compositionend');
    await page.settle();
    assert.deepEqual(page.edits, []);
    assert.deepEqual(page.model.told.map(([kind]) => kind), ['hold', 'release']);
  });

  it('an input event after the end of the composition is not a second edit', () => {
    const page = new Page('|');
    page.compose('compositionstart');
    page.compose('compositionupdate', '日');
    page.replace('日', 0, 0);
    page.compose('compositionend', '日');
    page.input({ inputType: 'insertCompositionText', silent: true, change: () => {} });
    assert.deepEqual(page.edits, [['edit', 0, 0, '日']]);
  });

  it('syllables that follow each other at once stay one hold', async () => {
    const page = new Page('|');
    page.compose('compositionstart');
    page.composed('한', 0, 0);
    page.compose('compositionend', '한');
    page.compose('compositionstart');
    page.composed('글', 1, 1);
    page.compose('compositionend', '글');
    await page.settle();
    const kinds = page.model.told.map(([kind]) => kind).filter((kind) => kind !== 'break' && kind !== 'select');
    assert.deepEqual(kinds, ['hold', 'edit', 'edit', 'release']);
    assert.equal(page.model.text(), '한글');
  });

  it('a phone keyboard that composes an existing word replaces what changed', () => {
    const page = new Page('say helo| now');
    page.compose('compositionstart', 'helo');
    page.composed('hello', 4, 8);
    page.compose('compositionend', 'hello');
    assert.equal(page.model.text(), 'say hello now');
  });

  it('a composition that rests is sent as far as it is', (test) => {
    test.mock.timers.enable({ apis: ['setTimeout'] });
    const page = new Page('|');
    page.compose('compositionstart');
    page.composed('wor', 0, 0);
    test.mock.timers.tick(2_000);
    assert.deepEqual(page.edits, [['edit', 0, 0, 'wor']]);
    page.composed('word', 0, 3);
    page.compose('compositionend', 'word');
    assert.deepEqual(page.edits, [['edit', 0, 0, 'wor'], ['edit', 3, 0, 'd']]);
  });

  it('leaving the page sends what is being composed', () => {
    const page = new Page('|');
    page.compose('compositionstart');
    page.composed('wor', 0, 0);
    page.dom.window.dispatchEvent(new page.dom.window.Event('pagehide'));
    assert.equal(page.model.merged, 'wor');
  });

  it('undo keys belong to the input method while it composes', () => {
    const page = new Page('a|');
    page.compose('compositionstart');
    assert.equal(page.key('z', { ctrlKey: true }), true);
    assert.equal(page.binding.undo(), false);
  });
});
