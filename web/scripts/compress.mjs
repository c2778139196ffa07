// Puts a .br and a .gz beside every text file of dist/ that gets smaller by it.
import { readdirSync, readFileSync, writeFileSync, statSync } from 'node:fs';
import { join, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync, constants } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const texts = new Set(['.html', '.js', '.css', '.svg', '.json', '.webmanifest', '.txt']);

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (texts.has(extname(path))) yield path;
  }
}

for (const path of files(dist)) {
  const body = readFileSync(path);
  const brotli = brotliCompressSync(body, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    },
  });
  const gzip = gzipSync(body, { level: 9 });
  if (brotli.length < body.length) writeFileSync(`${path}.br`, brotli);
  if (gzip.length < body.length) writeFileSync(`${path}.gz`, gzip);
  if (statSync(path).size > 4096)
    process.stdout.write(
      `${path.slice(dist.length)}  ${body.length} B, br ${brotli.length} B, gz ${gzip.length} B\n`,
    );
}
