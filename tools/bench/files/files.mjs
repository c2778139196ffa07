// One large file over REST: MB/s up, down, and up by tus in pieces of 8 MiB, with the server's memory before,
// during and after. usage: node tools/bench/files/files.mjs [--mib 1024]   PARLEY: the program
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { cleanup } from '../../../tests/e2e/support/cleanup.mjs';
import { startServer } from '../../../tests/e2e/support/server.mjs';
import { makeAccounts, rest } from '../../../tests/e2e/support/accounts.mjs';

const MIB = 1 << 20;
const PIECE = 8 * MIB;
const at = process.argv.indexOf('--mib');
const size = (at > 0 ? Number(process.argv[at + 1]) : 1024) * MIB;
const block = Buffer.alloc(MIB, 0).map((_, i) => (i * 2654435761) >>> 24);

function rss(server) {
  const status = readFileSync(`/proc/${server.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024;
}

function cpu(server) {
  const fields = readFileSync(`/proc/${server.process.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Sends `length` bytes, waiting for the socket; answers with status, headers and, when small, the body. */
function send(server, options, length) {
  return new Promise((resolve, reject) => {
    const asked = request(`${server.url}/api/v1/${options.path}`, { method: options.method, headers: options.headers }, (reply) => {
      const parts = [];
      const hash = createHash('sha256');
      let got = 0;
      reply.on('data', (bytes) => {
        got += bytes.length;
        if (options.digest) hash.update(bytes);
        else if (got < MIB) parts.push(bytes);
      });
      reply.on('end', () =>
        resolve({ status: reply.statusCode, headers: reply.headers, got, body: Buffer.concat(parts).toString(), digest: options.digest && hash.digest('hex') }),
      );
    }).on('error', reject);
    let left = length;
    const go = () => {
      while (left > 0) {
        const part = left < MIB ? block.subarray(0, left) : block;
        left -= part.length;
        if (!asked.write(part)) return void asked.once('drain', go);
      }
      asked.end();
    };
    go();
  });
}

async function measured(server, name, run) {
  let peak = 0;
  const before = rss(server);
  const timer = setInterval(() => (peak = Math.max(peak, rss(server))), 50);
  const began = performance.now();
  const used = cpu(server);
  const result = await run();
  const seconds = (performance.now() - began) / 1000;
  clearInterval(timer);
  const row = {
    name,
    mb_per_s: Math.round(size / 1e6 / seconds),
    cpu_s_per_gib: Number((((cpu(server) - used) * 1024 * MIB) / size).toFixed(2)),
    rss_mib: { before: Math.round(before), peak: Math.round(Math.max(peak, before)), after: Math.round(rss(server)) },
  };
  console.log(JSON.stringify(row));
  return result;
}

function expect(what, holds) {
  if (!holds) throw new Error(what);
}

async function tus(server, headers, space) {
  const name = Buffer.from('pieces.bin').toString('base64');
  const made = await send(server, { method: 'POST', path: `spaces/${space}/uploads`, headers: { ...headers, 'upload-length': size, 'upload-metadata': `filename ${name}` } }, 0);
  expect(`creation: ${made.status} ${made.body}`, made.status === 201);
  const sum = createHash('sha256').update(Buffer.concat(Array(PIECE / MIB).fill(block))).digest('base64');
  for (let offset = 0; offset < size; offset += PIECE) {
    const sent = await send(server, {
      method: 'PATCH', path: made.headers.location.replace('/api/v1/', ''),
      headers: { ...headers, 'content-type': 'application/offset+octet-stream', 'upload-offset': offset, 'content-length': PIECE, 'upload-checksum': `sha256 ${sum}` },
    }, PIECE);
    expect(`PATCH: ${sent.status} ${sent.body}`, sent.status === 204);
  }
}

try {
  const server = await startServer({ 'media.workers': 1 });
  const [ada] = await makeAccounts(server, 'Ada');
  const space = (await rest(server, ada.token, 'POST', 'spaces', { name: 'Bench' })).id;
  const headers = { authorization: `Bearer ${ada.token}`, 'tus-resumable': '1.0.0' };
  const up = await measured(server, 'upload', () =>
    send(server, { method: 'POST', path: `spaces/${space}/files?name=big.bin`, headers: { ...headers, 'content-length': size } }, size),
  );
  expect(`upload: ${up.status} ${up.body}`, up.status === 201);
  const path = `files/${JSON.parse(up.body).id}/content`;
  const down = await measured(server, 'download', () => send(server, { method: 'GET', path, headers }, 0));
  expect(`download: ${down.status}, ${down.got} bytes`, down.status === 200 && down.got === size);
  const whole = createHash('sha256');
  for (let i = 0; i < size / MIB; i++) whole.update(block);
  const checked = await send(server, { method: 'GET', path, headers, digest: true }, 0);
  expect('what came back is not what was sent', checked.digest === whole.digest('hex'));
  await measured(server, 'upload in pieces', () => tus(server, headers, space));
} finally {
  await cleanup();
}
