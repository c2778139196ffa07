// Runs *.test.mjs, one file after another and one test after another; see ./run. `--only WORDS`: those
// of their tests whose names hold WORDS.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cleanup } from '../e2e/support/cleanup.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options, positionals: wanted } = parseArgs({ options: { only: { type: 'string', default: '' } }, allowPositionals: true });
const files = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  .sort();
const LIMIT_MS = 180_000;
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
  const { tests } = await import(join(here, file));
  for (const [name, test] of Object.entries(tests)) {
    if (!name.includes(options.only)) continue;
    const start = Date.now();
    try {
      await limited(test(), LIMIT_MS);
      passed++;
      console.log(`ok   ${file}: ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${file}: ${name}\n${error.stack}`);
    }
    await cleanup();
  }
}
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
