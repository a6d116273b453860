import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createRest } from '../src/rest.js';

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
