// Events pushed to many websockets, and many idle ones held: starts a server with some accounts in a space, and
// lets fanout measure. usage: node fanout.mjs FANOUT [--sockets 1000] [--rate 20] [--seconds 20] [--idle 15000]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanup } from '../../../tests/e2e/support/cleanup.mjs';
import { startServer } from '../../../tests/peers/support/parley.mjs';

const ACCOUNTS = 20;
const password = 'a quiet lake at dawn';
const [tool, ...given] = process.argv.slice(2);
const wishes = { '--sockets': '1000', '--rate': '20', '--seconds': '20', '--idle': '15000' };
for (let i = 0; i + 1 < given.length; i += 2) wishes[given[i]] = given[i + 1];

const server = await startServer({ 'https.enabled': 'yes', 'http.connections': 50000, 'http.requests': 1000000 });
const ask = async (token, path, body) => {
  const reply = await fetch(`${server.url}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
};
const signIn = async (email) => (await ask(null, 'session', { email, password })).token;
await ask(null, 'setup', { email: 'a0@example.org', name: 'A', password });
const tokens = [await signIn('a0@example.org')];
const space = (await ask(tokens[0], 'spaces', { name: 'Harbour' })).id;
for (let i = 1; i < ACCOUNTS; i++) {
  await ask(tokens[0], 'users', { email: `a${i}@example.org`, name: 'A', password });
  await ask(tokens[0], `spaces/${space}/members`, { email: `a${i}@example.org`, role: 'viewer' });
  tokens.push(await signIn(`a${i}@example.org`));
}
const folder = mkdtempSync(join(tmpdir(), 'parley-fanout-'));
writeFileSync(join(folder, 'tokens'), tokens.join('\n'), { mode: 0o600 });
const more = Object.entries({
  ...wishes, '--port': server.ports.https, '--http': server.ports.http, '--pid': server.process.pid,
  '--space': space, '--tokens': join(folder, 'tokens'),
}).flat().map(String);
const child = spawn(tool, more, { stdio: ['ignore', 'inherit', 'inherit'] });
const code = await new Promise((resolve) => child.on('close', resolve));
rmSync(folder, { recursive: true });
await cleanup();
process.exit(code ?? 1);
