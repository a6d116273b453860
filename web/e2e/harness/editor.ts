// The editor page as a test drives it: windows on one document, their texts, carets and save lines.
import assert from 'node:assert/strict';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { openWindow, until, watchFaults } from './browser';

export interface Editor {
  context: BrowserContext;
  page: Page;
  /** Errors this window has met; empty at the end of a good test. */
  faults: string[];
}

/** Makes a document through the API, as a person of its own, and returns its address. */
export async function makeDocument(url: string, body: { title?: string; text?: string } = {}): Promise<string> {
  const response = await fetch(`${url}/api/documents`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 201, await response.clone().text());
  const { id } = (await response.json()) as { id: string };
  return `${url}/d/${id}`;
}

/** Opens a document in a window of its own. */
export async function openEditor(browser: Browser, address: string, options: BrowserContextOptions = {}): Promise<Editor> {
  const { context, page } = await openWindow(browser, options);
  return visit(context, page, address);
}

/** Opens a document in one more tab of the same person. */
export async function openTab(context: BrowserContext, address: string): Promise<Editor> {
  return visit(context, await context.newPage(), address);
}

async function visit(context: BrowserContext, page: Page, address: string): Promise<Editor> {
  const faults = watchFaults(page);
  await page.goto(address);
  await ready(page);
  return { context, page, faults };
}

export const textarea = (page: Page) => page.getByRole('textbox', { name: /^Text of/ });
export const textOf = (page: Page): Promise<string> => textarea(page).inputValue();
export const saveLineOf = (page: Page): Promise<string> => page.getByTestId('save-state').textContent().then((words) => words ?? '');

/** The text is there and can be written. */
export const ready = (page: Page): Promise<void> =>
  until('the text can be written', async () => (await textarea(page).getAttribute('aria-busy')) === 'false' && (await textarea(page).isEditable()));

/** Everything this window wrote is committed. */
export const saved = (page: Page, withinMs?: number): Promise<void> =>
  until(`everything is saved`, async () => (await saveLineOf(page)) === 'Saved', withinMs);

/** All windows have saved and show one text, which is returned. */
export async function converged(...pages: Page[]): Promise<string> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const lines = await Promise.all(pages.map(saveLineOf));
    const texts = await Promise.all(pages.map(textOf));
    if (lines.every((line) => line === 'Saved') && texts.every((text) => text === texts[0])) return texts[0] ?? '';
    if (Date.now() > deadline) {
      assert.fail(`the windows did not converge: ${JSON.stringify(lines)}\n${texts.map((text) => JSON.stringify(text.slice(-400))).join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Puts the caret, or a selection, at UTF-16 offsets. */
export async function setCaret(page: Page, start: number, end = start): Promise<void> {
  await textarea(page).focus();
  await textarea(page).evaluate((element: HTMLTextAreaElement, [from, to]) => element.setSelectionRange(from ?? 0, to ?? 0), [start, end]);
}

/** Puts the caret right after the first `words`; found and put in one go, since others may be typing. */
export async function caretAfter(page: Page, words: string): Promise<void> {
  await textarea(page).focus();
  const isThere = await textarea(page).evaluate((element: HTMLTextAreaElement, before) => {
    const at = element.value.indexOf(before);
    if (at >= 0) element.setSelectionRange(at + before.length, at + before.length);
    return at >= 0;
  }, words);
  assert.ok(isThere, `"${words}" is in the text`);
}

/** The text before the caret. */
export const beforeCaret = (page: Page): Promise<string> =>
  textarea(page).evaluate((element: HTMLTextAreaElement) => element.value.slice(0, element.selectionStart));

/** Types one key after the other, at the speed of a fast typist in a hurry. */
export const type = (page: Page, text: string, delayMs = 4): Promise<void> => page.keyboard.type(text, { delay: delayMs });

/** Puts text on the clipboard and pastes it. */
export async function paste(page: Page, text: string): Promise<void> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.bringToFront();
  await page.evaluate((words) => navigator.clipboard.writeText(words), text);
  await page.keyboard.press('Control+v');
}

/** A letter pattern by which a run of typing is known again: `A0A1A2…`, of the given length. */
export const run = (letter: string, length: number): string =>
  Array.from({ length: Math.ceil(length / 2) }, (_, n) => letter + String(n % 10)).join('').slice(0, length);

/** Makes the server's word about my rights in this window `viewer`, on its way through the socket. */
export async function asViewer(context: BrowserContext): Promise<void> {
  await context.routeWebSocket(/\/api\/socket/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => server.send(message));
    server.onMessage((message) => socket.send(String(message).replace(/"role":"(owner|editor)"/, '"role":"viewer"')));
  });
}
