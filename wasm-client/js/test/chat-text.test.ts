import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { mentionsIn, partsOf } from '../src/chat.js';
import { charsBefore, offsetOf } from '../src/chat/offsets.js';

const people = [{ user: 'a', name: 'Ada' }, { user: 'al', name: 'Ada Lovelace' }, { user: 'b', name: 'Bjørn 😀' }];

describe('names in a text', () => {
  const cases: [string, [number, number, string][]][] = [
    ['@Ada', [[0, 4, 'a']]],
    ['hi @Ada, @Ada Lovelace!', [[3, 7, 'a'], [9, 22, 'al']]],
    ['@Adam and mail@Ada.example', []],
    ['😀 @Bjørn 😀?', [[3, 12, 'b']]],
    ['@Ada@Ada', [[0, 4, 'a']]],
    ['@', []],
  ];
  for (const [text, expected] of cases) {
    it(`finds ${expected.length} in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(mentionsIn(text, people).map(({ start, end, user }) => [start, end, user]), expected);
    });
  }
});

describe('pieces of a text', () => {
  const drawn = (text: string, mentions = mentionsIn(text, people)) =>
    partsOf(text, mentions).map((part) => (part.kind === 'text' ? part.text : `[${part.kind} ${part.text}]`)).join('');

  it('put together are the text', () => {
    const text = 'See https://a.example/x?y=1#z, @Ada (http://b.example/(c)) 😀.';
    assert.equal(partsOf(text, mentionsIn(text, people)).map((part) => part.text).join(''), text);
  });

  it('are addresses without what ends the sentence', () => {
    assert.equal(drawn('Go to https://a.example/b.'), 'Go to [link https://a.example/b].');
    assert.equal(drawn('(https://a.example/b)'), '([link https://a.example/b])');
    assert.equal(drawn('https://a.example/b_(c)'), '[link https://a.example/b_(c)]');
  });

  it('never lead anywhere but to http and https', () => {
    for (const text of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'https://', 'http:// x']) {
      assert.deepEqual(partsOf(text), [{ kind: 'text', text }]);
    }
    const [link] = partsOf('https://a.example/"onclick="x');
    assert.deepEqual(link, { kind: 'link', text: 'https://a.example/', href: 'https://a.example/' });
  });

  it('ignore spans that do not fit the text', () => {
    assert.equal(drawn('ab', [{ start: 1, end: 9, user: 'a' }, { start: 0, end: 1, user: 'a' }]), '[mention a]b');
  });
});

describe('characters and code units', () => {
  it('are counted into each other', () => {
    const text = 'a😀é\u{1f469}\u200d\u{1f680}z';
    let chars = 0;
    for (const [index, character] of Array.from(text).entries()) {
      const offset = Array.from(text).slice(0, index).join('').length;
      assert.deepEqual([charsBefore(text, offset), offsetOf(text, chars)], [chars, offset], character);
      chars++;
    }
    assert.equal(offsetOf(text, 99), text.length);
  });
});
