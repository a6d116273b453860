import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRest, type RestError } from '../src/rest.js';

test('what may be the last thing a page does arrives after it, what may be large does not try', async () => {
  const asked: (string | undefined)[] = [];
  const rest = createRest({
    fetch: async (_, init) => {
      asked.push(`${init?.method} ${init?.keepalive ? 'outlives the page' : 'ends with it'}`);
      return Promise.resolve(Response.json({}));
    },
  });
  await rest.rename('d', 'New');
  await rest.history.renameVersion('d', 'v', 'New');
  await rest.history.markSeen('d', 7);
  await rest.updateMe({ name: 'Ada' });
  await rest.create({ text: 'x'.repeat(100_000) });
  assert.deepEqual(asked, [
    'PATCH outlives the page', 'PATCH outlives the page', 'PUT outlives the page', 'PUT outlives the page', 'POST ends with it',
  ]);
});

test('each request carries the token, asked for anew', async () => {
  let asked = 0;
  const seen: string[] = [];
  const rest = createRest({
    url: 'https://docs.example.com/',
    token: () => Promise.resolve(`t${++asked}`),
    fetch: (input, init) => {
      seen.push(`${init?.method} ${input as string} ${new Headers(init?.headers).get('authorization')}`);
      return Promise.resolve(Response.json({}));
    },
  });
  await rest.sharing.setRole('d', 'ada/@x', 'viewer');
  await rest.sharing.remove('d', 'me');
  assert.deepEqual(seen, [
    'PUT https://docs.example.com/api/documents/d/people/ada%2F%40x Bearer t1',
    'DELETE https://docs.example.com/api/documents/d/people/me Bearer t2',
  ]);
});

test('who has to sign in is told where, if the server says', async () => {
  const bodies = [{ error: { code: 'unauthenticated', message: 'No.', sign_in_url: 'https://login.example.com/' } }, { error: { code: 'unauthenticated', message: 'No.' } }];
  const rest = createRest({ fetch: () => Promise.resolve(Response.json(bodies.shift(), { status: 401 })) });
  const refusal = async () => rest.me().then(() => assert.fail('it was answered'), (error: unknown) => error as RestError);
  const [first, second] = [await refusal(), await refusal()];
  assert.deepEqual([first.code, first.status, first.signInUrl], ['unauthenticated', 401, 'https://login.example.com/']);
  assert.deepEqual([second.code, second.signInUrl], ['unauthenticated', undefined]);
});
