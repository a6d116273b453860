// `node xtask/npm/complete-lock.mjs web` adds the programs of other platforms to a folder's package-lock.json.
//
// A registry mirror may hold only what its own platform needs; npm then writes a lock file without the rest, and
// `npm ci` refuses it everywhere. An entry with the version, which the parent fixes, and the platform is enough.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** Whether a package of this name is in reach of the package at `from`, as Node looks for it. */
function isLocked(packages, from, name) {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    if (packages[`${base ? `${base}/` : ''}node_modules/${name}`]) return true;
    if (!base) return false;
  }
}

/** The lock entry of a package whose name ends with its platform, such as `…-linux-x64-musl`. */
function entry(name, version, parent) {
  const words = name.split('/').at(-1).split('-');
  const systems = words.filter((word) => SYSTEMS.includes(word));
  const processors = words.filter((word) => PROCESSORS.includes(word));
  const isMusl = words.some((word) => word.startsWith('musl'));
  const isGnu = systems[0] === 'linux' && words.some((word) => word.startsWith('gnu'));
  return {
    version,
    ...(processors.length > 0 && { cpu: processors }),
    ...(parent.dev && { dev: true }),
    ...((isMusl || isGnu) && { libc: [isMusl ? 'musl' : 'glibc'] }),
    optional: true,
    ...(systems.length > 0 && { os: systems }),
  };
}

const file = join(process.argv[2] ?? '.', 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
let added = 0;
for (const [path, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    // A range leaves the version open; only npm can choose it.
    if (!/^\d/.test(version) || isLocked(lock.packages, path, name)) continue;
    lock.packages[`node_modules/${name}`] = entry(name, version, parent);
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${file}: ${added} added`);
