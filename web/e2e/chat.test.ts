// The chat beside a text, in real browsers with a real server: two people, two devices of one of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { assertAccessible } from './harness/axe';
import { until } from './harness/browser';
import { type Editor, ready, saved, setCaret, textarea, type } from './harness/editor';
import { startNetwork } from './harness/network';
import { give, openAs, userOf, writeOwn } from './harness/people';
import { prepareStage } from './harness/stage';

const stage = prepareStage(['--chat-messages-burst', '1000']);

const panel = (page: Page) => page.getByRole('complementary', { name: 'Chat' });
const field = (page: Page) => panel(page).getByRole('textbox', { name: 'Message' });
const button = (page: Page) => page.getByRole('button', { name: /^Chat/ });
/** The texts of all messages that are on the screen, in order. */
const said = (page: Page): Promise<string[]> => panel(page).locator('[data-line] p[dir=auto]').allInnerTexts();

async function openChat(page: Page): Promise<void> {
  await page.keyboard.press('Alt+Shift+C');
  await field(page).waitFor();
}

async function say(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press('Enter');
}

const hears = (page: Page, what: string, texts: string[]): Promise<void> =>
  until(what, async () => JSON.stringify(await said(page)) === JSON.stringify(texts));

/** Ada's document, with Ben in it. */
async function together(test: (ada: Editor, ben: Editor, address: string) => Promise<void>): Promise<void> {
  const origin = stage.server.url;
  const [ada, ben] = [await openAs(stage.browser, origin, 'Ada Lovelace'), await openAs(stage.browser, origin, 'Ben')];
  try {
    const address = await writeOwn(ada, origin, { title: 'Plans', text: 'The bell rang twice that night.\nNobody came.' });
    await ben.page.goto(address);
    await ready(ben.page);
    await test(ada, ben, address);
    assert.deepEqual([...ada.faults, ...ben.faults], []);
  } finally {
    await Promise.all([ada.context.close(), ben.context.close()]);
  }
}

describe('the chat', () => {
  it('has one order for both, and its history after a reload', () =>
    together(async (ada, ben) => {
      await openChat(ada.page);
      await openChat(ben.page);
      const sent: string[] = [];
      for (let turn = 0; turn < 5; turn++) {
        await Promise.all([say(ada.page, `ada ${turn}`), say(ben.page, `ben ${turn}`)]);
        sent.push(`ada ${turn}`, `ben ${turn}`);
      }
      await until('both have everything', async () => (await said(ada.page)).length === 10 && (await said(ben.page)).length === 10);
      await until('nothing is on its way', async () => (await ada.page.getByText('Sending…').count()) + (await ben.page.getByText('Sending…').count()) === 0);
      const order = await said(ada.page);
      assert.deepEqual(await said(ben.page), order);
      assert.deepEqual([...order].sort(), sent.sort());
      await ada.page.reload();
      await ready(ada.page);
      await hears(ada.page, 'the panel is open as it was, with everything', order);
    }));

  it('counts what is unread over the devices of one person', () =>
    together(async (ada, ben, address) => {
      const phone = await ben.context.newPage();
      await phone.goto(address);
      await ready(phone);
      await openChat(ada.page);
      for (const text of ['one', 'two', 'three']) await say(ada.page, text);
      for (const page of [ben.page, phone]) await until('three are unread', async () => (await button(page).getAttribute('aria-label')) === 'Chat, 3 unread');
      await ben.page.bringToFront();
      await openChat(ben.page);
      for (const page of [ben.page, phone]) await until('nothing is unread', async () => (await button(page).getAttribute('aria-label')) === 'Chat');
      await phone.reload();
      await ready(phone);
      assert.equal(await button(phone).getAttribute('aria-label'), 'Chat');
    }));

  it('pages upwards as one scrolls, and stays where one reads', () =>
    together(async (ada, ben) => {
      await openChat(ada.page);
      for (let number = 1; number <= 120; number++) {
        await say(ada.page, `line ${number}`);
        if (number % 20 === 0) await until('they are sent', async () => (await ada.page.getByText('Sending…').count()) === 0);
      }
      await openChat(ben.page);
      await until('the latest are there', async () => (await said(ben.page)).at(-1) === 'line 120');
      await until('the first is there', async () => {
        await panel(ben.page).getByRole('log').evaluate((log) => log.scrollTo({ top: 0 }));
        return (await said(ben.page))[0] === 'line 1';
      });
      assert.deepEqual(await said(ben.page), Array.from({ length: 120 }, (_, index) => `line ${index + 1}`));
      await panel(ben.page).getByRole('button', { name: 'To the end' }).click();
      await panel(ben.page).getByText('line 120').waitFor({ state: 'visible' });
    }));

  it('names people, makes addresses links, and reads nothing as HTML', () =>
    together(async (ada, ben) => {
      await openChat(ada.page);
      await openChat(ben.page);
      await field(ada.page).focus();
      await type(ada.page, 'Hi @be');
      await panel(ada.page).getByRole('option', { name: 'Ben' }).waitFor();
      await ada.page.keyboard.press('Enter');
      assert.equal(await field(ada.page).inputValue(), 'Hi @Ben ');
      await type(ada.page, 'see https://example.com/a. <b>bold</b> 😀');
      await ada.page.keyboard.press('Shift+Enter');
      await type(ada.page, 'second line');
      await until('Ben sees that somebody writes', async () => (await ben.page.getByTestId('typing').textContent()) === 'Ada Lovelace is typing…');
      await ada.page.keyboard.press('Enter');
      await hears(ben.page, 'it is there as it was written', ['Hi @Ben see https://example.com/a. <b>bold</b> 😀\nsecond line']);
      await until('nobody writes any more', async () => (await ben.page.getByTestId('typing').textContent()) === '');
      const link = panel(ben.page).getByRole('link');
      assert.equal(await link.getAttribute('href'), 'https://example.com/a');
      assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow ugc');
      assert.equal(await panel(ben.page).locator('b').count(), 0);
    }));

  it('lets one edit and take back one’s own, the owner anybody’s, and leaves a place', () =>
    together(async (ada, ben) => {
      await openChat(ada.page);
      await openChat(ben.page);
      await say(ben.page, 'helo');
      await hears(ada.page, 'it is there', ['helo']);
      await panel(ben.page).locator('[data-line="1"]').hover();
      await panel(ben.page).getByRole('button', { name: /^More for/ }).click();
      await ben.page.getByRole('menuitem', { name: 'Edit' }).click();
      const editing = panel(ben.page).getByRole('textbox', { name: 'Edit the message' });
      assert.equal(await editing.inputValue(), 'helo');
      await editing.fill('hello');
      await editing.press('Enter');
      await hears(ada.page, 'it is edited', ['hello']);
      await panel(ada.page).getByText('edited').waitFor();
      await panel(ada.page).locator('[data-line="1"]').hover();
      await panel(ada.page).getByRole('button', { name: /^More for/ }).click();
      assert.equal(await ada.page.getByRole('menuitem', { name: 'Edit' }).count(), 0);
      await ada.page.getByRole('menuitem', { name: 'Delete' }).click();
      await panel(ben.page).getByText('Message deleted').waitFor();
      assert.deepEqual(await said(ben.page), []);
    }));

  it('finds the passage that a message is about, wherever it has gone, until it is deleted', () =>
    together(async (ada, ben) => {
      await openChat(ada.page);
      await setCaret(ada.page, 4, 8);
      await panel(ada.page).getByRole('button', { name: 'Quote the selected text' }).click();
      await say(ada.page, 'Which one?');
      await openChat(ben.page);
      await hears(ben.page, 'it is there', ['Which one?']);
      const quote = panel(ben.page).getByRole('button', { name: /bell/ });
      await setCaret(ada.page, 0);
      await type(ada.page, 'Once 😀 upon a time: ');
      await saved(ada.page);
      const selected = () => textarea(ben.page).evaluate((element: HTMLTextAreaElement) => element.value.slice(element.selectionStart, element.selectionEnd));
      await until('the text is here', async () => (await textarea(ben.page).inputValue()).startsWith('Once'));
      await quote.click();
      await until('the passage is selected', async () => (await selected()) === 'bell');
      const at = (await textarea(ada.page).inputValue()).indexOf('bell');
      await setCaret(ada.page, at, at + 4);
      await ada.page.keyboard.press('Backspace');
      await saved(ada.page);
      await quote.click();
      await panel(ben.page).getByText(/^The text was deleted in revision [\d,]+\.$/).waitFor();
    }));

  it('doubles nothing and loses nothing when the connection breaks', async () => {
    const network = await startNetwork(stage.server.url);
    const origin = network.url;
    const ada = await openAs(stage.browser, origin, 'Ada Lovelace');
    try {
      const address = await writeOwn(ada, origin, { text: 'x' });
      await openChat(ada.page);
      const sent: string[] = [];
      for (let number = 0; number < 12; number++) {
        await say(ada.page, `message ${number}`);
        sent.push(`message ${number}`);
        // With or without the answer on its way: it is said again, and is there once.
        if (number % 3 === 2) network.cut();
      }
      await until('everything is sent', async () => (await said(ada.page)).length === 12 && (await ada.page.getByText('Sending…').count()) === 0, 60_000);
      assert.deepEqual(await said(ada.page), sent);
      await ada.page.goto(address);
      await ready(ada.page);
      await hears(ada.page, 'each is stored once', sent);
    } finally {
      await ada.context.close();
      await network.close();
    }
  });

  it('keeps what was written offline over a reload, and sends it', () =>
    together(async (ada, ben) => {
      await openChat(ada.page);
      await openChat(ben.page);
      await ada.page.waitForFunction(() => navigator.serviceWorker?.ready.then((worker) => worker.active?.state === 'activated'));
      await ada.context.setOffline(true);
      await say(ada.page, 'from a tunnel');
      await panel(ada.page).getByText('Sending…').waitFor();
      await ada.page.reload();
      await ada.context.setOffline(false);
      await hears(ben.page, 'it has arrived, once', ['from a tunnel']);
    }));

  it('is read by who may only read, and tells who comes and goes', () =>
    together(async (ada, ben, address) => {
      await openChat(ada.page);
      await give(ada, address, await userOf(ben, stage.server.url), 'viewer');
      await openChatToRead(ben.page);
      await say(ada.page, 'for your eyes');
      await hears(ben.page, 'it is there', ['for your eyes']);
      await ben.page.goto('about:blank');
      await panel(ada.page).getByText('Ben left').waitFor();
      await ben.page.goto(address);
      await panel(ada.page).getByText('Ben joined').waitFor();
    }));

  it('is worked by keys alone', () =>
    together(async (ada) => {
      await openChat(ada.page);
      await until('one writes at once', () => field(ada.page).evaluate((element) => element === document.activeElement));
      await type(ada.page, 'hello');
      await ada.page.keyboard.press('Enter');
      await hears(ada.page, 'it is said', ['hello']);
      await ada.page.keyboard.press('Escape');
      await until('it is closed, and the text has the focus', async () => (await panel(ada.page).count()) === 0 && (await textarea(ada.page).evaluate((element) => element === document.activeElement)));
    }));

  it('is accessible, light and dark', () =>
    together(async (ada, ben) => {
      await openChat(ada.page);
      await openChat(ben.page);
      await say(ben.page, 'Look at https://example.com/ @Ada Lovelace');
      await say(ada.page, 'I see');
      await until('both are there', async () => (await said(ada.page)).length === 2);
      await field(ada.page).fill('@B');
      for (const colorScheme of ['light', 'dark'] as const) {
        await ada.page.emulateMedia({ colorScheme });
        await assertAccessible(ada.page, `the chat, ${colorScheme}`);
      }
    }));
});

async function openChatToRead(page: Page): Promise<void> {
  await page.keyboard.press('Alt+Shift+C');
  await panel(page).getByText('You may read this chat.').waitFor();
}
