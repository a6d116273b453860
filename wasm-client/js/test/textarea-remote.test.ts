import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Gate } from '../src/textarea/gate.js';
import { Page } from './support/page.js';

describe('remote edits', () => {
  const table: [string, { at: number; deleted: number; inserted: string }[], string][] = [
    ['ab|cd', [{ at: 0, deleted: 0, inserted: 'xy' }], 'xyab|cd'],
    ['ab|cd', [{ at: 2, deleted: 0, inserted: 'xy' }], 'ab|xycd'],
    ['ab|cd', [{ at: 3, deleted: 1, inserted: '' }], 'ab|c'],
    ['ab|cd', [{ at: 1, deleted: 2, inserted: '' }], 'a|d'],
    ['a[bc]d', [{ at: 1, deleted: 0, inserted: 'x' }], 'ax[bc]d'],
    ['a[bc]d', [{ at: 3, deleted: 0, inserted: 'x' }], 'a[bc]xd'],
    ['a[bc]d', [{ at: 2, deleted: 0, inserted: '😀' }], 'a[b😀c]d'],
    ['a[bc]d', [{ at: 0, deleted: 4, inserted: '' }], '|'],
    ['ab|cd', [{ at: 4, deleted: 0, inserted: '!' }, { at: 0, deleted: 1, inserted: '' }], 'b|cd!'],
    ['ab|cd', [{ at: 0, deleted: 2, inserted: 'AB' }], 'AB|cd'],
  ];
  for (const [before, patches, after] of table) {
    it(`${JSON.stringify(patches)} on ${before}`, () => {
      const page = new Page(before);
      page.model.remote(...patches);
      assert.equal(page.shown, after);
      assert.deepEqual(page.edits, []);
    });
  }

  it('keep the direction of a backward selection', () => {
    const page = new Page('abcd|');
    page.select(1, 3, 'backward');
    page.model.remote({ at: 0, deleted: 0, inserted: 'xx' });
    assert.equal(page.shown, 'xxa[bc]d');
    assert.equal(page.element.selectionDirection, 'backward');
  });

  it('never take the focus', () => {
    const page = new Page('abc|');
    const other = page.dom.window.document.querySelector('input') as HTMLInputElement;
    other.focus();
    page.model.remote({ at: 0, deleted: 0, inserted: 'x' });
    assert.equal(page.dom.window.document.activeElement, other);
    assert.equal(page.element.value, 'xabc');
  });

  it('do not count as a move of the caret', () => {
    const page = new Page('abc|');
    page.model.remote({ at: 0, deleted: 0, inserted: 'x' });
    page.element.dispatchEvent(new page.dom.window.Event('select', { bubbles: true }));
    assert.deepEqual(page.model.told, []);
  });
});

describe('a text so long that writing it is dear', () => {
  /** Each write into the textarea takes `ms` of a clock that stands still otherwise. */
  function slowPage(test: TestContext, ms: number): { page: Page; writes: () => number } {
    test.mock.timers.enable({ apis: ['setTimeout'] });
    let now = 0;
    let writes = 0;
    test.mock.method(performance, 'now', () => now);
    const page = new Page('abc|');
    const write = page.element.setRangeText.bind(page.element) as (...given: unknown[]) => void;
    page.element.setRangeText = (...given: unknown[]) => {
      now += ms;
      writes += 1;
      write(...given);
    };
    return { page, writes: () => writes };
  }

  it('is written rarely; what comes meanwhile comes in one piece', (test) => {
    const { page, writes } = slowPage(test, 30);
    for (let i = 0; i < 10; i += 1) page.model.remote({ at: 0, deleted: 0, inserted: 'x' });
    assert.equal(page.element.value, 'xabc');
    test.mock.timers.tick(119);
    assert.equal(writes(), 1);
    test.mock.timers.tick(1);
    assert.equal(page.shown, 'xxxxxxxxxxabc|');
    assert.equal(writes(), 2);
  });

  it('is as dear where only the layout is, and known to be at the next write', (test) => {
    test.mock.timers.enable({ apis: ['setTimeout'] });
    const told: string[] = [];
    const gate = new Gate({ hold: () => told.push('hold'), release: () => told.push('release') }, () => undefined);
    gate.written(1);
    assert.deepEqual(told, []);
    gate.laidOut(20);
    assert.deepEqual(told, ['hold']);
    test.mock.timers.tick(80);
    assert.deepEqual(told, ['hold', 'release']);
    gate.written(1);
    assert.deepEqual(told.splice(0), ['hold', 'release', 'hold']);
    gate.laidOut(2);
    test.mock.timers.tick(84);
    gate.written(1);
    gate.laidOut(2);
    gate.laidOut(50); // a frame with nothing of others in it
    assert.deepEqual(told, ['release']);
  });

  it('takes keys and undo as ever', (test) => {
    const { page } = slowPage(test, 30);
    page.model.remote({ at: 0, deleted: 0, inserted: 'x' });
    page.model.remote({ at: 0, deleted: 0, inserted: 'y' });
    page.select(4);
    page.type('!');
    assert.equal(page.element.value, 'xabc!');
    assert.equal(page.model.merged, 'yxabc!');
    page.binding.undo();
    assert.equal(page.shown, 'yxabc|');
  });

  it('a short text never waits', (test) => {
    const { page } = slowPage(test, 2);
    for (let i = 0; i < 10; i += 1) page.model.remote({ at: 0, deleted: 0, inserted: 'x' });
    assert.equal(page.shown, 'xxxxxxxxxxabc|');
  });

  it('a binding that ends delivers what waits', (test) => {
    const { page } = slowPage(test, 30);
    page.model.remote({ at: 0, deleted: 0, inserted: 'x' });
    page.model.remote({ at: 0, deleted: 0, inserted: 'y' });
    page.binding.destroy();
    assert.equal(page.element.value, 'yxabc');
  });
});
