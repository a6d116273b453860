/** Real keys, a real input method and a real scroll box: what the person sees while others edit. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { Theatre } from './browser.js';
import { CATEGORIES, layoutsIn } from './layouts.js';
import type { Scene } from './stage.js';

const theatre = new Theatre();
before(() => theatre.open());
after(() => theatre.close());

const LINES = Array.from({ length: 2_000 }, (_, i) => `Line ${i}: the text of it, long enough to matter and to wrap now and then.`);
const LONG = LINES.join('\n');

const set = (page: Page, scene: Scene): Promise<void> => page.evaluate((given) => window.stage.set(given), scene);
const frame = (page: Page): Promise<void> => page.evaluate(() => window.stage.frame());
const remote = (page: Page, at: number, deleted: number, inserted: string): Promise<void> =>
  page.evaluate((patch) => window.stage.model.remote(patch), { at, deleted, inserted });
const edits = (page: Page): Promise<unknown[]> =>
  page.evaluate(() => window.stage.model.told.filter(([kind]) => kind === 'edit' || kind === 'diff'));
const texts = (page: Page): Promise<[string, string]> =>
  page.evaluate(() => [window.stage.element.value, window.stage.model.text()]);

async function focus(page: Page, start: number, end = start): Promise<void> {
  await page.evaluate(([from, to]) => {
    window.stage.element.focus({ preventScroll: true });
    window.stage.element.setSelectionRange(from, to);
  }, [start, end] as const);
  await frame(page);
  await page.evaluate(() => void (window.stage.model.told = []));
}

/** The text with `|` at the caret or brackets around the selection. */
const shown = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const { value, selectionStart: start, selectionEnd: end } = window.stage.element;
    return value.slice(0, start) + (start === end ? '|' : `[${value.slice(start, end)}]`) + value.slice(end);
  });

describe('keys', () => {
  const table: [name: string, text: string, at: [number, number?], keys: string[], told: unknown[], shows: string][] = [
    ['a letter', 'ab', [1], ['x'], [['edit', 1, 0, 'x']], 'ax|b'],
    ['a letter among its like', 'aaaa', [2], ['a'], [['edit', 2, 0, 'a']], 'aaa|aa'],
    ['over a selection', 'abcd', [1, 3], ['x'], [['edit', 1, 2, 'x']], 'ax|d'],
    ['Enter', 'ab', [1], ['Enter'], [['edit', 1, 0, '\n']], 'a\n|b'],
    ['Enter at the end', 'ab', [2], ['Enter', 'x'], [['edit', 2, 0, '\n'], ['edit', 3, 0, 'x']], 'ab\nx|'],
    ['Backspace', 'abc', [2], ['Backspace'], [['edit', 1, 1, '']], 'a|c'],
    ['Backspace on an emoji', 'a😀', [3], ['Backspace'], [['edit', 1, 2, '']], 'a|'],
    ['Backspace on a family', 'x👨‍👩‍👧', [9], ['Backspace'], [['edit', 1, 8, '']], 'x|'],
    ['Delete', 'abc', [1], ['Delete'], [['edit', 1, 1, '']], 'a|c'],
    ['Delete a line end', 'a\nb', [1], ['Delete'], [['edit', 1, 1, '']], 'a|b'],
    ['a word backward', 'one two', [7], ['Control+Backspace'], [['edit', 4, 3, '']], 'one |'],
    ['a word forward', 'one two', [0], ['Control+Delete'], [['edit', 0, 3, '']], '| two'],
    ['everything', 'one two', [3], ['Control+a', 'Delete'], [['edit', 0, 7, '']], '|'],
    ['cut and paste', 'one two', [0, 4], ['Control+x', 'End', 'Control+v'], [['edit', 0, 4, ''], ['edit', 3, 0, 'one ']], 'twoone |'],
  ];
  for (const [name, text, [start, end], keys, told, shows] of table) {
    it(name, () =>
      theatre.play(async (page) => {
        await set(page, { text });
        await focus(page, start, end);
        for (const key of keys) await page.keyboard.press(key);
        assert.deepEqual(await edits(page), told);
        assert.equal(await shown(page), shows);
        const [seen, kept] = await texts(page);
        assert.equal(seen, kept);
      }, { permissions: ['clipboard-read', 'clipboard-write'] }),
    );
  }

  it('a paste with CRLF', () =>
    theatre.play(async (page) => {
      await set(page, { text: 'ab' });
      await focus(page, 1);
      await page.evaluate(() => {
        const data = new DataTransfer();
        data.setData('text/plain', 'x\r\ny\rz');
        const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- the one way for a script to edit as a person does
        if (window.stage.element.dispatchEvent(event)) document.execCommand('insertText', false, 'x\r\ny\rz');
      });
      const [seen, kept] = await texts(page);
      assert.equal(seen, 'ax\ny\nzb');
      assert.equal(kept, seen);
    }));

  it('a word dragged to another place', () =>
    theatre.play(async (page) => {
      await set(page, { text: 'one two three', css: 'font:20px monospace' });
      await focus(page, 0, 3);
      const box = await page.locator('textarea').boundingBox();
      assert.ok(box);
      const at = (column: number): [number, number] => [box.x + 17 + column * 12.04, box.y + 13 + 14];
      await page.mouse.move(...at(1.5));
      await page.mouse.down();
      await page.mouse.move(...at(9), { steps: 6 });
      await page.mouse.move(...at(13), { steps: 6 });
      await page.mouse.up();
      await frame(page);
      const [seen, kept] = await texts(page);
      assert.equal(seen.replaceAll(' ', ''), 'twothreeone');
      assert.equal(kept, seen);
    }));

  it('undo and redo are the model\'s, whatever the browser remembers', () =>
    theatre.play(async (page) => {
      await set(page, { text: 'one ' });
      await focus(page, 4);
      await page.keyboard.type('t');
      await remote(page, 0, 0, 'zero ');
      await page.keyboard.press('Control+Home');
      await page.keyboard.press('Control+z');
      assert.equal(await shown(page), 'zero one |');
      await page.keyboard.press('Control+z');
      assert.equal(await shown(page), 'zero one |');
      await page.keyboard.press('Control+Shift+z');
      assert.equal(await shown(page), 'zero one t|');
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- what the browser's own menu does
      await page.evaluate(() => document.execCommand('undo'));
      const [seen, kept] = await texts(page);
      assert.equal(seen, kept);
    }));

  it('undo out of sight scrolls there', () =>
    theatre.play(async (page) => {
      await set(page, { text: LONG });
      await focus(page, 0);
      await page.keyboard.type('x');
      await page.evaluate(() => (window.stage.element.scrollTop = 20_000));
      await page.keyboard.press('Control+z');
      assert.equal(await page.evaluate(() => window.stage.element.scrollTop), 0);
    }));

  for (const dear of [false, true]) {
    it(`two hundred keys while somebody else edits everywhere end in one text${dear ? ', also where every write is dear' : ''}`, () =>
      theatre.play(async (page) => {
        await set(page, { text: 'The beginning.\n\nThe end 😀.' });
        await focus(page, 15);
        if (dear) {
          await page.evaluate(() => {
            const now = performance.now.bind(performance);
            let reads = 0;
            performance.now = () => now() + 250 * (reads += 1);
          });
        }
        let typed = '';
        for (let i = 0; i < 200; i += 1) {
          const key = 'abc de'.charAt(i % 6);
          await page.keyboard.press(key === ' ' ? 'Space' : key);
          typed += key;
          if (i % 3 === 0) await remote(page, 0, 0, i % 2 ? '\n' : '😀');
          // Others write into the text that all have, which may be ahead of what this screen shows.
          if (i % 5 === 0) await page.evaluate(() => window.stage.model.remote({ at: window.stage.model.merged.length, deleted: 0, inserted: '.' }));
          if (i % 7 === 0) await page.evaluate(() => window.stage.model.remote({ at: window.stage.element.selectionStart, deleted: 0, inserted: '' }));
        }
        // After a dear write, what others do rests in the model for a while.
        await page.waitForFunction(() => window.stage.element.value === window.stage.model.merged);
        const [seen, kept] = await texts(page);
        assert.equal(seen, kept);
        assert.ok(seen.includes(typed));
        assert.ok((await edits(page)).every((told) => (told as string[])[0] === 'edit'));
      }));
  }
});

describe('an input method', () => {
  it('is not disturbed by others and makes one edit', () =>
    theatre.play(async (page, devtools) => {
      await set(page, { text: 'ab' });
      await focus(page, 1);
      for (const text of ['n', 'ni', 'ni h', 'ni hao']) {
        await devtools.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
        await remote(page, 0, 0, 'R');
        assert.equal(await page.evaluate(() => window.stage.element.value), `a${text}b`);
      }
      await devtools.send('Input.insertText', { text: '你好' });
      await page.waitForFunction(() => window.stage.element.value === 'RRRRa你好b');
      assert.equal(await shown(page), 'RRRRa你好|b');
      assert.deepEqual(await edits(page), [['edit', 1, 0, '你好']]);
      await page.keyboard.type('!');
      assert.equal(await shown(page), 'RRRRa你好!|b');
    }));

  it('cancelled leaves nothing', () =>
    theatre.play(async (page, devtools) => {
      await set(page, { text: 'ab' });
      await focus(page, 1);
      await devtools.send('Input.imeSetComposition', { text: 'ni', selectionStart: 2, selectionEnd: 2 });
      await remote(page, 2, 0, '!');
      await devtools.send('Input.imeSetComposition', { text: '', selectionStart: 0, selectionEnd: 0 });
      await page.waitForFunction(() => window.stage.element.value === 'ab!');
      assert.deepEqual(await edits(page), []);
    }));

  it('a remote edit in the same place waits and both stay', () =>
    theatre.play(async (page, devtools) => {
      await set(page, { text: 'ab' });
      await focus(page, 1);
      await devtools.send('Input.imeSetComposition', { text: 'に', selectionStart: 1, selectionEnd: 1 });
      await remote(page, 1, 0, 'XYZ');
      await remote(page, 0, 1, '');
      await devtools.send('Input.insertText', { text: '日' });
      await page.waitForFunction(() => window.stage.model.text() === window.stage.element.value && window.stage.element.value.includes('XYZ'));
      const [seen] = await texts(page);
      assert.equal(Array.from(seen).sort().join(''), 'XYZb日');
    }));

  it('losing the focus ends it', () =>
    theatre.play(async (page, devtools) => {
      await set(page, { text: '' });
      await focus(page, 0);
      await devtools.send('Input.imeSetComposition', { text: 'wor', selectionStart: 3, selectionEnd: 3 });
      await page.evaluate(() => window.stage.element.blur());
      await page.waitForFunction(() => window.stage.model.told.some(([kind]) => kind === 'release'));
      const [seen, kept] = await texts(page);
      assert.equal(seen, kept);
    }));
});

describe('scrolling', () => {
  const middle = async (page: Page): Promise<string> => {
    await set(page, { text: LONG });
    await page.evaluate(() => (window.stage.element.scrollTop = 30_011));
    await frame(page);
    return page.evaluate(() => window.stage.topLine());
  };
  const above: [string, number, number, string][] = [
    ['a word', 10, 0, 'word '],
    ['ten lines', 0, 0, 'new\n'.repeat(10)],
    ['a deletion of many lines', 100, 9_000, ''],
    ['a long paragraph', 500, 0, `${'word '.repeat(400)}\n`],
  ];
  for (const [name, at, deleted, inserted] of above) {
    it(`${name} above keeps the first visible line where it is`, () =>
      theatre.play(async (page) => {
        const line = await middle(page);
        await remote(page, at, deleted, inserted);
        await frame(page);
        assert.equal(await page.evaluate(() => window.stage.topLine()), line);
      }));
  }

  it('several changes of one frame above count together', () =>
    theatre.play(async (page) => {
      const line = await middle(page);
      await page.evaluate(() => {
        for (const at of [0, 20_000, 500]) window.stage.model.remote({ at, deleted: 0, inserted: 'new\nlines\n' });
      });
      await page.waitForFunction(() => window.stage.element.value === window.stage.model.merged);
      await frame(page);
      assert.equal(await page.evaluate(() => window.stage.topLine()), line);
    }));

  it('who scrolls before the frame is drawn goes on from there', () =>
    theatre.play(async (page) => {
      await middle(page);
      const line = await page.evaluate(async () => {
        window.stage.element.scrollTop += 300;
        await window.stage.frame();
        const found = window.stage.topLine();
        window.stage.element.scrollTop -= 300;
        await window.stage.frame();
        window.stage.model.remote({ at: 0, deleted: 0, inserted: 'new\n'.repeat(10) });
        window.stage.element.scrollTop += 300;
        await window.stage.frame();
        return found;
      });
      assert.equal(await page.evaluate(() => window.stage.topLine()), line);
    }));

  it('at the very end, lines taken away above leave the last lines where they are', () =>
    theatre.play(async (page) => {
      await middle(page);
      await page.evaluate(() => (window.stage.element.scrollTop = 1e9));
      await frame(page);
      const line = await page.evaluate(() => window.stage.topLine());
      await remote(page, 100, 9_000, '');
      await frame(page);
      assert.equal(await page.evaluate(() => window.stage.topLine()), line);
    }));

  it('what is typed before the frame is drawn finds the view where it was', () =>
    theatre.play(async (page) => {
      const line = await middle(page);
      await page.evaluate(async () => {
        const { element, model } = window.stage;
        const box = element.getBoundingClientRect();
        const caret = window.stage.offsetAt(box.left + 40, box.top + 100) ?? 0;
        element.focus({ preventScroll: true });
        element.setSelectionRange(caret, caret);
        await window.stage.frame();
        model.remote({ at: 0, deleted: 0, inserted: 'new\n'.repeat(10) });
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- the one way for a script to edit as a person does
        document.execCommand('insertText', false, 'x');
        await window.stage.frame();
      });
      assert.equal(await page.evaluate(() => window.stage.topLine()), line);
      const [seen, kept] = await texts(page);
      assert.equal(seen, kept);
    }));

  it('the browser lays out what others write when it draws, and is not asked to before', () =>
    theatre.play(async (page) => {
      await middle(page);
      await page.evaluate(() => window.stage.model.point(window.stage.person(1, 'Ada'), { anchor: 9, head: 9 }));
      await remote(page, 0, 0, 'The first change makes the copy that is measured.\n');
      await frame(page);
      await page.waitForFunction(() => window.stage.model.told.findLast(([kind]) => /hold|release/.test(kind))?.[0] !== 'hold');
      const browser = page.context().browser();
      await browser?.startTracing(page, { categories: CATEGORIES });
      await page.evaluate(async () => {
        const { element, model } = window.stage;
        performance.mark('begin');
        for (const at of [0, 60_000, 500]) model.remote({ at, deleted: 0, inserted: 'new\nlines\n' });
        do await window.stage.frame();
        while (element.value !== model.merged);
        await window.stage.frame();
        performance.mark('end');
      });
      const trace = await browser?.stopTracing();
      assert.ok(trace);
      const [layouts] = layoutsIn(trace, 'begin', 'end', '');
      assert.ok(layouts && layouts.own > 0);
      assert.equal(layouts.forced, 0);
    }));

  it('an edit below or in view does not scroll', () =>
    theatre.play(async (page) => {
      await middle(page);
      for (const at of [LONG.length, 110_000]) await remote(page, at, 0, 'more\n'.repeat(5));
      await frame(page);
      assert.equal(await page.evaluate(() => window.stage.element.scrollTop), 30_011);
    }));

  it('at the very top new text pushes down and the view stays at the top', () =>
    theatre.play(async (page) => {
      await set(page, { text: LONG });
      await remote(page, 0, 0, 'new\n');
      await frame(page);
      assert.equal(await page.evaluate(() => window.stage.element.scrollTop), 0);
    }));

  it('the caret far away and the focus in another box stay theirs', () =>
    theatre.play(async (page) => {
      await set(page, { text: LONG });
      await focus(page, 50, 40);
      await page.evaluate(() => {
        window.stage.element.setSelectionRange(40, 50, 'backward');
        window.stage.element.scrollTop = 20_000;
        const other = document.body.appendChild(document.createElement('input'));
        other.focus({ preventScroll: true });
      });
      await frame(page);
      const line = await page.evaluate(() => window.stage.topLine());
      await remote(page, 0, 0, 'x\n'.repeat(3));
      await frame(page);
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'INPUT');
      assert.equal(await page.evaluate(() => window.stage.topLine()), line);
      assert.deepEqual(
        await page.evaluate(() => {
          const { selectionStart, selectionEnd, selectionDirection } = window.stage.element;
          return [selectionStart, selectionEnd, selectionDirection];
        }),
        [46, 56, 'backward'],
      );
    }));

  it('a sideways scrolled text stays so', () =>
    theatre.play(async (page) => {
      await set(page, { text: `${'long '.repeat(100)}\nshort`, attributes: { wrap: 'off' } });
      await page.evaluate(() => (window.stage.element.scrollLeft = 300));
      await remote(page, 0, 0, 'x');
      await frame(page);
      assert.equal(await page.evaluate(() => window.stage.element.scrollLeft), 300);
    }));
});

describe('around the textarea', () => {
  it('a reset form and a reloaded page do not bring an old text back', () =>
    theatre.play(async (page) => {
      await set(page, { text: 'shared' });
      await page.evaluate(() => {
        const form = document.createElement('form');
        window.stage.element.before(form);
        form.append(window.stage.element);
        form.reset();
      });
      await page.waitForFunction(() => window.stage.element.value === 'shared');
      assert.deepEqual(await edits(page), []);
      assert.equal(await page.locator('textarea').getAttribute('autocomplete'), 'off');
    }));

  it('a read-only text takes no keys', () =>
    theatre.play(async (page) => {
      await set(page, { text: 'shared' });
      await page.evaluate(() => {
        window.stage.model.readOnly = true;
        window.stage.binding?.refresh();
      });
      await focus(page, 3);
      await page.keyboard.type('x');
      await page.keyboard.press('Backspace');
      assert.deepEqual(await edits(page), []);
      await remote(page, 0, 0, 'still ');
      assert.equal((await texts(page))[0], 'still shared');
    }));

  it('works in a frame and in a shadow root', () =>
    theatre.play(async (page) => {
      await set(page, { text: 'ab' });
      await page.evaluate(() => {
        const host = document.body.appendChild(document.createElement('div'));
        host.attachShadow({ mode: 'open' }).append(window.stage.element);
      });
      await focus(page, 1);
      await page.keyboard.type('x');
      assert.deepEqual(await edits(page), [['edit', 1, 0, 'x']]);
    }));
});
