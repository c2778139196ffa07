// Runs the browser tests, one file after another and one test after another (two cores hold
// about four full participants). `node run.mjs NAME...` runs the files whose names hold NAME;
// `--only WORDS` those of their tests whose names hold WORDS.
// Everything runs in a network namespace of its own: no port can be taken, and Firefox, which uses
// no loopback address for media, finds an interface with a route.
// Environment: PARLEY (the program), PARLEY_WEB (the built client).
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cleanup } from './support/cleanup.mjs';
import { enterNet } from './support/net.mjs';

enterNet();

const here = dirname(fileURLToPath(import.meta.url));
const { values: options, positionals: wanted } = parseArgs({
  options: { only: { type: 'string', default: '' } },
  allowPositionals: true,
});
const files = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  .sort();
const LIMIT_MS = 240_000;
let passed = 0;
let failed = 0;

async function limited(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

for (const file of files) {
  const { tests, limitMs = LIMIT_MS } = await import(join(here, file));
  for (const [name, test] of Object.entries(tests)) {
    if (!name.includes(options.only)) continue;
    const start = Date.now();
    try {
      await limited(test(), limitMs);
      passed++;
      console.log(`ok   ${file}: ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${file}: ${name}\n${error?.stack ?? JSON.stringify(error)}`);
    }
    await cleanup();
  }
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
