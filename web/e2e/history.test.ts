// The history view with a real server: slider, playing, authors, versions, differences, restoring, what is new to me.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { assertAccessible } from './harness/axe';
import { openWindow, until, watchFaults } from './harness/browser';
import { makeDocument, openTab, saved, setCaret, textOf, textarea, type } from './harness/editor';
import { commit, idOf, numbers, seekAndWait, typing } from './harness/history';
import { prepareStage } from './harness/stage';

const stage = prepareStage(['--submissions-per-s', '100000', '--submissions-burst', '100000']);

const FIRST = 'The river does not hurry, and it does not forget.\n';
const SECOND = 'Every spring it returns the fence posts of three farms.\n';

interface Scene {
  address: string;
  id: string;
  ada: { page: Page; faults: string[] };
  ben: { page: Page; faults: string[] };
}

/** Somebody with a name and a window. */
async function person(name: string, color: number, options: BrowserContextOptions = {}) {
  const { context, page } = await openWindow(stage.browser, options);
  const faults = watchFaults(page);
  await page.goto(stage.server.url);
  await context.request.put(`${stage.server.url}/api/me`, { data: { name, color }, headers: { origin: stage.server.url } });
  return { context, page, faults };
}

/** A document in which Ada wrote one sentence and Ben a second one, letter by letter; then `play`. */
async function withPast(play: (scene: Scene) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
  const ada = await person('Ada', 1, options);
  const ben = await person('Ben', 5);
  try {
    const address = await makeDocument(stage.server.url, { title: 'What the river keeps' });
    const id = idOf(address);
    await commit(ada.page, id, typing(FIRST, 0, 0));
    await commit(ben.page, id, typing(SECOND, FIRST.length, FIRST.length));
    await play({ address, id, ada, ben });
    assert.deepEqual([...ada.faults, ...ben.faults], []);
  } finally {
    await ada.context.close();
    await ben.context.close();
  }
}

const HEAD = FIRST.length + SECOND.length;
const slider = (page: Page) => page.getByRole('slider', { name: 'Moment of the history' });
const pastText = (page: Page) => page.getByRole('region', { name: /^Text at revision/ });
/** The text of the shown lines; one element per line. */
const shownText = (page: Page): Promise<string> =>
  page.locator('.history-text').evaluate((element) => [...element.querySelectorAll('[data-block] > *')].map((line) => line.textContent).join('\n'));
const valueText = (page: Page) => slider(page).getAttribute('aria-valuetext');

async function openHistory(page: Page, address: string, search = 'history'): Promise<void> {
  await page.goto(`${address}?${search}`);
  await slider(page).waitFor();
  await until('the slider can be moved', () => slider(page).isEnabled());
}

const shows = (page: Page, text: string) => until(`it shows ${JSON.stringify(text.slice(-40))}`, async () => (await shownText(page).catch(() => null)) === text);

async function fits(page: Page, what: string): Promise<void> {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${what} is ${overflow} px too wide`);
}

const TEXT_MAX = 100_000;

/** Edits all over a text that grows to about 100,000 characters, in parts; each part ends with the text at its revision. */
function* longHistory(revisions: number): Generator<{ operations: (number | string)[][]; revision: number; text: string }> {
  const next = numbers(1);
  const words = ['river ', 'bell ', 'map\n', 'ferry ', 'snow, ', 'boat.\n', 'spring '];
  const share = Math.max(1, Math.ceil(TEXT_MAX / revisions / 6));
  let text = '';
  let operations: (number | string)[][] = [];
  for (let revision = 1; revision <= revisions; revision += 1) {
    const at = next(text.length + 1);
    const shrinks = text.length > 20 && (text.length > TEXT_MAX || next(5) === 0);
    const gone = shrinks ? Math.min(text.length - at, 1 + next(8)) : 0;
    const made = gone > 0 ? '' : Array.from({ length: 1 + next(2 * share) }, () => words[next(words.length)]).join('');
    const rest = text.length - at - gone;
    operations.push([...(at > 0 ? [at] : []), ...(gone > 0 ? [-gone] : []), ...(made ? [made] : []), ...(rest > 0 ? [rest] : [])]);
    text = text.slice(0, at) + made + text.slice(at + gone);
    if (operations.length < 10_000 && revision < revisions) continue;
    yield { operations, revision, text };
    operations = [];
  }
}

describe('the history', () => {
  it('opens from the menu, the palette and by a key, and leads back', () =>
    withPast(async ({ address, ada: { page } }) => {
      await page.goto(address);
      await until('it can be written', () => textarea(page).isEditable());
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('menuitem', { name: /^History/ }).click();
      await shows(page, FIRST + SECOND);
      assert.equal(await page.title(), 'History of What the river keeps · Concord');
      await page.goBack();
      await until('the editor is back', () => textarea(page).isEditable());
      assert.equal(await textOf(page), FIRST + SECOND);
      await page.keyboard.press('Alt+Shift+h');
      await slider(page).waitFor();
      await page.keyboard.press('Escape');
      await until('the editor is back', () => textarea(page).isEditable());
      await page.keyboard.press('Control+k');
      await page.getByRole('option', { name: 'History of this document' }).click();
      await slider(page).waitFor();
      await page.getByRole('button', { name: 'Back to the document' }).click();
      await until('the editor is back', () => textarea(page).isEditable());
      await setCaret(page, 0);
      await type(page, 'x');
      await saved(page);
      assert.equal(await textOf(page), `x${FIRST}${SECOND}`);
    }));

  it('takes a key that goes to the editor under it in the moment it appears', () =>
    withPast(async ({ address, ada: { page } }) => {
      await page.goto(address);
      await until('it can be written', () => textarea(page).isEditable());
      // The second time, its past is there at once.
      await page.keyboard.press('Alt+Shift+h');
      await slider(page).waitFor();
      await page.getByRole('button', { name: 'Back to the document' }).click();
      await textarea(page).focus();
      // The editor holds the focus until the next frame, at times not as long: the key goes to it either way.
      await textarea(page).evaluate((editor) => {
        const moment = new MutationObserver(() => {
          if (!document.querySelector('[aria-label="Moment of the history"]')) return;
          moment.disconnect();
          const escape = new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true });
          document.documentElement.dataset.escape = editor.dispatchEvent(escape) ? 'missed' : 'taken';
        });
        moment.observe(document.body, { childList: true, subtree: true });
      });
      const escape = () => page.evaluate(() => document.documentElement.dataset.escape);
      await page.keyboard.press('Alt+Shift+h');
      await until('the key was sent', async () => (await escape()) !== undefined);
      assert.equal(await escape(), 'taken', 'the history took the key');
      await until('the editor is back', () => textarea(page).isVisible());
      assert.equal(new URL(page.url()).search, '');
    }));

  it('leads back to the line one was reading and the place one was writing at', () =>
    withPast(async ({ address, id, ada: { page }, ben }) => {
      await page.goto(address);
      await until('it can be written', () => textarea(page).isEditable());
      const lines = 'A line to scroll by.\n'.repeat(200);
      await setCaret(page, HEAD);
      await page.keyboard.insertText(lines);
      await saved(page);
      await setCaret(page, 40, 45);
      await textarea(page).evaluate((element) => (element.scrollTop = 900));
      const place = () => textarea(page).evaluate((element: HTMLTextAreaElement) => [element.scrollTop, element.value.slice(element.selectionStart, element.selectionEnd), document.activeElement === element]);
      const before = await place();
      assert.equal(before[0], 900);
      await page.keyboard.press('Alt+Shift+h');
      await slider(page).waitFor();
      await page.keyboard.press('Escape');
      await until('the editor is back', () => textarea(page).isEditable());
      await until('it is where it was', async () => JSON.stringify(await place()) === JSON.stringify(before));
      // What others write meanwhile moves the place along.
      await page.keyboard.press('Alt+Shift+h');
      await slider(page).waitFor();
      await commit(ben.page, id, [['Hear, hear! ', HEAD + lines.length]]);
      await until('it is in the history', async () => (await shownText(page)).startsWith('Hear, hear! '));
      await page.keyboard.press('Escape');
      await until('it is where it was, with what is new', async () => (await textOf(page)).startsWith('Hear, hear! ') && JSON.stringify(await place()) === JSON.stringify(before));
    }));

  it('moves by keys over every revision, and says where it stands', () =>
    withPast(async ({ address, ada: { page } }) => {
      await openHistory(page, address);
      await shows(page, FIRST + SECOND);
      assert.match((await valueText(page)) ?? '', new RegExp(`^Revision ${HEAD} of ${HEAD}, Ben, \\d+ \\w+ \\d+:\\d\\d$`));
      await until('the slider has the focus', () => slider(page).evaluate((element) => element === document.activeElement));
      await page.keyboard.press('Home');
      await page.getByText('Nothing was written yet.').waitFor();
      assert.equal(await valueText(page), `Revision 0 of ${HEAD}, before the first change`);
      for (let n = 0; n < 3; n += 1) await page.keyboard.press('ArrowRight');
      await shows(page, 'The');
      assert.match((await valueText(page)) ?? '', /^Revision 3 of 106, Ada \(you\), /);
      await page.keyboard.press('ArrowLeft');
      await shows(page, 'Th');
      // Also where the focus is in the text.
      await pastText(page).focus();
      await page.keyboard.press('ArrowRight');
      await shows(page, 'The');
      await slider(page).focus();
      await page.keyboard.press('End');
      await shows(page, FIRST + SECOND);
      await slider(page).fill('20');
      await until('the address names it', () => new URL(page.url()).search === '?history=20');
      await page.reload();
      await shows(page, FIRST.slice(0, 20));
    }));

  it('colours the text by who wrote it', () =>
    withPast(async ({ address, ada: { page } }) => {
      await openHistory(page, address);
      await shows(page, FIRST + SECOND);
      const authored = page.locator('.authored');
      await until('both are coloured', async () => (await authored.count()) === 2);
      assert.deepEqual(await authored.allTextContents(), [FIRST.trim(), SECOND.trim()]);
      const styles = await authored.evaluateAll((spans) => spans.map((span) => span.getAttribute('style')));
      assert.deepEqual(styles, ['--author: var(--concord-person-1);', '--author: var(--concord-person-5);']);
      const legend = page.getByRole('list', { name: 'Authors' });
      assert.deepEqual(await legend.getByRole('button').allInnerTexts().then((all) => all.map((one) => one.replace(/\s+/g, ' '))), ['Ben 53 %', 'Ada (you) 47 %']);
      await legend.getByRole('button', { name: /Ben/ }).click();
      await until('only his stands out', async () => (await page.locator('.authored[data-chosen]').allTextContents()).join() === SECOND.trim());
      await assertAccessible(page, 'one author alone');
      await legend.getByRole('button', { name: /Ben/ }).click();
      await slider(page).fill('30');
      await until('hers alone', async () => (await authored.count()) === 1);
    }));

  it('plays to the end, and pauses by the space bar', () =>
    withPast(async ({ address, ada: { page } }) => {
      await openHistory(page, address);
      await shows(page, FIRST + SECOND);
      await page.keyboard.press('Space');
      const at = async () => Number(await slider(page).inputValue());
      await until('it plays from the beginning', async () => (await at()) > 0 && (await at()) < HEAD);
      await page.keyboard.press('Space');
      const paused = await at();
      await page.getByRole('button', { name: 'Play' }).waitFor();
      await shows(page, (FIRST + SECOND).slice(0, paused));
      await page.getByRole('button', { name: 'Speed 16×' }).click();
      await page.getByRole('button', { name: 'Play' }).click();
      await until('it has come to the end', async () => (await at()) === HEAD);
      await page.getByRole('button', { name: 'Play' }).waitFor();
      await shows(page, FIRST + SECOND);
    }));

  it('names moments, finds them again, renames them and takes the name away', () =>
    withPast(async ({ address, ada: { page }, ben }) => {
      await openHistory(page, address);
      await slider(page).fill('50');
      await page.getByPlaceholder('Name this version').fill('First sentence');
      await page.keyboard.press('Enter');
      const list = page.getByRole('list', { name: 'Named versions' });
      await list.getByRole('button', { name: /^First sentence/ }).waitFor();
      await until('it has a mark', async () => (await page.getByTestId('mark').count()) === 1);
      assert.match((await valueText(page)) ?? '', /version “First sentence”$/);
      await slider(page).focus();
      await page.keyboard.press('End');
      await page.keyboard.press('[');
      await until('the key leads to it', async () => (await slider(page).inputValue()) === '50');
      await page.keyboard.press('End');
      await list.getByRole('button', { name: /^First sentence/ }).click();
      await shows(page, FIRST.slice(0, 50));
      await assertAccessible(page, 'a named version');

      await page.getByRole('button', { name: 'Rename First sentence' }).click();
      await page.getByRole('textbox', { name: 'New name for First sentence' }).fill('Opening');
      await page.keyboard.press('Enter');
      await list.getByRole('button', { name: /^Opening/ }).waitFor();
      // Everybody has it.
      await openHistory(ben.page, address);
      await ben.page.getByRole('list', { name: 'Named versions' }).getByRole('button', { name: /^Opening/ }).click();
      await shows(ben.page, FIRST.slice(0, 50));
      // The name is hers to change.
      assert.equal(await ben.page.getByRole('button', { name: 'Rename Opening' }).count(), 0);

      await page.getByRole('button', { name: 'Remove the name Opening' }).click();
      await page.getByText('“Opening” is no longer a version').waitFor();
      await page.getByText('No version has a name yet.').waitFor();
      await page.getByRole('button', { name: 'Undo' }).click();
      await list.getByRole('button', { name: /^Opening/ }).waitFor();
    }));

  it('compares a moment with now, without relying on colour', () =>
    withPast(async ({ address, id, ada: { page } }) => {
      const length = HEAD;
      await commit(page, id, [[4, -5, 'stream', length - 9]]);
      await openHistory(page, address, `history=${HEAD}&changes`);
      await until('it says how much', async () => (await page.getByTestId('diff-words').innerText()) === '1 place differs: 6 characters inserted, 5 deleted');
      assert.deepEqual(await page.locator('del').allTextContents(), ['river']);
      assert.deepEqual(await page.locator('ins').allTextContents(), ['stream']);
      const lines = await page.locator('del, ins').evaluateAll((all) => all.map((one) => getComputedStyle(one).textDecorationLine));
      assert.deepEqual(lines, ['line-through', 'underline']);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await assertAccessible(page, `a comparison, ${colorScheme}`);
      }
      await page.keyboard.press('End');
      await until('there is no difference', async () => (await page.getByTestId('diff-words').innerText()) === 'The same as now');
      await page.getByRole('button', { name: 'Compare with now' }).click();
      await shows(page, `The stream${(FIRST + SECOND).slice(9)}`);
    }));

  it('restores a moment as one more change that everybody sees, and takes it back', () =>
    withPast(async ({ address, ada: { page }, ben }) => {
      await ben.page.goto(address);
      await until('he reads it', async () => (await textOf(ben.page).catch(() => '')) === FIRST + SECOND);
      await openHistory(page, address, `history=${FIRST.length}`);
      await shows(page, FIRST);
      await page.getByRole('button', { name: 'Restore this version' }).click();
      const preview = page.getByRole('dialog', { name: 'Restore this version' });
      await preview.getByText('Restoring takes out 56 characters, in 1 place.').waitFor();
      assert.deepEqual(await preview.locator('del').allTextContents(), [`${SECOND.trim()}↵`]);
      await assertAccessible(page, 'the preview of restoring');
      await preview.getByRole('button', { name: 'Restore', exact: true }).click();
      await page.getByText(`Revision ${FIRST.length} is restored`).waitFor();
      await until('he sees it', async () => (await textOf(ben.page)) === FIRST);
      await until('it is one more revision', async () => (await valueText(page))?.startsWith(`Revision ${HEAD + 1} of ${HEAD + 1}, Ada`) ?? false);
      await page.getByRole('button', { name: 'Undo' }).click();
      await until('he has it all back', async () => (await textOf(ben.page)) === FIRST + SECOND);
      await until('nothing was rewritten', async () => (await slider(page).getAttribute('max')) === String(HEAD + 2));
    }));

  it('follows what is written now while it stands at the end', () =>
    withPast(async ({ address, ada: { page }, ben }) => {
      await openHistory(page, address);
      await shows(page, FIRST + SECOND);
      await ben.page.goto(address);
      await until('he can write', () => textarea(ben.page).isEditable());
      await setCaret(ben.page, HEAD);
      await type(ben.page, 'And a boat.');
      await saved(ben.page);
      await shows(page, `${FIRST}${SECOND}And a boat.`);
    }));

  it('tells what changed since I last looked, on whichever device that was', () =>
    withPast(async ({ address, id, ada, ben }) => {
      const { page } = ada;
      const laptop = await openWindow(stage.browser);
      const laptopFaults = watchFaults(laptop.page);
      await laptop.context.addCookies(await page.context().cookies());
      const news = (on: Page) => on.getByText(/changes? by /);
      const seen = async () => (await (await page.request.get(`${stage.server.url}/api/documents/${id}/seen`)).json()) as { revision: number };

      await page.goto(address);
      await until('it is marked', async () => (await seen()).revision === HEAD);
      await page.goto(stage.server.url);
      await commit(ben.page, id, [[4, -5, 'stream', HEAD - 9], [HEAD + 1, 'And a boat.']]);

      // The other device of the same person: it never had this document open.
      await laptop.page.goto(address);
      await news(laptop.page).waitFor();
      assert.equal(await news(laptop.page).innerText(), '2 changes by Ben in the last 1 min');
      await assertAccessible(laptop.page, 'the line about news');
      await laptop.page.getByRole('button', { name: 'Show', exact: true }).click();
      await until('it shows them', async () => (await laptop.page.locator('ins').allTextContents()).join() === 'stream,And a boat.');
      assert.deepEqual(await laptop.page.locator('del').allTextContents(), ['river']);
      await until('it counts as seen', async () => (await seen()).revision === HEAD + 2);

      // So the first device has nothing to tell.
      const again = await openTab(page.context(), address);
      await until('its text is there', async () => (await textOf(again.page)).endsWith('And a boat.'));
      await until('it has asked', async () => (await seen()).revision === HEAD + 2);
      assert.equal(await news(again.page).count(), 0);
      assert.deepEqual(laptopFaults, []);
      await laptop.context.close();
    }));

  it('says nothing about changes of my own', () =>
    withPast(async ({ address, id, ada: { page } }) => {
      const seen = async () => (await (await page.request.get(`${stage.server.url}/api/documents/${id}/seen`)).json()) as { revision: number };
      await page.goto(address);
      await until('it is marked', async () => (await seen()).revision === HEAD);
      await page.goto(stage.server.url);
      await commit(page, id, [[HEAD, 'mine']]);
      await page.goto(address);
      await until('it is marked without a word', async () => (await seen()).revision === HEAD + 1);
      assert.equal(await page.getByText(/changes? by /).count(), 0);
    }));

  it('says why there is no history to see, and tries again when asked', () =>
    withPast(async ({ address, ada: { page } }) => {
      const context = page.context();
      await page.goto(address);
      await until('it can be written', () => textarea(page).isEditable());
      await context.route('**/history/summary*', (route) => route.abort('connectionfailed'));
      await page.keyboard.press('Alt+Shift+h');
      await page.getByRole('heading', { name: 'The history needs a connection' }).waitFor();
      await assertAccessible(page, 'a history without connection');
      await context.unroute('**/history/summary*');
      await page.getByRole('button', { name: 'Try again' }).click();
      await shows(page, FIRST + SECOND);

      await page.goto(`${stage.server.url}/d/0123456789abcdef0123456789abcdef?history`);
      await page.getByRole('heading', { name: 'There is no document here' }).waitFor();
      await context.route('**/history/summary*', (route) => route.fulfill({ status: 503, contentType: 'application/json', body: '{"error":{"code":"overloaded","message":"busy"}}' }));
      await page.goto(`${address}?history`);
      await page.getByRole('heading', { name: 'Too many people at once' }).waitFor();
      await assertAccessible(page, 'an overloaded server');
    }));

  it('says that a moment cannot be had, and tries again when asked', () =>
    withPast(async ({ address, ada: { page } }) => {
      const context = page.context();
      await context.route(/\/history\?after/, (route) => route.abort('connectionfailed'));
      await openHistory(page, address, 'history=40');
      await page.getByRole('alert').filter({ hasText: 'The server cannot be reached' }).waitFor();
      await assertAccessible(page, 'a moment that cannot be had');
      await context.unroute(/\/history\?after/);
      await page.getByRole('button', { name: 'Try again' }).click();
      await shows(page, FIRST.slice(0, 40));
    }));

  it('is accessible, light and dark, at every width, and fits a phone', () =>
    withPast(
      async ({ address, ada: { page } }) => {
        await openHistory(page, address);
        await shows(page, FIRST + SECOND);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          for (const width of [320, 390, 820, 1440]) {
            await page.setViewportSize({ width, height: 844 });
            await assertAccessible(page, `the history, ${colorScheme}, ${width} px`);
            await fits(page, `the history at ${width} px`);
          }
        }
        await page.setViewportSize({ width: 390, height: 844 });
        await page.getByRole('button', { name: 'Versions' }).tap();
        await page.getByRole('dialog', { name: 'Versions' }).waitFor();
        await assertAccessible(page, 'versions on a phone');
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Authors' }).tap();
        await page.getByRole('dialog', { name: 'Authors' }).getByText('Ben').waitFor();
        await assertAccessible(page, 'authors on a phone');
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Compare with now' }).tap();
        await until('it compares', async () => (await page.getByTestId('diff-words').innerText()) === 'The same as now');
        await fits(page, 'a comparison at 390 px');
        const targets = await page.locator('button:visible, a:visible').evaluateAll((all) =>
          all.map((one) => ({ name: one.getAttribute('aria-label') ?? one.textContent, ...one.getBoundingClientRect().toJSON() as DOMRect })).filter(({ width, height }) => width < 44 || height < 44).map(({ name, width, height }) => `${name} ${width}×${height}`),
        );
        assert.deepEqual(targets, [], 'every target is 44 px for a finger');
      },
      { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    ));

  // Prints figures and asserts no time: machines differ. CONCORD_HISTORY_REVISIONS=250000 measures a long history.
  it('shows the right text wherever the slider is put in a long history', { timeout: 3_600_000 }, async (test) => {
    const revisions = Number(process.env.CONCORD_HISTORY_REVISIONS ?? 2_500);
    const { context, page, faults } = await person('Ada', 1);
    const address = await makeDocument(stage.server.url, { title: 'Long' });
    const texts = new Map<number, string>();
    for (const { operations, revision, text } of longHistory(revisions)) {
      await commit(page, idOf(address), operations);
      texts.set(revision, text);
    }
    const timings = { jumps: [] as number[], steps: [] as number[], drags: [] as number[] };
    await openHistory(page, address);
    await pastText(page).waitFor();
    const next = numbers(7);
    for (let n = 0; n < 40; n += 1) timings.jumps.push(await seekAndWait(page, [1 + next(revisions)]));
    for (let n = 0; n < 20; n += 1) {
      const from = 1 + next(revisions - 200);
      timings.drags.push(await seekAndWait(page, Array.from({ length: 30 }, (_, step) => from + step * Math.max(1, Math.floor(revisions / 800)))));
    }
    await seekAndWait(page, [Math.floor(revisions / 2)]);
    await until('its surroundings are there', async () => (await page.locator('.authored').count()) > 0);
    for (let n = 1; n <= 60; n += 1) timings.steps.push(await seekAndWait(page, [Math.floor(revisions / 2) + (n % 2 ? n : -n)]));
    for (const [revision, text] of texts) {
      await seekAndWait(page, [revision]);
      const found = (await (await page.request.get(`${stage.server.url}/api/documents/${idOf(address)}/text?revision=${revision}`)).text());
      assert.equal(found, text);
      // Only what is in sight is drawn: its lines are the text's.
      const lines = text.split('\n');
      for (const line of (await shownText(page)).split('\n').slice(0, 5)) assert.ok(lines.includes(line), `"${line}" is a line of revision ${revision}`);
    }
    const of = (times: number[], share: number) => [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(0);
    for (const [what, times] of Object.entries(timings)) test.diagnostic(`${what}: median ${of(times, 0.5)} ms, p95 ${of(times, 0.95)} ms from input to shown text (${revisions} revisions, ${texts.get(revisions)?.length} characters)`);
    assert.deepEqual(faults, []);
    await context.close();
  });

  it('says that nothing was written in an empty document', async () => {
    const { context, page, faults } = await person('Ada', 1);
    const address = await makeDocument(stage.server.url, { title: 'Empty' });
    await page.goto(`${address}?history`);
    await page.getByText('Nothing was written yet.').waitFor();
    assert.equal(await slider(page).isDisabled(), true);
    await assertAccessible(page, 'an empty history');
    assert.deepEqual(faults, []);
    await context.close();
  });
});
