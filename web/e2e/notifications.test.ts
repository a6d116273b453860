// What people are told, in real browsers with a real server: two people, and two devices of one of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { assertAccessible } from './harness/axe';
import { until, watchFaults } from './harness/browser';
import { type Editor, ready, textarea, type } from './harness/editor';
import { give, openAs, userOf, writeOwn } from './harness/people';
import { prepareStage } from './harness/stage';

const stage = prepareStage(['--digest-interval-ms', '200']);

const bell = (page: Page) => page.getByRole('button', { name: /^Notifications/ });
const list = (page: Page) => page.getByRole('dialog', { name: 'Notifications' });
const chatPanel = (page: Page) => page.getByRole('complementary', { name: 'Chat' });
const tells = (page: Page, label: string): Promise<void> => until(`the bell says: ${label}`, async () => (await bell(page).getAttribute('aria-label')) === label);
const NAMED = 'Ada Lovelace named you in the chat of “Plans”';

/** The titles in the open list, latest first; unread ones say so. */
const told = async (page: Page): Promise<string[]> => (await list(page).locator('li [dir=auto]').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());

async function nameBen(page: Page, rest: string): Promise<void> {
  const field = chatPanel(page).getByRole('textbox', { name: 'Message' });
  await field.focus();
  await type(page, '@be');
  await chatPanel(page).getByRole('option', { name: 'Ben' }).waitFor();
  await page.keyboard.press('Enter');
  await type(page, rest);
  await page.keyboard.press('Enter');
  await until('it is sent', async () => (await chatPanel(page).getByText('Sending…').count()) === 0 && (await field.inputValue()) === '');
}

/** Another device of the same person: another browser that has only their cookie. */
async function anotherDevice(of: Editor): Promise<Editor> {
  const cookies = (await of.context.storageState()).cookies;
  const context = await stage.browser.newContext({ locale: 'en-GB', storageState: { cookies, origins: [] }, viewport: { width: 390, height: 844 }, hasTouch: true });
  const page = await context.newPage();
  return { context, page, faults: watchFaults(page) };
}

interface Scene {
  ada: Editor;
  ben: Editor;
  phone: Editor;
  address: string;
}

/** Ada's document with her chat open, Ben in it at his desk, and the list of his documents on his phone. */
async function together(test: (scene: Scene) => Promise<void>): Promise<void> {
  const origin = stage.server.url;
  const [ada, ben] = [await openAs(stage.browser, origin, 'Ada Lovelace'), await openAs(stage.browser, origin, 'Ben')];
  const phone = await anotherDevice(ben);
  try {
    const address = await writeOwn(ada, origin, { title: 'Plans', text: 'The bell rang twice that night.' });
    await ben.page.goto(address);
    await ready(ben.page);
    await phone.page.goto(origin);
    for (const { page } of [ben, phone]) await tells(page, 'Notifications');
    await ada.page.keyboard.press('Alt+Shift+C');
    await chatPanel(ada.page).getByRole('textbox', { name: 'Message' }).waitFor();
    await test({ ada, ben, phone, address });
    assert.deepEqual([...ada.faults, ...ben.faults, ...phone.faults], []);
  } finally {
    await Promise.all([ada, ben, phone].map(({ context }) => context.close()));
  }
}

describe('notifications', () => {
  it('tell who is named on all their devices, and what is read on one is gone on the other', () =>
    together(async ({ ada, ben, phone, address }) => {
      await nameBen(ada.page, 'look');
      for (const { page } of [ben, phone]) await tells(page, 'Notifications, 1 unread');
      await bell(phone.page).click();
      assert.deepEqual(await told(phone.page), [`Unread: ${NAMED}`]);
      await bell(ben.page).click();
      await list(ben.page).getByRole('button', { name: 'Mark all as read' }).click();
      for (const { page } of [ben, phone]) await tells(page, 'Notifications');
      await until('the phone shows it as read', async () => (await told(phone.page))[0] === NAMED);
      await phone.page.reload();
      await tells(phone.page, 'Notifications');
      await bell(phone.page).click();
      await until('it is kept', async () => (await told(phone.page)).length === 1);
      assert.deepEqual(await told(phone.page), [NAMED]);
      await list(phone.page).getByRole('button', { name: new RegExp(NAMED) }).click();
      await phone.page.waitForURL(address);
    }));

  it('that come while a device is offline are there once it is back, each once, as they were left', () =>
    together(async ({ ada, ben, phone }) => {
      await phone.context.setOffline(true);
      for (const word of ['one', 'two', 'three']) await nameBen(ada.page, word);
      await tells(ben.page, 'Notifications, 3 unread');
      await bell(ben.page).click();
      await list(ben.page).getByRole('button', { name: new RegExp(NAMED) }).last().click();
      await tells(ben.page, 'Notifications, 2 unread');
      await tells(phone.page, 'Notifications');
      await phone.context.setOffline(false);
      await tells(phone.page, 'Notifications, 2 unread');
      await bell(phone.page).click();
      assert.deepEqual(await told(phone.page), [`Unread: ${NAMED}`, `Unread: ${NAMED}`, NAMED]);
    }));

  it('tell of a document that is shared by name, and of edits while one is away, in one that grows', () =>
    together(async ({ ada, ben, phone, address }) => {
      const origin = stage.server.url;
      await give(ada, address, await userOf(ben, origin), 'editor');
      await tells(phone.page, 'Notifications, 1 unread');
      await bell(phone.page).click();
      assert.deepEqual(await told(phone.page), ['Unread: Ada Lovelace shared “Plans” with you']);
      await ada.page.goto(origin);
      await until('Ada has left', async () => (await ben.page.getByRole('group', { name: 'People here: 1' }).count()) === 1);
      await textarea(ben.page).focus();
      await type(ben.page, 'More. ');
      await tells(ada.page, 'Notifications, 1 unread');
      await bell(ada.page).click();
      assert.deepEqual(await told(ada.page), ['Unread: Ben edited “Plans”']);
      const edits = () => list(ada.page).getByText(/edits? while you were away/).innerText();
      const before = await edits();
      await type(ben.page, 'And more.');
      await until('it tells of more', async () => (await edits()) !== before);
      assert.deepEqual(await told(ada.page), ['Unread: Ben edited “Plans”']);
    }));

  it('are used by keyboard, and stand the examination', () =>
    together(async ({ ada, ben, phone }) => {
      await bell(ben.page).focus();
      await ben.page.keyboard.press('Enter');
      await list(ben.page).getByText('Nothing yet.').waitFor();
      await assertAccessible(ben.page, 'the empty list');
      await ben.page.keyboard.press('Escape');
      await until('the focus is back', () => bell(ben.page).evaluate((button) => button === document.activeElement));
      await nameBen(ada.page, 'look');
      await tells(ben.page, 'Notifications, 1 unread');
      await ben.page.keyboard.press('Enter');
      await ben.page.keyboard.press('Tab');
      await until('the entry has the focus', () => ben.page.evaluate(() => document.activeElement?.textContent?.includes('named you') ?? false));
      for (const { page } of [ben, phone]) {
        if (page === phone.page) await bell(page).click();
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await assertAccessible(page, `the list, ${colorScheme}`);
        }
      }
      const box = await list(phone.page).boundingBox();
      assert.ok(box && box.x >= 0 && box.x + box.width <= 390, 'it is within the phone');
      await ben.page.keyboard.press('Enter');
      await tells(ben.page, 'Notifications');
    }));
});

declare global {
  interface Window {
    asked: number;
    shown: string[];
  }
}

/** A browser that answers like this when it is asked, remembers it, and counts; nobody looks at its page. */
async function withAnswer(context: BrowserContext, answer: NotificationPermission): Promise<void> {
  // As a text: what the compiler adds to a function is not known in the page.
  await context.addInitScript(`
    window.asked = Number(sessionStorage.getItem('asked') ?? 0);
    window.shown = [];
    document.hasFocus = () => false;
    Object.defineProperty(window, 'Notification', {
      value: class {
        static get permission() { return window.asked > 0 ? '${answer}' : 'default'; }
        static requestPermission() {
          sessionStorage.setItem('asked', String(++window.asked));
          return Promise.resolve('${answer}');
        }
        constructor(title) { window.shown.push(title); }
        close() {}
      },
    });
  `);
}

describe('the browser', () => {
  const offer = (page: Page) => list(page).getByRole('button', { name: 'Tell me on this device' });
  const asked = (page: Page): Promise<number> => page.evaluate(() => window.asked);

  it('is asked once, by a click in the list, and tells from then on', () =>
    together(async ({ ada, ben }) => {
      await withAnswer(ben.context, 'granted');
      await ben.page.reload();
      await tells(ben.page, 'Notifications');
      await nameBen(ada.page, 'unheard');
      await tells(ben.page, 'Notifications, 1 unread');
      assert.deepEqual([await asked(ben.page), await ben.page.evaluate(() => window.shown)], [0, []], 'not on load, and not by itself');
      await bell(ben.page).click();
      await offer(ben.page).click();
      await list(ben.page).getByText('This device tells you of new ones.').waitFor();
      await nameBen(ada.page, 'heard');
      await until('the browser shows it', async () => (await ben.page.evaluate(() => window.shown)).join() === NAMED);
      await ben.page.reload();
      await tells(ben.page, 'Notifications, 2 unread');
      await bell(ben.page).click();
      await list(ben.page).getByRole('button', { name: 'Turn off' }).click();
      await offer(ben.page).click();
      await list(ben.page).getByText('This device tells you of new ones.').waitFor();
      assert.equal(await asked(ben.page), 1);
    }));

  for (const answer of ['denied', 'default'] as const) {
    it(`that answers ${answer} is not asked again`, () =>
      together(async ({ ben }) => {
        await withAnswer(ben.context, answer);
        await ben.page.reload();
        await bell(ben.page).click();
        await offer(ben.page).click();
        await until('nothing is offered any more', async () => (await offer(ben.page).count()) === 0);
        await ben.page.reload();
        await tells(ben.page, 'Notifications');
        await bell(ben.page).click();
        await list(ben.page).getByText('Nothing yet.').waitFor();
        assert.deepEqual([await offer(ben.page).count(), await asked(ben.page)], [0, 1]);
      }));
  }
});
