#!/usr/bin/env node
/** `concord-sw [folder] [--shell /d/=/d]…`: writes the service worker of an exported app. */
import { parseArgs } from 'node:util';
import { buildServiceWorker } from './sw.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { shell: { type: 'string', multiple: true }, file: { type: 'string' } },
});
const shells = values.shell?.map((pair): [string, string] => {
  const [prefix, page] = pair.split('=');
  if (!prefix || !page) throw new Error(`--shell wants PREFIX=PAGE, as /d/=/d, not ${pair}`);
  return [prefix, page];
});
const built = await buildServiceWorker(positionals[0] ?? 'out', {
  ...(values.file ? { file: values.file } : {}),
  ...(shells ? { shells: Object.fromEntries(shells) } : {}),
});
console.log(`${built.file}: build ${built.build}, ${built.files} files, ${Math.round(built.bytes / 1024)} KB`);
