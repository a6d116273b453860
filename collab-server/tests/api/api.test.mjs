// Holds the description of the REST interface against the rules of OpenAPI 3.1, and every answer of a running server
// against the description. CONCORD_SERVER names the program; `cargo xtask test api` sets it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const DEADLINE_MS = 20_000;
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

let server;
let base;
let document;
let schemas;

before(async () => {
  const program = process.env.CONCORD_SERVER;
  assert.ok(program, 'CONCORD_SERVER must name the program');
  const flags = ['--listen', '127.0.0.1:0', '--database', 'memory:', '--log-format', 'json'];
  server = spawn(program, flags, { env: { PATH: process.env.PATH }, stdio: ['ignore', 'ignore', 'pipe'] });
  const log = createInterface({ input: server.stderr });
  const address = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server does not serve')), DEADLINE_MS);
    server.once('exit', () => reject(new Error('the server ended')));
    log.on('line', (line) => {
      const found = JSON.parse(line).address;
      if (found) {
        clearTimeout(timer);
        resolve(found);
      }
    });
  });
  base = `http://${address}`;
  document = await (await fetch(`${base}/api/openapi.json`)).json();
  schemas = compile(document);
});

after(() => server?.kill());

/** Validators of the schemas, in which an answer may hold nothing that they do not name. */
function compile(described) {
  const closed = structuredClone(described.components.schemas);
  const isOpen = closeWholes(closed);
  for (const [name, schema] of Object.entries(closed)) {
    if (schema.type === 'object' && !isOpen.has(`#/components/schemas/${name}`)) schema.additionalProperties = false;
  }
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv, ['int32', 'int64']);
  ajv.addSchema({ $id: 'concord', components: { schemas: closed } });
  return (reference) => ajv.getSchema(`concord${reference}`);
}

/** What is put together of several schemas is closed as a whole; gives the names of those, which must stay open. */
function closeWholes(schema, parts = new Set()) {
  if (schema === null || typeof schema !== 'object') return parts;
  for (const part of schema.allOf ?? []) if (part.$ref) parts.add(part.$ref);
  for (const inner of Object.values(schema)) closeWholes(inner, parts);
  if (schema.allOf) schema.unevaluatedProperties = false;
  return parts;
}

/** One person at the server. */
class Guest {
  cookie = '';

  async ask(method, path, body, headers = {}) {
    const answer = await fetch(base + path, {
      method: method.toUpperCase(),
      headers: {
        ...(this.cookie && { cookie: this.cookie }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const cookie = answer.headers.get('set-cookie');
    if (cookie) this.cookie = cookie.split(';')[0];
    return answer;
  }
}

/** Holds an answer against what the description says of it; gives its body. */
async function hold(operation, answer) {
  const named = `${operation.operationId} answered ${answer.status}`;
  const described = operation.responses[answer.status];
  const text = await answer.text();
  assert.ok(described, `${named}, which is not described: ${text}`);
  if (!described.content) {
    assert.equal(text, '', `${named} with a body that is not described`);
    return undefined;
  }
  const kind = answer.headers.get('content-type').split(';')[0];
  const content = described.content[kind];
  assert.ok(content, `${named} with ${kind}`);
  for (const [name, header] of Object.entries(described.headers ?? {})) {
    const value = answer.headers.get(name);
    if (value !== null) assert.match(value, header.schema.type === 'integer' ? /^\d+$/ : /./, name);
  }
  if (kind !== 'application/json') return text;
  const body = JSON.parse(text);
  const reference = content.schema.$ref;
  if (reference) {
    const validate = schemas(reference);
    assert.ok(validate(body), `${named}: ${JSON.stringify(validate.errors)}: ${text}`);
  }
  return body;
}

/** What only back ends may do. */
const BACK_END = ['tellEvent', 'publishValue', 'notify'];

function operations() {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ method, path, operation: item[method] })),
  );
}

function find(id) {
  const found = operations().find(({ operation }) => operation.operationId === id);
  assert.ok(found, `there is no operation ${id}`);
  return found;
}

test('the description keeps the rules of OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors, null, 2));
  assert.equal(validator.version, '3.1');
  // The check can fail.
  const broken = structuredClone(document);
  broken.paths['/api/me'].get.responses = { good: {} };
  assert.equal((await new Validator().validate(broken)).valid, false);
});

test('every operation answers as it is described', async () => {
  const owner = new Guest();
  const done = new Set();
  const run = async (id, values = {}, body, query = '', headers = {}) => {
    const { method, path, operation } = find(id);
    const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name]));
    const answer = await owner.ask(method, filled + query, body, headers);
    assert.ok(answer.status < 300, `${id} answered ${answer.status}`);
    done.add(id);
    return hold(operation, answer);
  };

  await run('readDescription');
  await run('readMe');
  await run('updateMe', {}, { name: 'Ada', color: 3 });
  const { id } = await run('createDocument', {}, { title: 'Notes', text: 'one' });
  await run('createDocument');
  const { documents } = await run('listDocuments', {}, undefined, '?limit=1&q=notes');
  assert.equal(documents.length, 1);
  await run('renameDocument', { id }, { title: 'Minutes' });
  await run('readDocument', { id });
  await run('readText', { id });
  await run('readText', { id }, undefined, '?revision=0');
  await run('readText', { id }, undefined, `?time_ms=${Date.now()}`);
  await run('restoreRevision', { id }, { revision: 0 });
  await run('setText', { id }, { text: 'set over REST', id: 'once' });
  await run('editText', { id }, { revision: 0, edits: [{ at: 0, insert: 'more ' }] });
  await run('listOperations', { id }, undefined, '?after=0&limit=1');
  await run('summarizeHistory', { id }, undefined, '?buckets=2');
  await run('compareRevisions', { id }, undefined, '?from=0&to=1');
  await run('attributeText', { id }, undefined, '?revision=1&from=0&len=2&gap_ms=0');
  const version = await run('nameRevision', { id }, { name: 'first', revision: 1 });
  await run('renameVersion', { id, version: version.id }, { name: 'the first' });
  await run('listVersions', { id });
  await run('deleteVersion', { id, version: version.id });
  await run('markSeen', { id }, { revision: 1 });
  await run('readSeen', { id });
  await run('deleteDocument', { id });
  await run('restoreDocument', { id });

  await run('readSharing', { id });
  await run('setLink', { id }, { link: 'view' });
  const friend = new Guest();
  const user = (await (await friend.ask('get', '/api/me')).json()).id;
  const { people } = await run('setPerson', { id, user }, { role: 'editor' });
  assert.ok(people.some((person) => person.user === user && person.role === 'editor'));
  await run('listNotifications');
  const { method, path, operation } = find('listNotifications');
  for (const deadline = Date.now() + DEADLINE_MS; ; ) {
    const told = await hold(operation, await friend.ask(method, path));
    if (told.notifications.length === 1) break;
    assert.ok(Date.now() < deadline, 'the friend is told of it');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await run('readNotifications', {}, {});
  await run('readFigures');
  await run('removePerson', { id, user });
  const { session } = await run('openSession', {}, { subprotocol: 'concord.v1' });
  const about = { 'concord-session': session };
  const kind = { ...about, 'content-type': 'text/plain' };
  await run('sendMessages', {}, '{"type":"ping","t":1}\n', '?n=1', kind);
  assert.match(await run('receiveMessages', {}, undefined, '?poll_ms=1000', about), /welcome/);
  await run('endSession', {}, undefined, '', about);

  // Nobody is a back end here: that they are let in is tried where there are tokens.
  for (const name of BACK_END) {
    const { method, path, operation } = find(name);
    const answer = await owner.ask(method, path.replace('{topic}', 'load'), { to: { tenant: true }, name: 'n', data: 1 });
    assert.equal((await hold(operation, answer)).error.code, 'forbidden');
    done.add(name);
  }
  const open = operations().filter(({ operation }) => !done.has(operation.operationId));
  assert.deepEqual(open.map(({ operation }) => operation.operationId), [], 'each operation was tried');
});

test('what is wrong is answered as it is described', async () => {
  const guest = new Guest();
  const { id } = await (await guest.ask('post', '/api/documents', { title: 'x' })).json();
  for (const { method, path, operation } of operations()) {
    if (!path.includes('{')) continue;
    const absent = path.replace(/\{\w+\}/g, 'f'.repeat(32));
    const body = operation.requestBody && {};
    const missing = await guest.ask(method, absent, body);
    assert.ok(missing.status >= 400, `${operation.operationId} of nothing answered ${missing.status}`);
    await hold(operation, missing);
  }
  for (const { method, path, operation } of operations()) {
    if (!operation.requestBody?.content['application/json']) continue;
    const own = path.replace('{id}', id).replace(/\{\w+\}/g, 'f'.repeat(32));
    const wrong = await guest.ask(method, own, '{');
    const [status, code] = BACK_END.includes(operation.operationId) ? [403, 'forbidden'] : [400, 'bad_request'];
    assert.equal(wrong.status, status, operation.operationId);
    assert.equal((await hold(operation, wrong)).error.code, code);
    const foreign = await guest.ask(method, own, {}, { origin: 'https://evil.example' });
    assert.equal(foreign.status, 403, operation.operationId);
    await hold(operation, foreign);
  }
  for (const query of ['?limit=0', '?cursor=x']) {
    const { operation } = find('listDocuments');
    assert.equal((await hold(operation, await guest.ask('get', `/api/documents${query}`))).error.code, 'bad_request');
  }
  const { operation } = find('compareRevisions');
  const ahead = await guest.ask('get', `/api/documents/${id}/diff?from=0&to=99`);
  assert.equal((await hold(operation, ahead)).error.code, 'revision_ahead');
  const same = await guest.ask('get', `/api/documents/${id}/diff?from=0&to=0`);
  const tag = same.headers.get('etag');
  const unchanged = await guest.ask('get', `/api/documents/${id}/diff?from=0&to=0`, undefined, { 'if-none-match': tag });
  assert.equal(unchanged.status, 304);
  await hold(operation, unchanged);
});
