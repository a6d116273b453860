// Signed in by a token in a cookie, signed out, run out in the middle of writing. With a real server that has no guests.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { assertAccessible } from './harness/axe';
import { openWindow, until, watchFaults } from './harness/browser';
import { converged, ready, saveLineOf, saved, setCaret, textOf, textarea, type } from './harness/editor';
import { openShare, shareDialog } from './harness/people';
import { prepareStage } from './harness/stage';
import { signIn, TOKEN_FLAGS } from './harness/token';

const stage = prepareStage([...TOKEN_FLAGS, '--sign-in-url', 'https://product.example/sign-in?from=concord']);

async function window(): Promise<{ context: BrowserContext; page: Page; faults: string[]; sockets(): number; loads(): number }> {
  const { context, page } = await openWindow(stage.browser);
  let sockets = 0;
  let loads = 0;
  page.on('websocket', () => sockets++);
  page.on('load', () => loads++);
  return { context, page, faults: watchFaults(page), sockets: () => sockets, loads: () => loads };
}

const signInLink = (page: Page) => page.getByRole('link', { name: 'Sign in' });

async function ownDocument(context: BrowserContext, page: Page, text: string): Promise<string> {
  const { url } = stage.server;
  const made = await context.request.post(`${url}/api/documents`, { data: { text }, headers: { origin: url } });
  assert.equal(made.status(), 201, await made.text());
  const address = `${url}/d/${((await made.json()) as { id: string }).id}`;
  await page.goto(address);
  await ready(page);
  return address;
}

describe('who is not signed in', () => {
  it('is led to where one can, on every page, and nothing is tried again and again', async () => {
    const { context, page, faults, sockets, loads } = await window();
    await page.clock.install();
    for (const path of ['/', '/?deleted', '/d/0123456789abcdef0123456789abcdef']) {
      await page.goto(stage.server.url + path);
      await signInLink(page).waitFor();
      assert.equal(await signInLink(page).getAttribute('href'), 'https://product.example/sign-in?from=concord');
      await assertAccessible(page, `signed out at ${path}`);
    }
    await page.getByRole('heading', { name: 'Sign in to go on' }).waitFor();
    const before = [sockets(), loads()];
    await page.clock.runFor(120_000);
    assert.deepEqual([sockets(), loads()], before, 'in two minutes no connection is tried, no page loaded');
    await signIn(context, stage.server.url, 'ada');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'There is no document here' }).waitFor();
    await page.goto(stage.server.url);
    await page.getByRole('button', { name: 'New document' }).waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  });
});

describe('a token that runs out in the middle of writing', () => {
  it('leaves the text to be written on; with a fresh one everything is sent, once', async () => {
    const { context, page, faults, loads } = await window();
    await signIn(context, stage.server.url, 'ada', 12);
    const address = await ownDocument(context, page, 'log: ');
    await setCaret(page, 5);
    await type(page, 'before ');
    await saved(page);
    await until('it is cut', async () => /^Signed out/.test(await saveLineOf(page)), 30_000);
    const strip = page.getByRole('alert', { name: 'You are signed out' });
    await strip.waitFor();
    await setCaret(page, 12);
    await type(page, 'while cut ');
    await until('it is kept here', async () => /^Signed out: [\d,]+ edits? kept on this device$/.test(await saveLineOf(page)));
    assert.ok(await textarea(page).isEditable());
    await assertAccessible(page, 'signed out while writing');
    const loaded = loads();
    await signIn(context, stage.server.url, 'ada');
    // Where it is still there: the page may have tried again by itself in this moment.
    await strip.getByRole('button', { name: 'Try again' }).evaluateAll((buttons) => {
      for (const button of buttons) (button as HTMLElement).click();
    });
    await saved(page);
    assert.equal(await strip.count(), 0);
    assert.equal(await textOf(page), 'log: before while cut ');
    const other = await context.newPage();
    await other.goto(address);
    await ready(other);
    assert.equal(await converged(page, other), 'log: before while cut ');
    assert.equal(loads(), loaded, 'the page was not loaded again');
    assert.deepEqual(faults, []);
    await context.close();
  });

  it('is no news to anybody whose product has replaced it in time', async () => {
    const { context, page, faults } = await window();
    await signIn(context, stage.server.url, 'ada', 12);
    await ownDocument(context, page, '');
    await signIn(context, stage.server.url, 'ada');
    const lines = new Set<string>();
    let reconnected = false;
    await setCaret(page, 0);
    page.on('websocket', () => (reconnected = true));
    let typed = '';
    await until('the old one has run out', async () => {
      await type(page, 'x');
      typed += 'x';
      lines.add(await saveLineOf(page));
      return reconnected;
    }, 30_000);
    await saved(page);
    assert.equal(await textOf(page), typed);
    assert.ok(![...lines].some((line) => /Signed out/.test(line)), [...lines].join(' | '));
    assert.equal(await page.getByRole('alert', { name: 'You are signed out' }).count(), 0);
    assert.deepEqual(faults, []);
    await context.close();
  });
});

it('a document of somebody signed in is theirs alone until they share it', async () => {
  const [ada, ben] = [await window(), await window()];
  await signIn(ada.context, stage.server.url, 'ada');
  await signIn(ben.context, stage.server.url, 'ben');
  const address = await ownDocument(ada.context, ada.page, 'mine');
  await ben.page.goto(address);
  await ben.page.getByRole('heading', { name: 'There is no document here' }).waitFor();
  await openShare(ada.page);
  assert.ok(await shareDialog(ada.page).getByRole('radio', { name: 'Off' }).isChecked());
  await shareDialog(ada.page).getByRole('radio', { name: 'Read' }).click();
  await shareDialog(ada.page).getByText('Anyone who has the link can read it.').waitFor();
  await until('the server has it', async () => (await shareDialog(ada.page).getByText('Saving…').count()) === 0);
  await ben.page.reload();
  await until('he reads it', async () => (await textOf(ben.page)) === 'mine');
  assert.equal(await textarea(ben.page).isEditable(), false);
  await Promise.all([ada, ben].map(({ context }) => context.close()));
});

it('somebody is let in by the id they sign in with, before they have come, and nobody else is', async () => {
  const [ada, ben, cleo] = [await window(), await window(), await window()];
  const { url } = stage.server;
  await Promise.all([signIn(ada.context, url, 'ada'), signIn(ben.context, url, 'ben'), signIn(cleo.context, url, 'cleo')]);
  const address = await ownDocument(ada.context, ada.page, 'ours');
  await openShare(ada.page);
  const dialog = shareDialog(ada.page);
  const field = dialog.getByRole('textbox', { name: 'Add somebody by the id they sign in with' });
  await field.fill('not one id');
  await field.press('Enter');
  await dialog.getByText('An id has up to 64').waitFor();
  await field.fill('ben');
  await assertAccessible(ada.page, 'adding somebody');
  await field.press('Enter');
  await dialog.getByRole('button', { name: 'ben: Can edit. Change' }).waitFor();
  await ben.page.goto(address);
  await ready(ben.page);
  assert.equal(await textOf(ben.page), 'ours');
  await cleo.page.goto(address);
  await cleo.page.getByRole('heading', { name: 'There is no document here' }).waitFor();
  await Promise.all([ada, ben, cleo].map(({ context }) => context.close()));
});
