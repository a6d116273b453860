import { createServerClient, mintToken } from '@concord/client/server';

const concord = createServerClient({
  url: process.env.CONCORD_URL ?? 'http://127.0.0.1:8080',
  serviceToken: () =>
    mintToken({
      secret: process.env.CONCORD_TOKEN_SECRET ?? '',
      issuer: 'https://product.example',
      audience: 'concord',
      user: 'backend',
      service: true,
    }),
});

/** Orders since this process began. */
let orders = 0;

export async function POST() {
  orders += 1;
  await concord.publish('shop', { orders, atMs: Date.now() });
  return Response.json({ orders });
}
