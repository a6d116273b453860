/** Where carets and selections are drawn, held against where the browser's own hit test finds that character. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BrowserContextOptions } from 'playwright-core';
import { Theatre } from './browser.js';
import type { Scene } from './stage.js';

const theatre = new Theatre();
before(() => theatre.open());
after(() => theatre.close());

const PROSE =
  'When several people write in one text, each of them wants to see where the others are.\n' +
  'A caret that stands one line too low is worse than none.\n\n' +
  'Short.\n\n\nThe quick brown fox jumps over the lazy dog while the five boxing wizards jump quickly over it again. ' +
  'Pack my box with five dozen liquor jugs.\n';
const HEBREW = 'כשכמה אנשים כותבים בטקסט אחד כל אחד מהם רוצה לראות היכן האחרים נמצאים עכשיו\nשורה קצרה\n\nסוף';

/** Every offset that is not inside a surrogate pair, thinned out to about `count`. */
function offsets(text: string, count = 60): number[] {
  const all = [...Array(text.length + 1).keys()].filter((offset) => !/[\udc00-\udfff]/.test(text[offset] ?? ''));
  const step = Math.max(1, Math.floor(all.length / count));
  return all.filter((_, index) => index % step === 0 || index > all.length - 4);
}

interface Case extends Scene {
  name: string;
  context?: BrowserContextOptions;
  /** Which side of the caret is probed: a hit exactly on the border may go either way. */
  nudge?: number;
  only?: number[];
}

const cases: Case[] = [
  { name: 'wrapped prose', text: PROSE },
  { name: 'a narrow column of a fractional width', text: PROSE, css: 'width:33.37%;min-width:0', box: 'width:611.3px' },
  { name: 'a border-box with thick borders', text: PROSE, css: 'box-sizing:border-box;border-width:7px;padding:3px 21px' },
  { name: 'a monospaced font, letter and word spacing', text: PROSE, css: 'font-family:monospace;letter-spacing:.7px;word-spacing:3px' },
  { name: 'justified text', text: PROSE, css: 'text-align:justify' },
  { name: 'centred text', text: PROSE, css: 'text-align:center' },
  { name: 'css zoom', text: PROSE, box: 'zoom:1.37' },
  { name: 'a scaled box', text: PROSE, box: 'transform:scale(1.21);transform-origin:0 0' },
  { name: 'a screen of 1.5 pixels per pixel', text: PROSE, context: { deviceScaleFactor: 1.5 } },
  { name: 'tab characters', text: '\ta\tbc\tdef\n\t\tx\nab\t\ty\t', css: 'tab-size:4;font-family:monospace' },
  { name: 'a long unbroken word', text: `a ${'x'.repeat(160)} b\n${'y'.repeat(90)}` },
  { name: 'line ends only', text: '\n\n\n' },
  { name: 'an empty text', text: '' },
  { name: 'line ends at the end', text: 'one\ntwo\n\n' },
  { name: 'emoji', text: 'a😀b👍🏽c 😀😀 d\n😀', only: [0, 1, 3, 4, 8, 9, 10, 12, 14, 15, 16, 17, 19] },
  { name: 'lines that never wrap', text: PROSE, attributes: { wrap: 'off' } },
  { name: 'right-to-left text', text: HEBREW, attributes: { dir: 'rtl' }, nudge: -0.3 },
  { name: 'right-to-left text by itself', text: HEBREW, attributes: { dir: 'auto' }, nudge: -0.3 },
  { name: 'more text than fits, scrolled', text: PROSE.repeat(12), css: 'height:120px' },
];

describe('a remote caret stands where the browser finds its character', () => {
  for (const { name, context, nudge, only, ...scene } of cases) {
    it(name, () =>
      theatre.play(async (page) => {
        await page.emulateMedia({ reducedMotion: 'reduce' });
        await page.evaluate((given) => window.stage.set(given), scene);
        const probed = await page.evaluate(
          ([wanted, side]) => window.stage.probe(wanted, side),
          [only ?? offsets(scene.text), nudge ?? 0.3] as const,
        );
        for (const { offset, found, x, y } of probed) {
          const around = JSON.stringify(`${scene.text.slice(offset - 8, offset)}|${scene.text.slice(offset, offset + 8)}`);
          assert.equal(found, offset, `${around} drawn at ${x.toFixed(1)}, ${y.toFixed(1)}`);
        }
      }, context),
    );
  }

  it('with a real scroll bar', async () => {
    const barred = new Theatre();
    await barred.open({ scrollBars: true });
    try {
      await barred.play(async (page) => {
        await page.emulateMedia({ reducedMotion: 'reduce' });
        const text = PROSE.repeat(6);
        for (const dir of ['ltr', 'rtl']) {
          await page.evaluate((given) => window.stage.set(given), { text, attributes: { dir }, css: 'width:301.5px' });
          assert.ok(await page.evaluate(() => window.stage.element.offsetWidth - window.stage.element.clientWidth > 8));
          const probed = await page.evaluate((wanted) => window.stage.probe(wanted), offsets(text, 30));
          if (dir === 'ltr') for (const { offset, found } of probed) assert.equal(found, offset);
        }
      });
    } finally {
      await barred.close();
    }
  });
});

/** Where the drawn caret is now, by the browser's own hit test. */
const drawn = (): number | null => {
  const [rect] = window.stage.rects('.caret');
  return rect ? window.stage.offsetAt(rect.left + rect.width / 2 + 0.3, rect.top + rect.height / 2) : null;
};

describe('the drawing follows', () => {
  const ada = { session: 7, user: 'g_ada', name: 'Ada', color: 3 };
  const changes: [string, () => void][] = [
    ['a new width', () => (window.stage.element.style.width = '233px')],
    ['a larger font', () => (window.stage.element.style.font = '23px/1.4 serif')],
    ['a font set from outside', () => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync('html.big textarea { font-size: 21px !important }');
      document.adoptedStyleSheets = [sheet];
      document.documentElement.className = 'big';
    }],
    ['something that pushes the textarea down', () => {
      const block = document.createElement('p');
      block.style.height = '70px';
      window.stage.element.before(block);
    }],
    ['scrolling', () => (window.stage.element.scrollTop = 40)],
    ['text typed above', () => window.stage.model.remote({ at: 0, deleted: 0, inserted: 'one more line\nand ' })],
    ['a paragraph cut away above', () => window.stage.model.remote({ at: 0, deleted: 87, inserted: '' })],
  ];
  for (const [name, change] of changes) {
    it(name, () =>
      theatre.play(async (page) => {
        await page.evaluate((text) => window.stage.set({ text }), PROSE);
        await page.evaluate((person) => window.stage.model.point(person, { anchor: 150, head: 150 }), ada);
        await page.evaluate(() => window.stage.frame());
        assert.equal(await page.evaluate(drawn), 150);
        await page.evaluate(change);
        await page.evaluate(() => window.stage.frame());
        const head = await page.evaluate(() => window.stage.model.remotes[0]?.ranges[0]?.head);
        assert.equal(await page.evaluate(drawn), head);
      }),
    );
  }

  it('what an input method composes before it, and its end', () =>
    theatre.play(async (page, devtools) => {
      await page.evaluate((text) => window.stage.set({ text }), PROSE);
      await page.evaluate((person) => window.stage.model.point(person, { anchor: 30, head: 30 }), ada);
      await page.evaluate(() => {
        window.stage.element.focus();
        window.stage.element.setSelectionRange(10, 10);
      });
      await page.evaluate(() => window.stage.frame());
      for (const text of ['n', 'ni', 'ni hao ni hao ni hao']) {
        await devtools.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
        await page.evaluate(() => window.stage.frame());
        assert.equal(await page.evaluate(drawn), 30 + text.length);
      }
      await devtools.send('Input.insertText', { text: '你好' });
      await page.evaluate(() => window.stage.frame());
      assert.equal(await page.evaluate(drawn), 32);
      assert.equal(await page.evaluate(() => window.stage.root?.querySelector('.mirror')?.textContent), await page.evaluate(() => window.stage.element.value));
    }));

  it('a window that is zoomed by the person', () =>
    theatre.play(async (page, devtools) => {
      await page.evaluate((text) => window.stage.set({ text, css: 'width:40vw' }), PROSE);
      await page.evaluate((person) => window.stage.model.point(person, { anchor: 150, head: 150 }), ada);
      for (const factor of [1.1, 1.5, 0.8]) {
        await devtools.send('Emulation.setDeviceMetricsOverride', {
          width: Math.round(900 / factor), height: Math.round(700 / factor), deviceScaleFactor: factor, mobile: false,
        });
        await page.evaluate(() => window.stage.frame());
        assert.equal(await page.evaluate(drawn), 150, `at ${factor}`);
      }
    }));
});

describe('people', () => {
  it('a selection covers the selected characters of every visible line, and no others', () =>
    theatre.play(async (page) => {
      await page.evaluate((text) => window.stage.set({ text }), PROSE);
      const [start, end] = [20, 160];
      await page.evaluate(
        ([anchor, head]) => window.stage.model.point(window.stage.person(2, 'Grace'), { anchor, head }),
        [end, start] as const,
      );
      await page.evaluate(() => window.stage.frame());
      const seen = await page.evaluate(() =>
        window.stage.rects('.selection').map((box) => {
          const middle = box.top + box.height / 2;
          return [window.stage.offsetAt(box.left + 0.5, middle), window.stage.offsetAt(box.right - 0.5, middle)];
        }),
      );
      const covered = new Set<number>();
      for (const [from, to] of seen) for (let offset = from ?? 0; offset < (to ?? 0); offset += 1) covered.add(offset);
      for (let offset = start; offset < end; offset += 1) {
        // Line ends and the space a line breaks at have no width of their own.
        if (!/\s/.test(PROSE[offset] ?? '')) assert.ok(covered.has(offset), `character ${offset} is not covered`);
      }
      for (const offset of covered) assert.ok(offset >= start && offset < end, `character ${offset} is covered`);
      const opacity = await page.evaluate(() => {
        const part = window.stage.root?.querySelector('.selection');
        return part && getComputedStyle(part).opacity;
      });
      assert.equal(opacity, '0.18');
    }));

  it('a name is text, shows for two seconds, comes back by moving and by the pointer', () =>
    theatre.play(async (page) => {
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await page.clock.install();
      await page.evaluate((text) => window.stage.set({ text }), PROSE);
      const name = '<img src=x onerror=alert(1)>';
      const point = (head: number): Promise<void> =>
        page.evaluate(([given, at]) => window.stage.model.point(window.stage.person(2, given), { anchor: at, head: at }), [name, head] as const);
      const flag = (): Promise<string | null | undefined> =>
        page.evaluate(() => {
          const part = window.stage.root?.querySelector('.flag');
          return part && getComputedStyle(part).opacity === '1' ? part.textContent : null;
        });
      // What is drawn is drawn in a frame, for which a clock that stands does not wait.
      const pass = async (ms: number): Promise<void> => {
        await page.clock.runFor(ms);
        await page.evaluate(() => new Promise<void>((done) => new ResizeObserver(() => done()).observe(document.body)));
      };
      await point(10);
      await pass(100);
      assert.equal(await flag(), name);
      await pass(2_100);
      assert.equal(await flag(), null);
      await page.evaluate(() => window.stage.model.remote({ at: 0, deleted: 0, inserted: 'abc' }));
      await pass(100);
      assert.equal(await flag(), null, 'carried along by others is not a move');
      await point(20);
      await pass(100);
      assert.equal(await flag(), name);
      await pass(2_100);
      assert.equal(await flag(), null);
      const [x, y] = await page.evaluate(() => {
        const [rect] = window.stage.rects('.caret');
        return [rect?.left ?? 0, (rect?.top ?? 0) + 5] as const;
      });
      await page.mouse.move(x + 3, y);
      await pass(100);
      assert.equal(await flag(), name);
    }));

  it('flags stay inside the textarea at its top and right edge', () =>
    theatre.play(async (page) => {
      await page.evaluate(() => window.stage.set({ text: 'x'.repeat(200), css: 'font-family:monospace' }));
      for (const head of [0, 35, 38, 76]) {
        await page.evaluate((at) => window.stage.model.point(window.stage.person(1, 'A rather long name'), { anchor: at, head: at }), head);
        await page.evaluate(() => window.stage.frame());
        const [flag, box] = await page.evaluate(() => [window.stage.rects('.flag')[0], window.stage.element.getBoundingClientRect()]);
        assert.ok(flag && flag.left >= box.left && flag.right <= box.right && flag.top >= box.top, `flag of the caret at ${head}`);
      }
    }));

  it('colours come from the page, else from the ring', () =>
    theatre.play(async (page) => {
      await page.evaluate(() => {
        window.stage.set({ text: 'abc' });
        document.documentElement.style.setProperty('--concord-person-4', 'rgb(1, 2, 3)');
        window.stage.model.point(window.stage.person(4, 'Own'), { anchor: 0, head: 0 });
        window.stage.model.point(window.stage.person(5, 'Ring'), { anchor: 1, head: 1 });
      });
      await page.evaluate(() => window.stage.frame());
      const colors = await page.evaluate(() =>
        [...(window.stage.root?.querySelectorAll('.caret') ?? [])].map((caret) => getComputedStyle(caret).backgroundColor),
      );
      assert.deepEqual(colors, ['rgb(1, 2, 3)', 'oklch(0.55 0.13 175)']);
    }));

  it('the drawing is hidden from assistive technology, takes no clicks and goes with the binding', () =>
    theatre.play(async (page) => {
      await page.evaluate((text) => window.stage.set({ text }), PROSE);
      await page.evaluate(() => window.stage.model.point(window.stage.person(1, 'Ada'), { anchor: 0, head: 100 }));
      await page.evaluate(() => window.stage.frame());
      const host = page.locator('[data-concord-people]');
      assert.equal(await host.getAttribute('aria-hidden'), 'true');
      const hit = await page.evaluate(() => {
        const [rect] = window.stage.rects('.selection');
        return document.elementFromPoint((rect?.left ?? 0) + 5, (rect?.top ?? 0) + 5)?.tagName;
      });
      assert.equal(hit, 'TEXTAREA');
      await page.evaluate(() => window.stage.binding?.destroy());
      assert.equal(await host.count(), 0);
    }));

  it('somebody out of sight is scrolled to', () =>
    theatre.play(async (page) => {
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await page.evaluate((text) => window.stage.set({ text }), PROSE.repeat(40));
      await page.evaluate(() => window.stage.model.point(window.stage.person(1, 'Ada'), { anchor: 9_000, head: 9_000 }));
      assert.equal(await page.evaluate(() => window.stage.binding?.scrollTo(1)), true);
      assert.equal(await page.evaluate(() => window.stage.binding?.scrollTo(2)), false);
      await page.evaluate(() => window.stage.frame());
      assert.equal(await page.evaluate(drawn), 9_000);
    }));

  it('whoever leaves is gone', () =>
    theatre.play(async (page) => {
      await page.evaluate(() => {
        window.stage.set({ text: 'abc' });
        window.stage.model.point(window.stage.person(1, 'Ada'), { anchor: 1, head: 1 });
      });
      await page.evaluate(() => window.stage.frame());
      assert.equal(await page.evaluate(() => window.stage.rects('.caret').length), 1);
      await page.evaluate(() => window.stage.model.point(window.stage.person(1, 'Ada')));
      await page.evaluate(() => window.stage.frame());
      assert.equal(await page.evaluate(() => window.stage.rects('.caret').length), 0);
    }));
});

/** A text that is laid out over several frames. */
const laidOut = (): boolean => window.stage.rects('.caret').length > 0;

describe('a text of 100 KB', () => {
  it('is laid out over several frames, also while it changes', () =>
    theatre.play(async (page) => {
      const text = PROSE.repeat(Math.ceil(300_000 / PROSE.length));
      await page.evaluate((given) => window.stage.set({ text: given }), text);
      await page.evaluate(() => window.stage.model.point(window.stage.person(7, 'Ada'), { anchor: 150, head: 150 }));
      for (let i = 0; i < 6; i += 1) {
        await page.evaluate(() => window.stage.frame());
        await page.evaluate((inserted) => {
          window.stage.model.remote({ at: 20, deleted: 10, inserted }, { at: 200_000, deleted: 9_000, inserted }, { at: 250_000, deleted: 0, inserted });
        }, `more\n${PROSE.repeat(30)}`);
      }
      await page.waitForFunction(laidOut);
      // A write into so long a text is dear: what came after it has waited.
      await page.waitForFunction(() => window.stage.model.merged === window.stage.element.value);
      await page.evaluate(() => window.stage.frame());
      const [mirrored, value] = await page.evaluate(() => [
        [...(window.stage.root?.querySelectorAll('.mirror > div') ?? [])].map((piece) => piece.textContent).join('\n'),
        window.stage.model.text(),
      ]);
      assert.equal(mirrored, value);
      await page.emulateMedia({ reducedMotion: 'reduce' });
      const [probed] = await page.evaluate(() => window.stage.probe([260_000]));
      assert.equal(probed?.found, 260_000);
    }));

  it('lays out one piece per keystroke, not the document', () =>
    theatre.play(async (page) => {
      const text = PROSE.repeat(Math.ceil(100_000 / PROSE.length));
      await page.evaluate((given) => window.stage.set({ text: given }), text);
      await page.evaluate(() => window.stage.model.point(window.stage.person(1, 'Ada'), { anchor: 60_000, head: 60_040 }));
      await page.waitForFunction(laidOut);
      const { pieces, touched } = await page.evaluate(() =>
        window.stage.touched(() => {
          for (let i = 0; i < 20; i += 1) window.stage.model.remote({ at: 50_000 + i, deleted: 0, inserted: 'x' });
        }),
      );
      assert.ok(pieces > 30, `${pieces} pieces`);
      assert.equal(touched, 1);
    }));

  it('a selection of everything draws what is in view', () =>
    theatre.play(async (page) => {
      const text = PROSE.repeat(Math.ceil(100_000 / PROSE.length));
      await page.evaluate((given) => window.stage.set({ text: given }), text);
      await page.evaluate((end) => window.stage.model.point(window.stage.person(1, 'Ada'), { anchor: 0, head: end }), text.length);
      await page.waitForFunction(laidOut);
      const boxes = await page.evaluate(() => window.stage.rects('.selection').length);
      assert.ok(boxes > 5 && boxes < 60, `${boxes} boxes`);
    }));
});
