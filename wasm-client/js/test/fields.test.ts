import './support/wasm.js';

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BUFFERED, Engine, OUTSTANDING, PENDING } from '../src/engine.js';

// Written by the build before operations were stored as plain fields: nothing pending, an edit, the edit in flight with
// a selection, and another one behind it.
const TYPED = '"a\\\n1:2;😀';
const JSON_OP = String.raw`[3,"\"a\\\n1:2;😀",5]`;
const SENT = `1;3;7;1;23:${JSON_OP}7:[[2,4]]23:${JSON_OP}0:`;
const FORMER = {
  quiet: '9:concord-114:\ufeffé😀\nzwei7;3;0;0;',
  unsent: `9:concord-126:\ufeffé😀${TYPED}\nzwei7;3;0;1;23:${JSON_OP}0:`,
  sent: `9:concord-126:\ufeffé😀${TYPED}\nzwei7;4;${SENT}0;`,
  both: `9:concord-120:\ufeff${TYPED}\nzwei7;4;${SENT}1;9:[1,-2,14]6:é😀`,
};

test('what the build before has stored goes on as it was', () => {
  const expected = {
    quiet: { text: '\ufeffé😀\nzwei', flags: 0 },
    unsent: { text: `\ufeffé😀${TYPED}\nzwei`, flags: PENDING | BUFFERED },
    sent: { text: `\ufeffé😀${TYPED}\nzwei`, flags: PENDING | OUTSTANDING },
    both: { text: `\ufeff${TYPED}\nzwei`, flags: PENDING | OUTSTANDING | BUFFERED },
  };
  for (const [name, { text, flags }] of Object.entries(expected)) {
    const engine = Engine.restore(FORMER[name as keyof typeof FORMER], true);
    assert.ok(engine, name);
    assert.equal(engine.text(), text, name);
    assert.equal(engine.revision(), 7, name);
    assert.equal(engine.flags() & (PENDING | OUTSTANDING | BUFFERED), flags, name);
    if (flags & OUTSTANDING) {
      assert.equal(engine.outstanding(), `"seq":3,"rev":7,"op":${JSON_OP},"ranges":[[2,4]]`, name);
    }
    assert.equal(Engine.restore(engine.export(), true)?.text(), text, 'it is written in the form of today');
    assert.equal(Engine.restore(FORMER[name as keyof typeof FORMER], false)?.text(), '\ufeffé😀\nzwei', name);
  }
});

test('a state of the build before that is cut off or damaged is none', () => {
  const { both } = FORMER;
  for (let end = 0; end < both.length; end++) {
    assert.equal(Engine.restore(both.slice(0, end), true), undefined, `cut off at ${end}`);
  }
  for (const state of [both.replace('[1,', '[x,'), both.replace('9:[1', '9 [1'), `${both}1;`, both.replace('23:', '99999:')]) {
    assert.notEqual(state, both);
    assert.equal(Engine.restore(state, true), undefined, state);
  }
});
