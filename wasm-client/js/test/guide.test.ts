import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** The tests run from the package's folder, whatever folder they are compiled into. */
const read = (path: string) => readFileSync(path, 'utf8');

test('the guide to a dashboard shows the code of the application that is built and started with the package', () => {
  const page = read('../../docs/build-a-dashboard.md');
  const [handler, component] = [...page.matchAll(/```tsx?\n([^]*?)```/g)].map(([, code]) => code);
  assert.equal(handler, read('test/consumer/app/api/orders/route.ts'));
  assert.equal(component, read('test/consumer/app/shop.tsx'));
});

test('the guide to a chat shows the code of the application that is built with the package', () => {
  const page = read('../../docs/build-a-chat.md');
  const [, first] = /```tsx\n([^]*?)```/.exec(page) ?? [];
  assert.equal(first, read('test/consumer/app/chat.tsx'));
});

test('the guide to notifications shows the code of the application that is built with the package', () => {
  const page = read('../../docs/build-notifications.md');
  const [, first] = /```tsx\n([^]*?)```/.exec(page) ?? [];
  assert.equal(first, read('test/consumer/app/notifications.tsx'));
});
