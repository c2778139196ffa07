// A parley of the test's own: free ports, a temporary folder, ended by its process id.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onCleanup, until } from './cleanup.mjs';
import { freePort } from './ports.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const program =
  process.env.PARLEY ??
  ['asan', 'release', 'dev'].map((preset) => join(root, 'build', preset, 'parley')).find(existsSync);

export class Server {
  constructor(data, ports, settings, args) {
    this.args = args;
    this.data = data;
    this.ports = ports;
    this.settings = settings;
    this.log = '';
  }

  get url() {
    return `http://localhost:${this.ports.http}`;
  }

  async start() {
    const keys = {
      'http.port': this.ports.http,
      'https.port': this.ports.https,
      'media.port': this.ports.media,
      'meetings.adhoc': 'anyone',
      'http.web': process.env.PARLEY_WEB ?? join(root, 'web/dist'),
      'http.requests': 100000,
      'http.connections': 1000,
      ...this.settings,
    };
    const args = ['serve', '--data', this.data, ...this.args];
    for (const [key, value] of Object.entries(keys)) args.push('--set', `${key}=${value}`);
    this.process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve(signal ?? code)));
    let out = '';
    this.process.stdout.on('data', (bytes) => (out += bytes));
    this.process.stderr.on('data', (bytes) => (this.log = (this.log + bytes).slice(-200_000)));
    await until('the ready line', () => {
      if (this.process.exitCode !== null) throw new Error(`exited: ${this.log.slice(-2000)}`);
      return out.includes('ready http://');
    });
    return this;
  }

  /** Ends it and returns its exit code or signal. */
  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    return this.exited;
  }

  async metrics() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const values = {};
    for (const line of text.split('\n')) {
      const match = /^(\w+)(\{.*\})? (\S+)$/.exec(line);
      if (match) values[match[1]] = (values[match[1]] ?? 0) + Number(match[3]);
    }
    return values;
  }

  async createMeeting(wish = {}) {
    const reply = await fetch(`${this.url}/api/v1/meetings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wish),
    });
    if (reply.status !== 201) throw new Error(`POST /api/v1/meetings: ${reply.status} ${await reply.text()}`);
    return reply.json();
  }
}

/** `args`: more arguments of `parley serve`. */
export async function startServer(settings = {}, args = []) {
  const data = mkdtempSync(join(tmpdir(), 'parley-e2e-'));
  const ports = { http: await freePort(), https: await freePort(), media: await freePort() };
  const server = new Server(data, ports, settings, args);
  onCleanup(async () => {
    const ended = await server.stop();
    rmSync(data, { recursive: true, force: true });
    if (ended !== 0 && ended !== 'SIGKILL') throw new Error(`server ended with ${ended}:\n${server.log.slice(-6000)}`);
  });
  return server.start();
}
