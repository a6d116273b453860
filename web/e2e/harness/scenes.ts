// What the pictures show: every page and state, made with a real server where there is one to make it with.
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { openWindow, until } from './browser';
import { type Editor, asViewer, caretAfter, openEditor, paste, ready, saveLineOf, saved, setCaret, textarea, type } from './editor';
import { type FakeApi, fakeApi } from './fake-api';
import { commit, idOf, typing } from './history';
import { choose, give, openAs, openShare, shareDialog, userOf, writeOwn } from './people';
import { liar } from './report';
import { sampleFigures, sampleWelcome } from './figures';
import { SAMPLE_TEXT, sampleDocuments } from './samples';
import { signIn } from './token';

/** Where the scenes are played. */
export interface Stage {
  browser: Browser;
  /** The exported app over a made-up API. */
  appUrl: string;
  /** Addresses of prepared documents. */
  essay: string;
  long: string;
  full: string;
  /** With a past by two people and named versions. */
  past: string;
  /** A server that knows people by tokens only. */
  signedIn: string;
  window: BrowserContextOptions;
}

/** Takes the picture once the page stands still. */
export type Shoot = (page: Page, name: string) => Promise<void>;
type Scene = (stage: Stage, shoot: Shoot) => Promise<void>;

async function home(stage: Stage, start: Partial<FakeApi>, play: (page: Page, api: FakeApi, context: BrowserContext) => Promise<void>, path = '/'): Promise<void> {
  const { context, page } = await openWindow(stage.browser, { serviceWorkers: 'block', ...stage.window });
  try {
    const api = await fakeApi(context, start);
    await page.goto(stage.appUrl + path);
    await play(page, api, context);
  } finally {
    await context.close();
  }
}

const homes: Scene = (stage, shoot) =>
  home(stage, { documents: sampleDocuments() }, async (page, api) => {
    await page.getByRole('link', { name: 'Meeting notes' }).waitFor();
    await shoot(page, 'home-full');
    await page.keyboard.press('Control+k');
    await page.getByRole('option', { name: /river/ }).waitFor();
    await shoot(page, 'home-palette');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^You/ }).click();
    await page.getByRole('dialog').waitFor();
    await shoot(page, 'home-you');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Reading list' }).focus();
    await page.getByRole('button', { name: 'More for Meeting notes' }).click();
    await page.getByRole('menu').waitFor();
    await shoot(page, 'home-menu');
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByText('was deleted').waitFor();
    await shoot(page, 'home-deleted');
    api.fault = 'cut';
    await page.reload();
    await page.getByText('This is the list as last known.').waitFor();
    await shoot(page, 'home-last-known');
  });

const emptyHomes: Scene = async (stage, shoot) => {
  await home(stage, {}, async (page, api) => {
    await page.getByText('Write something, alone or together.').waitFor();
    await shoot(page, 'home-empty');
    api.fault = 'hang';
    await page.reload();
    await page.getByRole('status', { name: 'Loading your documents' }).waitFor();
    await shoot(page, 'home-loading');
    api.fault = 503;
    await page.reload();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await shoot(page, 'home-error');
  });
  const deleted = sampleDocuments().slice(0, 4).map((document) => ({ ...document, deleted_ms: document.updated_ms }));
  await home(
    stage,
    { documents: deleted },
    async (page) => {
      await page.getByRole('button', { name: /^Restore/ }).first().waitFor();
      await shoot(page, 'recently-deleted');
    },
    '/?deleted',
  );
  await home(stage, {}, (page) => shoot(page, 'not-found'), '/no/such/page');
};

async function asPerson(context: BrowserContext, url: string, name: string, color: number): Promise<void> {
  await context.request.put(`${url}/api/me`, { data: { name, color }, headers: { origin: url } });
}

async function editor(stage: Stage, address: string, name: string, color: number, options = stage.window): Promise<Editor> {
  const opened = await openEditor(stage.browser, address, options);
  await asPerson(opened.context, new URL(address).origin, name, color);
  await opened.page.reload();
  await until('it is open again', () => textarea(opened.page).isEditable());
  return opened;
}

const editors: Scene = async (stage, shoot) => {
  const me = await editor(stage, stage.essay, 'Quiet Otter', 8);
  const others: Editor[] = [];
  try {
    const { page, context } = me;
    await setCaret(page, 0);
    await saved(page);
    await shoot(page, 'editor-alone');
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('menu').waitFor();
    await shoot(page, 'editor-menu');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+/');
    await page.getByRole('dialog').waitFor();
    await shoot(page, 'editor-keyboard');
    await page.keyboard.press('Escape');

    const desk = { viewport: { width: 1200, height: 800 } };
    others.push(await editor(stage, stage.essay, 'Ada Lovelace', 1, desk), await editor(stage, stage.essay, 'Ben', 5, desk));
    const [ada, ben] = others as [Editor, Editor];
    await caretAfter(ben.page, 'in a sock');
    await type(ben.page, ' ');
    await ben.page.keyboard.press('Backspace');
    const from = (await textarea(ada.page).inputValue()).indexOf('a blue boat');
    await setCaret(ada.page, from, from + 'a blue boat nobody has claimed'.length);
    await until('Ada’s selection is there', () =>
      page.evaluate(() => document.querySelector('[data-concord-people]')?.shadowRoot?.querySelectorAll('.selection').length ?? 0).then((n) => n >= 1),
    );
    await shoot(page, 'editor-three-people');

    await context.setOffline(true);
    await until('offline', async () => (await saveLineOf(page)).startsWith('Offline'));
    await caretAfter(page, 'remembers the bell.');
    await type(page, ' Perhaps the ferryman.');
    await until('kept', async () => /kept on this device/.test(await saveLineOf(page)));
    await shoot(page, 'editor-offline');
    await context.setOffline(false);
    await saved(page);
  } finally {
    await Promise.all([me, ...others].map(({ context }) => context.close()));
  }
};

const edges: Scene = async (stage, shoot) => {
  const long = await editor(stage, stage.long, 'Quiet Otter', 8);
  await setCaret(long.page, 100_000);
  await type(long.page, ' ');
  await shoot(long.page, 'editor-long');
  await long.context.close();

  const full = await editor(stage, stage.full, 'Quiet Otter', 8);
  await setCaret(full.page, 0);
  await paste(full.page, 'This paragraph came too late: the document had reached the size that this server allows, and so it stands here.\n'.repeat(3));
  await full.page.getByRole('alert', { name: 'Text that was not accepted' }).waitFor();
  await shoot(full.page, 'editor-refused');
  await full.context.close();
  const reader = await openWindow(stage.browser, stage.window);
  await asViewer(reader.context);
  await reader.page.goto(stage.essay);
  await until('it is read only', async () => (await saveLineOf(reader.page)) === 'View only');
  await shoot(reader.page, 'editor-read-only');
  await reader.page.goto(`${new URL(stage.full).origin}/d/0123456789abcdef0123456789abcdef`);
  await reader.page.getByRole('heading', { name: 'There is no document here' }).waitFor();
  await shoot(reader.page, 'editor-no-document');
  await reader.context.close();
};

const past: Scene = async (stage, shoot) => {
  const { context, page } = await openWindow(stage.browser, stage.window);
  try {
    const slider = page.getByRole('slider');
    const head = async () => Number(await slider.getAttribute('max'));
    const stands = (what: string) => until(what, async () => (await page.getByTestId('place').getAttribute('aria-busy')) === 'false' && (await page.locator('.authored, ins, del').count()) > 0);
    await page.goto(`${stage.past}?history`);
    await stands('the text is coloured');
    await until('its marks are there', async () => (await page.getByTestId('mark').count()) === 2);
    await shoot(page, 'history');
    await slider.fill(String(Math.round((await head()) * 0.7)));
    await stands('a moment of the past');
    await shoot(page, 'history-past');
    const versions = page.getByRole('button', { name: 'Versions' });
    if (await versions.isVisible()) {
      await versions.click();
      await page.getByRole('dialog').waitFor();
      await shoot(page, 'history-versions');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Authors' }).click();
      await page.getByRole('dialog').waitFor();
      await shoot(page, 'history-authors');
      await page.keyboard.press('Escape');
    }
    await page.getByRole('button', { name: 'Compare with now' }).click();
    await until('it says how much', async () => /differ/.test(await page.getByTestId('diff-words').innerText()));
    await shoot(page, 'history-compare');
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await page.getByText(/^Restoring /).waitFor();
    await shoot(page, 'history-restore');
    await page.getByRole('dialog').getByRole('button', { name: 'Restore', exact: true }).click();
    await page.getByText(/is restored/).waitFor();
    await shoot(page, 'history-restored');
    await page.getByRole('button', { name: 'Undo' }).click();
    await context.route('**/history/summary*', (route) => route.abort('connectionfailed'));
    await page.goto(`${stage.past}?history`);
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await shoot(page, 'history-offline');
  } finally {
    await context.close();
  }
};

const news: Scene = async (stage, shoot) => {
  const { context, page } = await openWindow(stage.browser, stage.window);
  const ben = await openWindow(stage.browser);
  try {
    const id = idOf(stage.past);
    const origin = new URL(stage.past).origin;
    const seen = async () => (await (await page.request.get(`${origin}/api/documents/${id}/seen`)).json()) as { revision: number };
    await page.goto(stage.past);
    await until('it is marked', async () => (await seen()).revision > 0);
    await page.goto(origin);
    await ben.page.goto(origin);
    await asPerson(ben.context, origin, 'Ben', 5);
    const text = await (await page.request.get(`${origin}/api/documents/${id}/text`)).text();
    const still = text.indexOf(' returns the fence');
    await commit(ben.page, id, [[still, ' still', text.length - still], [text.length + 6, 'P.S. The ferryman remembers it.\n']]);
    await page.goto(stage.past);
    await page.getByText(/changes by Ben/).waitFor();
    await shoot(page, 'editor-news');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await until('they are shown', async () => (await page.locator('ins').count()) === 2);
    await shoot(page, 'history-news');
  } finally {
    await context.close();
    await ben.context.close();
  }
};

/** Writes a past by two people into an empty document, and names two moments of it. */
export async function writePast(browser: Browser, address: string): Promise<void> {
  const id = idOf(address);
  const { origin } = new URL(address);
  const first = SAMPLE_TEXT.slice(0, SAMPLE_TEXT.indexOf('1. A milk'));
  const rest = SAMPLE_TEXT.slice(first.length);
  const bell = SAMPLE_TEXT.indexOf('somebody who remembers');
  const writings = [
    { name: 'Ada Lovelace', color: 1, operations: typing(first, 0, 0, 3), version: 'First words' },
    { name: 'Ben', color: 5, operations: [...typing(rest, first.length, first.length, 3), ...typing(' slowly', 31, SAMPLE_TEXT.length, 1)], version: 'With the list' },
    { name: 'Ada Lovelace', color: 1, operations: [[bell + 7, -SAMPLE_TEXT.slice(bell).length + 2, 'the name of the village', 2]], version: null },
  ];
  const windows = new Map<string, Awaited<ReturnType<typeof openWindow>>>();
  for (const { name, color, operations, version } of writings) {
    const one = windows.get(name) ?? (await openWindow(browser));
    if (!windows.has(name)) {
      await one.page.goto(origin);
      await asPerson(one.context, origin, name, color);
    }
    windows.set(name, one);
    await commit(one.page, id, operations);
    if (version) await one.context.request.post(`${origin}/api/documents/${id}/versions`, { data: { name: version }, headers: { origin } });
  }
  for (const { context } of windows.values()) await context.close();
}

const rights: Scene = async (stage, shoot) => {
  const { origin } = new URL(stage.essay);
  const ada = await openAs(stage.browser, origin, 'Ada Lovelace', stage.window);
  const others = await Promise.all(['Quiet Otter', 'Ben', 'مريم', 'Bold Fox'].map((name) => openAs(stage.browser, origin, name, stage.window)));
  const [otter, ben, maryam, fox] = others as [Editor, Editor, Editor, Editor];
  try {
    const address = await writeOwn(ada, origin, { title: 'What the river keeps', text: SAMPLE_TEXT });
    for (const { page } of others) {
      await page.goto(address);
      await until('it is open', () => textarea(page).isEditable());
    }
    await give(ada, address, await userOf(ben, origin), 'editor');
    await give(ada, address, await userOf(maryam, origin), 'commenter');
    await give(ada, address, await userOf(fox, origin), 'none');
    await until('she only comments', async () => (await saveLineOf(maryam.page)) === 'Comment only');
    await maryam.page.locator('[data-sonner-toast]').waitFor();
    await shoot(maryam.page, 'editor-comment-only');
    await openShare(ada.page);
    await shoot(ada.page, 'share-owner');
    await shareDialog(ada.page).getByRole('button', { name: /^Ben: / }).click();
    await ada.page.getByRole('menu').waitFor();
    await shoot(ada.page, 'share-role');
    await ada.page.keyboard.press('Escape');
    await choose(ada.page, 'Ben', 'Hand over…');
    await shareDialog(ada.page).getByRole('group', { name: 'Hand over' }).waitFor();
    await shoot(ada.page, 'share-hand-over');
    await shareDialog(ada.page).getByRole('button', { name: 'Keep it' }).click();
    await openShare(ben.page);
    await shoot(ben.page, 'share-member');

    await otter.context.setOffline(true);
    await caretAfter(otter.page, 'remembers the bell.');
    await type(otter.page, ' Perhaps the ferryman.');
    await until('kept', async () => /kept on this device/.test(await saveLineOf(otter.page)));
    await choose(ada.page, 'Quiet Otter', 'Shut out');
    await until('she has been answered', async () => (await shareDialog(ada.page).getByText('Saving…').count()) === 0);
    await otter.context.setOffline(false);
    await otter.page.getByRole('alert', { name: 'Text that was not sent' }).waitFor();
    await shoot(otter.page, 'editor-revoked');
  } finally {
    await Promise.all([ada, ...others].map(({ context }) => context.close()));
  }
};

const chats: Scene = async (stage, shoot) => {
  const { origin } = new URL(stage.essay);
  const me = await openAs(stage.browser, origin, 'Quiet Otter', stage.window);
  const ada = await openAs(stage.browser, origin, 'Ada Lovelace');
  const panel = (page: Page) => page.getByRole('complementary', { name: 'Chat' });
  const field = (page: Page) => panel(page).getByRole('textbox', { name: 'Message' });
  const say = async (page: Page, text: string) => {
    await field(page).fill(text);
    await field(page).press('Enter');
  };
  try {
    const address = await writeOwn(me, origin, { title: 'What the river keeps', text: SAMPLE_TEXT });
    await saved(me.page);
    await me.page.keyboard.press('Alt+Shift+C');
    await panel(me.page).getByText('Nothing is said yet').waitFor();
    await shoot(me.page, 'chat-empty');
    await me.page.keyboard.press('Escape');
    await ada.page.goto(address);
    await ready(ada.page);
    await ada.page.keyboard.press('Alt+Shift+C');
    await field(ada.page).waitFor();
    const at = SAMPLE_TEXT.indexOf('a blue boat nobody has claimed');
    await setCaret(ada.page, at, at + 'a blue boat nobody has claimed'.length);
    await panel(ada.page).getByRole('button', { name: 'Quote the selected text' }).click();
    await say(ada.page, 'Is this the one from the second chapter? @Quiet Otter');
    await say(ada.page, 'There is a picture of it here: https://example.com/river/boats/blue-one.jpg 🚣');
    await until('two are unread', async () => (await me.page.getByRole('button', { name: 'Chat, 2 unread' }).count()) === 1);
    await shoot(me.page, 'chat-unread');
    await me.page.keyboard.press('Alt+Shift+C');
    await field(me.page).waitFor();
    await say(me.page, 'It is. I would keep it, and name the village instead:\n“the ferry of Oudewater”.');
    await panel(ada.page).getByText(/Oudewater/).waitFor();
    await field(ada.page).focus();
    await type(ada.page, 'Yes, and');
    await until('she types', async () => (await me.page.getByTestId('typing').textContent()) !== '');
    await shoot(me.page, 'chat');
    await field(me.page).focus();
    await type(me.page, 'Then @A');
    await panel(me.page).getByRole('listbox').waitFor();
    await shoot(me.page, 'chat-mention');
    await me.page.keyboard.press('Escape');
    await field(me.page).fill('');
    await me.context.setOffline(true);
    await say(me.page, 'I am on the train, and write on.');
    await panel(me.page).getByText('Sending…').waitFor();
    await shoot(me.page, 'chat-offline');
  } finally {
    await me.context.close();
    await ada.context.close();
  }
};

const notifications: Scene = async (stage, shoot) => {
  const { origin } = new URL(stage.essay);
  const me = await openAs(stage.browser, origin, 'Quiet Otter', stage.window);
  const ada = await openAs(stage.browser, origin, 'Ada Lovelace');
  const bell = (page: Page) => page.getByRole('button', { name: /^Notifications/ });
  const list = (page: Page) => page.getByRole('dialog', { name: 'Notifications' });
  const unread = (count: number) => until(`${count} are unread`, async () => (await bell(me.page).getAttribute('aria-label')) === `Notifications, ${count} unread`);
  try {
    const own = await writeOwn(me, origin, { title: 'What the river keeps', text: SAMPLE_TEXT });
    await me.page.goto(origin);
    await bell(me.page).click();
    await list(me.page).getByText('Nothing yet.').waitFor();
    await shoot(me.page, 'notifications-empty');
    await me.page.keyboard.press('Escape');
    const user = await userOf(me, origin);
    const plans = await writeOwn(ada, origin, { title: 'Plans for the summer house, second draft', text: 'To begin with.' });
    await give(ada, plans, user, 'commenter');
    const minutes = await writeOwn(ada, origin, { title: 'Minutes', text: 'Present: all.' });
    await give(ada, minutes, user, 'editor');
    await unread(2);
    await bell(me.page).click();
    await list(me.page).getByRole('button', { name: 'Mark all as read' }).click();
    await me.page.keyboard.press('Escape');
    await ada.page.goto(own);
    await ready(ada.page);
    await textarea(ada.page).focus();
    await type(ada.page, 'Once. ');
    await unread(1);
    await ada.page.keyboard.press('Alt+Shift+C');
    const field = ada.page.getByRole('complementary', { name: 'Chat' }).getByRole('textbox', { name: 'Message' });
    await field.focus();
    await type(ada.page, '@Qui');
    await ada.page.getByRole('option', { name: 'Quiet Otter' }).waitFor();
    await ada.page.keyboard.press('Enter');
    await type(ada.page, 'look');
    await ada.page.keyboard.press('Enter');
    await unread(2);
    await shoot(me.page, 'notifications-bell');
    await bell(me.page).click();
    await list(me.page).getByText(/named you/).waitFor();
    await shoot(me.page, 'notifications');
    await me.page.goto(own);
    await ready(me.page);
    await shoot(me.page, 'notifications-bell-editor');
    await bell(me.page).click();
    await list(me.page).getByText(/named you/).waitFor();
    await shoot(me.page, 'notifications-editor');
  } finally {
    await me.context.close();
    await ada.context.close();
  }
};

const signIns: Scene = async (stage, shoot) => {
  const { context, page } = await openWindow(stage.browser, stage.window);
  try {
    await page.goto(`${stage.signedIn}/d/0123456789abcdef0123456789abcdef`);
    await page.getByRole('heading', { name: 'Sign in to go on' }).waitFor();
    await shoot(page, 'sign-in');
    await signIn(context, stage.signedIn, 'ada', 8);
    const made = await context.request.post(`${stage.signedIn}/api/documents`, { data: { title: 'What the river keeps', text: SAMPLE_TEXT }, headers: { origin: stage.signedIn } });
    await page.goto(`${stage.signedIn}/d/${((await made.json()) as { id: string }).id}`);
    await until('it is open', () => textarea(page).isEditable());
    await until('it has run out', async () => /^Signed out/.test(await saveLineOf(page)), 30_000);
    await caretAfter(page, 'remembers the bell.');
    await type(page, ' Perhaps the ferryman.');
    await until('kept', async () => /kept on this device/.test(await saveLineOf(page)));
    await shoot(page, 'editor-signed-out');
  } finally {
    await context.close();
  }
};

/** Sixteen minutes of a working day, made up: a chart is judged by its lines, not by the minute that a test has. */
const dashboards: Scene = async (stage, shoot) => {
  const { context, page } = await openWindow(stage.browser, { serviceWorkers: 'block', ...stage.window });
  try {
    const api = await fakeApi(context, { documents: sampleDocuments() });
    await page.routeWebSocket(/\/api\/socket/, (socket) => {
      socket.send(JSON.stringify(sampleWelcome()));
      socket.onMessage((text) => {
        const { type, of = 'server' } = JSON.parse(String(text)) as { type: string; of?: 'server' | 'own' };
        if (type === 'figures_open') socket.send(JSON.stringify(sampleFigures(of, api.documents)));
      });
    });
    await page.goto(`${stage.appUrl}/dashboard`);
    await page.getByText('Live, once a second').waitFor();
    await page.getByRole('link', { name: 'Meeting notes' }).waitFor();
    await shoot(page, 'dashboard');
    await page.getByRole('heading', { name: 'Busiest documents' }).scrollIntoViewIfNeeded();
    await page.getByText('The charts as a table').click();
    await page.getByRole('heading', { name: 'Busiest documents' }).evaluate((heading) => heading.scrollIntoView());
    await shoot(page, 'dashboard-tables');
    await page.getByText('My documents').click();
    await page.evaluate(() => window.scrollTo(0, 0));
    await shoot(page, 'dashboard-own');
  } finally {
    await context.close();
  }
};

const gallery: Scene = (stage, shoot) => home(stage, {}, (page) => shoot(page, 'gallery'), '/gallery');

const report: Scene = async (stage, shoot) => {
  const { context, page } = await openWindow(stage.browser, stage.window);
  try {
    const between = await liar(context);
    await page.goto(stage.essay);
    await ready(page);
    await setCaret(page, 0);
    between.lie();
    await type(page, ' ');
    await page.keyboard.press('Backspace');
    await page.getByRole('button', { name: 'Copy report…' }).waitFor();
    await until('it is saved again', async () => (await saveLineOf(page)) === 'Saved');
    await shoot(page, 'report-offer');
    await page.getByRole('button', { name: 'Copy report…' }).click();
    const sheet = page.getByRole('dialog', { name: 'Report of this session' });
    await sheet.getByText(/^(About|Less)/).waitFor();
    await shoot(page, 'report');
    await sheet.getByRole('checkbox').uncheck();
    await sheet.getByText(/^(About|Less)/).waitFor();
    await shoot(page, 'report-words');
  } finally {
    await context.close();
  }
};

export const SCENES: Record<string, Scene> = { homes, emptyHomes, editors, edges, report, past, news, chats, notifications, rights, signIns, dashboards, gallery };
