/** The client for back ends, against a server that fails as it is told to. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { createServerClient, mintToken, RestError, type ServerClient } from '../src/server.js';

interface Heard {
  method: string;
  path: string;
  authorization: string | undefined;
  body: Record<string, unknown>;
}

type Answer = (response: ServerResponse) => void;

const json = (status: number, body: object, headers: Record<string, string> = {}): Answer => (response) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const refused = (status: number, code: string): Answer => json(status, { error: { code, message: 'No.' } });
/** Took it, and the answer is lost. */
const cut: Answer = (response) => response.destroy();

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** Runs with a server that gives these answers, one after the other. */
async function withServer(answers: Answer[], run: (concord: ServerClient, heard: Heard[]) => Promise<void>): Promise<void> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    void read(request).then((text) => {
      const { method = '', url: path = '', headers } = request;
      heard.push({ method, path, authorization: headers.authorization, body: (text ? JSON.parse(text) : {}) as Heard['body'] });
      (answers.shift() ?? refused(500, 'internal'))(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  let tokens = 0;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    await run(createServerClient({ url, serviceToken: () => Promise.resolve(`t${++tokens}`) }), heard);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const codeOf = async (asked: Promise<unknown>): Promise<[string, number]> => {
  const error: unknown = await asked.then(() => assert.fail('it was answered'), (error: unknown) => error);
  assert.ok(error instanceof RestError, String(error));
  return [error.code, error.status];
};

test('what is told is told under one id however often it is sent', async () => {
  await withServer([cut, refused(503, 'storage_unavailable'), json(202, { id: 'e' })], async (concord, heard) => {
    assert.deepEqual(await concord.tell({ user: 'ada' }, { name: 'export.ready', data: { n: 1 } }), { id: 'e' });
    assert.equal(heard.length, 3);
    const [first] = heard as [Heard];
    assert.deepEqual(heard, [first, first, first]);
    assert.equal(first.authorization, 'Bearer t1');
    assert.match(String(first.body.id), /^[0-9a-f-]{36}$/);
    assert.deepEqual({ ...first.body, id: 0 }, { to: { user: 'ada' }, name: 'export.ready', data: { n: 1 }, id: 0 });
  });
});

test('a notification goes to one or many under one id, the given one or a new one', async () => {
  await withServer([cut, json(201, { id: 'n' }), json(201, { id: 'n' })], async (concord, heard) => {
    await concord.notify('ada', { name: 'build', title: 'Done', url: '/builds/7', id: 'build-7' });
    await concord.notify(['ada', 'ben'], { name: 'build', title: 'Done' });
    assert.deepEqual(heard[0], heard[1]);
    assert.deepEqual(heard[0]?.body, { to: ['ada'], name: 'build', title: 'Done', url: '/builds/7', id: 'build-7' });
    assert.deepEqual(heard[2]?.body.to, ['ada', 'ben']);
    assert.deepEqual([heard[2].path, typeof heard[2].body.id], ['/api/notifications', 'string']);
  });
});

test('a value goes to its topic, and figures are asked for as they are wanted', async () => {
  await withServer([json(202, { id: 'v' }), json(200, { of: 'own' })], async (concord, heard) => {
    await concord.publish('load', undefined);
    assert.equal((await concord.figures('own')).of, 'own');
    assert.deepEqual(heard.map(({ method, path, body }) => [method, path, body]), [
      ['POST', '/api/topics/load', { data: null }], ['GET', '/api/figures?of=own', {}],
    ]);
  });
});

test('a document is created once: again only where the server has done nothing', async () => {
  await withServer([refused(429, 'slow_down'), refused(503, 'overloaded'), json(201, { id: 'd' })], async (concord, heard) => {
    assert.equal((await concord.documents.create({ title: 'New' })).id, 'd');
    assert.equal(heard.length, 3);
  });
  for (const [answer, expected] of [[refused(503, 'storage_unavailable'), 'storage_unavailable'], [refused(500, 'internal'), 'internal'], [cut, 'unreachable']] as const) {
    await withServer([answer, json(201, { id: 'd' })], async (concord, heard) => {
      assert.equal((await codeOf(concord.documents.create()))[0], expected);
      assert.equal(heard.length, 1, `${expected} may have made one`);
    });
  }
});

test('a refusal is told by its code and not asked again; trouble is, four times in all', async () => {
  await withServer([refused(403, 'forbidden')], async (concord, heard) => {
    assert.deepEqual(await codeOf(concord.publish('load', 1)), ['forbidden', 403]);
    assert.equal(heard.length, 1);
  });
  await withServer([cut, cut, cut, refused(502, 'bad_gateway')], async (concord, heard) => {
    assert.deepEqual(await codeOf(concord.documents.get('d')), ['bad_gateway', 502]);
    assert.deepEqual(heard.map((each) => each.path), Array(4).fill('/api/documents/d'));
  });
  const nobody = createServerClient({ url: 'http://127.0.0.1:9', serviceToken: 't', attempts: 2 });
  assert.deepEqual(await codeOf(nobody.figures()), ['unreachable', 0]);
});

test('a token says what it was given and nothing else, signed as HS256', async () => {
  const secret = 'a secret of at least thirty-two bytes';
  const token = await mintToken({ secret, issuer: 'https://product.example', audience: 'concord', user: 'ada', name: 'Ada Ł', ttlS: 60 });
  const [head = '', body = '', signature] = token.split('.');
  assert.equal(createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url'), signature);
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  assert.deepEqual(read(head), { alg: 'HS256', typ: 'JWT' });
  const { iat, exp, ...claims } = read(body);
  assert.deepEqual(claims, { iss: 'https://product.example', aud: 'concord', sub: 'ada', name: 'Ada Ł' });
  assert.equal(Number(exp) - Number(iat), 60);
  await assert.rejects(mintToken({ secret: 'short', issuer: 'i', audience: 'a', user: 'ada' }), /needs 32/);
  await assert.rejects(mintToken({ secret, issuer: 'i', audience: 'a', user: 'g_1' }), /g_/);
});

test('a page that would show the token to everybody gets no client', () => {
  const document = {};
  Object.assign(globalThis, { document, window: { document } });
  try {
    assert.throws(() => createServerClient({ url: '', serviceToken: 't' }), /back ends/);
  } finally {
    Reflect.deleteProperty(globalThis, 'document');
    Reflect.deleteProperty(globalThis, 'window');
  }
});

test('a text is set and edited under one id however often it is asked', async () => {
  const answers = [cut, json(200, { revision: 7 }), refused(503, 'storage_unavailable'), json(200, { revision: 8 })];
  await withServer(answers, async (concord, heard) => {
    assert.deepEqual(await concord.setText('d1', 'all of it', { revision: 3 }), { revision: 7 });
    assert.deepEqual(await concord.edit('d1', 7, [{ at: 0, insert: 'x' }], { id: 'mine' }), { revision: 8 });
    const [set, again, edit, editAgain] = heard as [Heard, Heard, Heard, Heard];
    assert.deepEqual([set, edit], [again, editAgain]);
    assert.deepEqual([set.method, set.path, set.body.text, set.body.revision], ['PUT', '/api/documents/d1/text', 'all of it', 3]);
    assert.match(String(set.body.id), /^[0-9a-f-]{36}$/);
    assert.deepEqual(edit.body, { revision: 7, edits: [{ at: 0, insert: 'x' }], id: 'mine' });
    assert.deepEqual([edit.method, edit.path], ['POST', '/api/documents/d1/edits']);
  });
});
