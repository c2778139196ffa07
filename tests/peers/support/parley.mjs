// What the tests of the command line and of other programs share.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, onCleanup } from '../../e2e/support/cleanup.mjs';
import { startServer as start } from '../../e2e/support/server.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const program =
  process.env.PARLEY ??
  ['asan', 'release', 'dev'].map((preset) => join(root, 'build', preset, 'parley')).find(existsSync);

/** A folder that goes after the test. */
export function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'parley-peers-'));
  onCleanup(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The built client, or a page in its place: none of these tests looks at it. */
export function web() {
  const built = process.env.PARLEY_WEB ?? join(root, 'web/dist');
  if (existsSync(join(built, 'index.html'))) return built;
  const folder = scratch();
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Parley</title>');
  return folder;
}

export const startServer = (settings = {}, args = []) => start({ 'http.web': web(), ...settings }, args);

/** Settings that keep a server apart from every other on the machine; undefined leaves a key out. */
export function apart(settings = {}) {
  const keys = { 'http.web': web(), 'http.port': 0, 'https.port': 0, 'media.port': 0, ...settings };
  const given = Object.entries(keys).filter(([, value]) => value !== undefined);
  return given.flatMap(([key, value]) => ['--set', `${key}=${value}`]);
}

/** Runs a program to its end: {code, out, err}. */
export function run(command, args, { env = {}, seconds = 60 } = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    child.stdout.on('data', (bytes) => (out += bytes));
    child.stderr.on('data', (bytes) => (err += bytes));
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? signal, out, err });
    });
  });
}

export const parley = (args, options) => run(program, args, options);

/** A certificate and its key, both in `folder`, as an operator would make them. */
export function certificate(folder, name, kind = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']) {
  const pair = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  const made = spawnSync('openssl', [
    'req', '-x509', '-newkey', ...kind, '-nodes', '-days', '30',
    '-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost', '-keyout', pair.key, '-out', pair.certificate,
  ]);
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  return pair;
}

/** A load tool of tools/bench, built beside the release; nothing when it is there. */
export async function built(name) {
  const bench = await run('cmake', ['--preset', 'release', '-S', root, '-DPARLEY_BENCH=ON']);
  check(bench.code === 0, bench.err);
  const ninja = await run('ninja', ['-C', join(root, 'build/release'), '-j2', name], { seconds: 170 });
  check(ninja.code === 0, ninja.out);
  return join(root, 'build/release/tools/bench', name);
}
