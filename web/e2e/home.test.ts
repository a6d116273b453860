// The home with a made-up API: what a person sees and can do there, in every state.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { serveApp } from './harness/app';
import { assertAccessible } from './harness/axe';
import { launchBrowser, openWindow, until, watchFaults } from './harness/browser';
import { type FakeApi, documentId, fakeApi, makeDocument } from './harness/fake-api';
import { sampleDocuments } from './harness/samples';

let browser: Browser;
let app: Awaited<ReturnType<typeof serveApp>>;

before(async () => {
  [browser, app] = await Promise.all([launchBrowser(), serveApp()]);
});
after(async () => {
  await browser.close();
  app.close();
});

interface Home {
  page: Page;
  api: FakeApi;
}

async function atHome(start: Partial<FakeApi>, test: (home: Home) => Promise<void>, options: BrowserContextOptions = {}, path = '/'): Promise<void> {
  const { context, page } = await openWindow(browser, { serviceWorkers: 'block', ...options });
  try {
    const faults = watchFaults(page);
    const api = await fakeApi(context, start);
    await page.goto(app.url + path);
    await test({ page, api });
    assert.deepEqual(faults, []);
  } finally {
    await context.close();
  }
}

const row = (page: Page, title: string) => page.getByRole('listitem').filter({ hasText: title });

describe('home', () => {
  it('groups my documents by time and says who is there', () =>
    atHome({ documents: sampleDocuments() }, async ({ page }) => {
      await page.getByRole('heading', { name: 'Today' }).waitFor();
      assert.deepEqual(await page.getByRole('heading', { level: 2 }).allTextContents(), ['Today', 'Yesterday', 'This week', 'Earlier']);
      assert.match(await row(page, 'Meeting notes').innerText(), /3 here now/);
      await assertAccessible(page, 'the full home');
    }));

  it('welcomes with one sentence and one button, which makes a document', () =>
    atHome({}, async ({ page, api }) => {
      await page.getByText('Write something, alone or together.').waitFor();
      assert.equal(await page.getByRole('button', { name: 'New document' }).count(), 1);
      await assertAccessible(page, 'the empty home');
      await page.getByRole('button', { name: 'New document' }).click();
      await page.waitForURL(/\/d\/[0-9a-f]{32}$/);
      assert.ok(api.calls.includes('POST /api/documents'));
    }));

  it('renames in place by F2, and Escape keeps the old title', () =>
    atHome({ documents: sampleDocuments() }, async ({ page, api }) => {
      await page.getByRole('link', { name: 'Meeting notes' }).focus();
      await page.keyboard.press('F2');
      await page.getByLabel('New title').fill('Minutes');
      await page.keyboard.press('Enter');
      await page.getByRole('link', { name: 'Minutes' }).waitFor();
      await until('the server knows the title', () => api.documents[0]?.title === 'Minutes');
      await until('focus is back on the row', () => page.evaluate(() => document.activeElement?.textContent === 'Minutes'));
      await page.keyboard.press('F2');
      await page.getByLabel('New title').fill('Nonsense');
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Minutes' }).waitFor();
      assert.equal(api.documents[0]?.title, 'Minutes');
    }));

  it('takes a title back that the server refuses', () =>
    atHome({ documents: sampleDocuments() }, async ({ page, api }) => {
      await row(page, 'Meeting notes').getByRole('button', { name: /^More/ }).click();
      await page.getByRole('menuitem', { name: 'Rename' }).click();
      api.fault = 500;
      await page.getByLabel('New title').fill('Minutes');
      await page.keyboard.press('Enter');
      await page.getByText('The new title was not saved.').waitFor();
      await page.getByRole('link', { name: 'Meeting notes' }).waitFor();
    }));

  it('deletes at once and brings back by Undo', () =>
    atHome({ documents: sampleDocuments() }, async ({ page, api }) => {
      await page.getByRole('link', { name: 'Meeting notes' }).focus();
      await page.keyboard.press('Delete');
      await page.getByText('“Meeting notes” was deleted').waitFor();
      await until('it is off the list', async () => (await page.getByRole('link', { name: 'Meeting notes' }).count()) === 0);
      await assertAccessible(page, 'the home with a message');
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.getByRole('link', { name: 'Meeting notes' }).waitFor();
      await until('the server restored it', () => api.documents[0]?.deleted_ms === undefined);
    }));

  it('restores from Recently deleted', () =>
    atHome(
      { documents: [makeDocument(1, { title: 'Old plan', deleted_ms: Date.now() - 4_000_000 })] },
      async ({ page, api }) => {
        await page.getByRole('button', { name: 'Restore Old plan' }).waitFor();
        await assertAccessible(page, 'recently deleted');
        await page.getByRole('button', { name: 'Restore Old plan' }).click();
        await page.getByText('“Old plan” is back').waitFor();
        await page.getByText('Nothing to restore').waitFor();
        assert.equal(api.documents[0]?.deleted_ms, undefined);
      },
      {},
      '/?deleted',
    ));

  it('searches titles, also beyond the first page', () =>
    atHome({ documents: Array.from({ length: 120 }, (_, n) => makeDocument(n + 1)) }, async ({ page }) => {
      await page.getByRole('link', { name: 'Document 50', exact: true }).waitFor();
      assert.equal(await page.getByRole('link', { name: 'Document 119' }).count(), 0);
      await page.getByRole('button', { name: 'Show more' }).click();
      await page.getByRole('link', { name: 'Document 100', exact: true }).waitFor();
      await page.getByLabel('Search my documents').fill('119');
      await page.getByRole('link', { name: 'Document 119' }).waitFor();
      await until('the rest is gone', async () => (await page.getByRole('link', { name: /^Document \d+$/ }).count()) === 1);
      await page.getByLabel('Search my documents').fill('zebra');
      await page.getByText('Nothing is called “zebra”').waitFor();
      await assertAccessible(page, 'a search without finds');
    }));

  it('opens documents and commands from the palette by keyboard alone', () =>
    atHome({ documents: sampleDocuments() }, async ({ page }) => {
      await page.getByRole('link', { name: 'Meeting notes' }).waitFor();
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').waitFor();
      await assertAccessible(page, 'the palette');
      await page.keyboard.type('river');
      await page.getByRole('option', { name: /river/ }).waitFor();
      await until('one find', async () => (await page.getByRole('option').count()) === 1);
      await page.keyboard.press('Enter');
      await page.waitForURL(`${app.url}/d/${documentId(2)}`);
    }));

  it('shows a skeleton only when the list is late, then an error with a way to try again', () =>
    atHome({ fault: 'hang', documents: sampleDocuments() }, async ({ page, api }) => {
      await page.getByRole('status', { name: 'Loading your documents' }).waitFor();
      await assertAccessible(page, 'the loading home');
      api.fault = 503;
      await page.reload();
      await page.getByText('The server cannot reach its storage').waitFor();
      await assertAccessible(page, 'the home with an error');
      api.fault = null;
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('link', { name: 'Meeting notes' }).waitFor();
    }));

  it('shows the last known list, and says so, when the server is away', () =>
    atHome({ documents: sampleDocuments() }, async ({ page, api }) => {
      await page.getByRole('link', { name: 'Meeting notes' }).waitFor();
      api.fault = 'cut';
      await page.reload();
      await page.getByText('This is the list as last known.').waitFor();
      await page.getByRole('link', { name: 'Meeting notes' }).waitFor();
      await assertAccessible(page, 'the last known list');
      api.fault = null;
      await page.getByRole('button', { name: 'Try now' }).click();
      await until('the note is gone', async () => (await page.getByText('This is the list as last known.').count()) === 0);
    }));

  it('keeps theme and name over a reload, and applies the theme before the first paint', () =>
    atHome({ documents: sampleDocuments() }, async ({ page, api }) => {
      await page.getByRole('button', { name: 'Theme' }).click();
      await page.getByRole('menuitemradio', { name: 'Dark' }).click();
      await page.getByRole('button', { name: /^You: Quiet Otter/ }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill('Ada');
      await page.getByRole('radio', { name: 'Coral' }).click();
      await assertAccessible(page, 'the name sheet');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('button', { name: /^You: Ada/ }).waitFor();
      assert.deepEqual([api.me.name, api.me.color], ['Ada', 1]);
      await page.addInitScript(() => {
        new MutationObserver((_, observer) => {
          if (!document.body) return;
          document.documentElement.dataset.themeAtBody = document.documentElement.dataset.theme ?? 'none';
          observer.disconnect();
        }).observe(document, { childList: true, subtree: true });
      });
      await page.reload();
      assert.equal(await page.locator('html').getAttribute('data-theme-at-body'), 'dark');
      await page.getByRole('button', { name: /^You: Ada/ }).waitFor();
      await assertAccessible(page, 'the dark home');
    }));

  it('moves nothing while it loads', () =>
    atHome({ documents: sampleDocuments() }, async ({ page }) => {
      await page.addInitScript(() => {
        const shifts = ((window as unknown as { shifts: number[] }).shifts = []) as number[];
        new PerformanceObserver((seen) => {
          for (const entry of seen.getEntries()) shifts.push((entry as unknown as { value: number }).value);
        }).observe({ type: 'layout-shift', buffered: true });
      });
      await page.reload();
      await page.getByRole('link', { name: 'Letters to nobody' }).waitFor();
      await page.evaluate(() => document.fonts.ready);
      const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
      const total = shifts.reduce((sum, shift) => sum + shift, 0);
      assert.ok(total < 0.01, `layout shift ${total}`);
    }));

  it('fits a phone and 200 % zoom without sideways scrolling, with targets a finger can hit', () =>
    atHome(
      { documents: sampleDocuments() },
      async ({ page }) => {
        await page.getByRole('link', { name: 'Meeting notes' }).waitFor();
        const small = await page.evaluate(() =>
          [...document.querySelectorAll<HTMLElement>('button, a, input')]
            .filter((element) => element.checkVisibility() && element.getBoundingClientRect().width > 1)
            .filter((element) => {
              const { height } = (element.closest('li') && element.tagName === 'A' ? element.closest('li')! : element).getBoundingClientRect();
              return height < 44;
            })
            .map((element) => element.outerHTML.slice(0, 120)),
        );
        assert.deepEqual(small, []);
        for (const width of [390, 320]) {
          await page.setViewportSize({ width, height: 700 });
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          assert.ok(overflow <= 0, `${width} px wide: ${overflow} px too wide`);
        }
        await assertAccessible(page, 'the home on a phone');
      },
      { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    ));
});

describe('an address that leads nowhere', () => {
  it('says so and leads home', () =>
    atHome(
      { documents: sampleDocuments() },
      async ({ page }) => {
        await page.getByRole('heading', { name: 'There is nothing at this address' }).waitFor();
        await assertAccessible(page, 'the not-found page');
        await page.getByRole('link', { name: 'My documents' }).click();
        await page.getByRole('link', { name: 'Meeting notes' }).waitFor();
      },
      {},
      '/no/such/page',
    ));
});
