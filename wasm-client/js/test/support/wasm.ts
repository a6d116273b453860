/** The real engine in Node: importing this file loads it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { loadEngine } from '../../src/engine.js';

const file = createRequire(import.meta.url).resolve('../../wasm/wasm_client_bg.wasm');
await loadEngine(readFileSync(file));
