import assert from 'node:assert/strict';
import { test } from 'node:test';

import { loadOverlay } from '../src/textarea/others.js';
import { ada } from './support/fake-model.js';
import { Page } from './support/page.js';

test('a drawing that cannot be loaded costs the carets and nothing else, and is tried again after a rest', async (t) => {
  let now = 60_000;
  t.mock.method(performance, 'now', () => now);
  let tries = 0;
  const fail = () => {
    tries += 1;
    return Promise.reject(new Error('offline'));
  };
  await loadOverlay(fail);
  const page = new Page('ab|c');
  page.model.point(ada, { anchor: 1, head: 1 });
  page.input({ inputType: 'insertText', text: 'x' });
  page.model.remote({ at: 0, deleted: 0, inserted: 'more ' });
  assert.equal(page.element.value, 'more abxc');
  assert.equal(page.element.value, page.model.text());
  await loadOverlay(fail);
  assert.equal(tries, 1);
  assert.equal(page.binding.scrollTo(ada.session), true);
  assert.equal(page.binding.scrollTo(99), false);

  now += 10_000;
  let made = 0;
  class Overlay {
    constructor() {
      made += 1;
    }
    schedule(): void {}
    edited(): void {}
    destroy(): void {}
  }
  await loadOverlay(() => Promise.resolve({ Overlay: Overlay as never }));
  page.model.point(ada, { anchor: 2, head: 2 });
  assert.equal(made, 1);
  page.binding.destroy();
  page.model.point(ada, { anchor: 3, head: 3 });
  assert.equal(made, 1);
});
