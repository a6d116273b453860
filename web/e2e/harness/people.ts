// People and what they may do, as tests set the stage: windows with names, their documents, the share dialog.
import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openWindow, watchFaults } from './browser';
import { type Editor, ready } from './editor';
import { idOf } from './history';

/** A window of somebody with a name. */
export async function openAs(browser: Browser, origin: string, name: string, options: BrowserContextOptions = {}): Promise<Editor> {
  const { context, page } = await openWindow(browser, options);
  const faults = watchFaults(page);
  const named = await context.request.put(`${origin}/api/me`, { data: { name }, headers: { origin } });
  assert.equal(named.status(), 200, await named.text());
  return { context, page, faults };
}

/** A document of this person, open in their window. Returns its address. */
export async function writeOwn({ context, page }: Editor, origin: string, body: { title?: string; text?: string }): Promise<string> {
  const made = await context.request.post(`${origin}/api/documents`, { data: body, headers: { origin } });
  assert.equal(made.status(), 201, await made.text());
  const address = `${origin}/d/${((await made.json()) as { id: string }).id}`;
  await page.goto(address);
  await ready(page);
  return address;
}

export const userOf = async ({ context }: Editor, origin: string): Promise<string> => ((await (await context.request.get(`${origin}/api/me`)).json()) as { id: string }).id;

/** The owner gives a person a role by name, past the dialog. */
export async function give(owner: Editor, address: string, user: string, role: string): Promise<void> {
  const { origin } = new URL(address);
  const answer = await owner.context.request.put(`${origin}/api/documents/${idOf(address)}/people/${user}`, { data: { role }, headers: { origin } });
  assert.equal(answer.status(), 200, await answer.text());
}

/** The owner says what the link gives, past the dialog. */
export async function setLink(owner: Editor, address: string, link: 'off' | 'view' | 'edit'): Promise<void> {
  const { origin } = new URL(address);
  const answer = await owner.context.request.put(`${origin}/api/documents/${idOf(address)}/sharing`, { data: { link }, headers: { origin } });
  assert.equal(answer.status(), 200, await answer.text());
}

export const shareDialog = (page: Page) => page.getByRole('dialog', { name: 'Share' });

/** Opens the share dialog and waits for its content. */
export async function openShare(page: Page): Promise<void> {
  await page.keyboard.press('Alt+Shift+S');
  await shareDialog(page).getByRole('heading', { name: 'People' }).waitFor();
}

/** Chooses in a person's menu in the dialog. */
export async function choose(page: Page, name: string, what: string): Promise<void> {
  await shareDialog(page).getByRole('button', { name: new RegExp(`^${name}: `) }).click();
  await page.getByRole('menuitem', { name: what, exact: true }).or(page.getByRole('menuitemradio', { name: what, exact: true })).click();
}
