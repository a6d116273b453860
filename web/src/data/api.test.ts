import { afterEach, expect, it, vi } from 'vitest';
import { api } from './api';

afterEach(() => vi.unstubAllGlobals());

it('lets a new title and a mark arrive after the page that sent them', async () => {
  const send = vi.fn<typeof fetch>(() => Promise.resolve(Response.json({})));
  vi.stubGlobal('fetch', send);
  await api.rename('d', 'New');
  await api.history.markSeen('d', 7);
  await api.get('d');
  expect(send.mock.calls.map(([, init]) => [init?.method, init?.keepalive, init?.cache])).toEqual([
    ['PATCH', true, 'no-store'],
    ['PUT', true, 'no-store'],
    ['GET', false, 'no-store'],
  ]);
});
