// The command line, the configuration and the signals, as an operator meets them.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { check, onCleanup, until } from '../e2e/support/cleanup.mjs';
import { apart, certificate, parley, program, run, scratch, startServer } from './support/parley.mjs';

const START_MS_MAX = 3000;
const STOP_MS_MAX = 5000;

function equal(seen, expected, what) {
  check(seen === expected, `${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`);
}

/** Exit code 2, nothing on stdout, and this one line on stderr (a text or a pattern). */
function refused(result, line) {
  const lines = result.err.split('\n').filter((text) => text.startsWith('parley: '));
  equal(result.code, 2, `exit code (${result.err})`);
  equal(result.out, '', 'stdout');
  equal(lines.length, 1, `lines of complaint in ${result.err}`);
  const complaint = lines[0].slice('parley: '.length);
  const right = line instanceof RegExp ? line.test(complaint) : complaint === line;
  check(right, `said ${JSON.stringify(complaint)} instead of ${line}`);
}

const serve = (args, options) => parley(['serve', ...args], options);

async function takenTcp(host) {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, host, resolve));
  onCleanup(() => new Promise((resolve) => server.close(resolve)));
  return server.address().port;
}

async function takenUdp() {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, '0.0.0.0', resolve));
  onCleanup(() => new Promise((resolve) => socket.close(resolve)));
  return socket.address().port;
}

/** A server that is only started: {link, port, child, exited, err()}. */
async function begun(args, options = {}) {
  const env = { ...process.env, ...options.env };
  const child = spawn(program, ['serve', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)));
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => (out += bytes));
  child.stderr.on('data', (bytes) => (err += bytes));
  onCleanup(async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await exited;
  });
  const link = await until('the ready line', () => {
    check(child.exitCode === null, `exited: ${err}`);
    return /^ready (http:\/\/localhost:(\d+)\/)$/m.exec(out);
  });
  return { link: link[1], port: Number(link[2]), child, exited, err: () => err };
}

function get(url, agent) {
  return new Promise((resolve, reject) => {
    http.get(url, { agent }, (reply) => {
      let body = '';
      reply.on('data', (bytes) => (body += bytes));
      reply.on('end', () => resolve({ status: reply.statusCode, body }));
    }).on('error', reject);
  });
}

/** A TLS connection that stays open: ask(path) -> status line; print of the certificate shown. */
async function secure(port) {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  let text = '';
  socket.on('data', (bytes) => (text += bytes));
  socket.on('error', () => {});
  onCleanup(() => socket.destroy());
  return {
    name: socket.getPeerCertificate().subject.CN,
    async ask(path) {
      text = '';
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
      await until(`an answer to ${path}`, () => text.includes('\r\n\r\n'));
      return text.split('\r\n')[0];
    },
  };
}

export const tests = {
  async 'an unknown key is named with its file, line or option'() {
    const folder = scratch();
    const file = join(folder, 'parley.conf');
    writeFileSync(file, '# mine\n\nhttp.prot = 8080\n');
    refused(await serve(['--config', file, '--data', folder]), `${file}:3: http.prot: no such key`);
    refused(await serve(['--data', folder, '--set', 'colour=red']), '--set: colour: no such key');
    refused(await serve(['--data', folder, '--set', 'colour']), '--set: "colour" is not key = value');
    refused(await serve(['--config', join(folder, 'none.conf')]), `${join(folder, 'none.conf')}: No such file or directory`);
    refused(await serve(['--colour']), '--colour: no such option, or its value is missing; see parley --help');
    refused(await serve(['now']), 'now: not understood; see parley --help');
  },

  async 'a bad value is named with its file, line, option or variable'() {
    const folder = scratch();
    const file = join(folder, 'parley.conf');
    writeFileSync(file, 'media.tcp = perhaps\n');
    refused(await serve(['--config', file, '--data', folder]), `${file}:1: media.tcp: "perhaps" is not true or false`);
    refused(await serve(['--data', folder, '--set', 'http.port=80800']), '--set: http.port: "80800" is not a number from 0 to 65535');
    refused(await serve(['--data', folder], { env: { PARLEY_MEETINGS_ADHOC: 'all' } }),
      'PARLEY_MEETINGS_ADHOC: meetings.adhoc: "all" is not one of auto|off|members|anyone');
    refused(await serve(['--data', folder, ...apart({ 'media.addresses': 'example.org' })]), /^--set: media\.addresses: /);
    refused(await serve(['--data', folder, ...apart({ 'http.web': join(folder, 'none') })]), /^--set: http\.web: .*none: not found$/);
  },

  async 'a taken port is named, with where it was set'() {
    const folder = scratch();
    const port = await takenTcp('127.0.0.1');
    refused(await serve(['--data', folder, ...apart({ 'http.port': port })]), `--set: http.port: port ${port}: the port is taken`);
    const file = join(folder, 'parley.conf');
    writeFileSync(file, `# the port\nhttp.port=${port}\n`);
    refused(await serve(['--config', file, '--data', folder, ...apart({ 'http.port': undefined })]),
      `${file}:2: http.port: port ${port}: the port is taken`);
    const wide = await takenTcp('0.0.0.0');
    refused(await serve(['--data', folder, ...apart({ 'https.port': wide })]), `--set: https.port: port ${wide}: the port is taken`);
  },

  async 'a taken UDP port is named'() {
    const port = await takenUdp();
    refused(await serve(['--data', scratch(), ...apart({ 'media.port': port })]), `--set: media.port: port ${port}: the port is taken`);
  },

  async 'a data directory that cannot be written is named'() {
    const folder = scratch();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    refused(await serve(['--data', join(file, 'data'), ...apart()]), `--data ${join(file, 'data')}: Not a directory`);
    refused(await serve(['--data', file, ...apart()]), `--data ${file}: Not a directory`);
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    /* root writes everywhere, except without its capabilities */
    const bare = process.getuid() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all', program] : [program];
    const args = ['serve', '--data', locked, ...apart()];
    refused(await run(bare[0], [...bare.slice(1), ...args], { env: { ASAN_OPTIONS: 'detect_leaks=0' } }),
      `--data ${locked}: Permission denied`);
  },

  async 'a second server on the same data is refused'() {
    const folder = scratch();
    const first = await begun(['--data', folder, ...apart()]);
    refused(await serve(['--data', folder, ...apart()]), `--data ${folder}: another server is using it`);
    equal((await get(`${first.link}healthz`)).status, 200, 'the first one meanwhile');
  },

  async 'a broken certificate is named'() {
    const folder = scratch();
    const one = certificate(folder, 'one');
    const other = certificate(folder, 'other');
    const broken = join(folder, 'broken.crt');
    writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n');
    const pair = (crt, key) => serve(['--data', folder, ...apart({ 'https.certificate': crt, 'https.key': key })]);
    refused(await pair(broken, one.key), new RegExp(`^--set: https\\.certificate: ${broken}: `));
    refused(await pair(one.certificate, broken), new RegExp(`^--set: https\\.key: ${broken}: `));
    refused(await pair(one.certificate, other.key), `--set: https.key: ${other.key}: key values mismatch`);
    const rsa = certificate(folder, 'rsa', ['rsa:2048']);
    refused(await pair(one.certificate, rsa.key), `--set: https.key: ${rsa.key} does not fit the certificate ${one.certificate}`);
    refused(await pair(join(folder, 'none'), one.key), new RegExp(`^--set: https\\.certificate: ${join(folder, 'none')}: `));
    refused(await pair(one.certificate, ''), '--set: https.certificate: needs https.key too');
    refused(await pair('', one.key), '--set: https.key: needs https.certificate too');
  },

  async '--help, --version and the manual are there'() {
    const help = await parley(['--help']);
    equal(help.code, 0, 'exit code of --help');
    for (const key of ['http.port', 'https.port', 'media.port', 'meetings.adhoc'])
      check(help.out.includes(`  ${key} `), `${key} is not in --help`);
    equal((await parley([])).out, help.out, 'without arguments');
    check(/^parley \d+\.\d+\.\d+\n$/.test((await parley(['--version'])).out), '--version');
    const unknown = await parley(['sevre']);
    equal(unknown.code, 2, 'exit code of an unknown command');
    const page = join(scratch(), 'parley.1');
    const manual = await parley(['manual']);
    equal(manual.code, 0, 'exit code of manual');
    writeFileSync(page, manual.out);
    const shown = await run('man', ['--warnings', '-l', page], { env: { MANWIDTH: '80', LC_ALL: 'C.UTF-8', MANPAGER: 'cat' } });
    equal(shown.code, 0, `man's exit code (${shown.err})`);
    equal(shown.err, '', 'warnings of man');
    for (const text of ['PARLEY(1)', 'SIGHUP', 'meetings.adhoc', 'EXIT STATUS'])
      check(shown.out.includes(text), `${text} is not in the page`);
  },

  async 'the sample file is taken as it is, and with every line in force'() {
    const folder = scratch();
    const file = join(folder, 'parley.conf');
    const sample = (await parley(['sample-config'])).out;
    for (const text of [sample, sample.replace(/^#(\w+(\.\w+)+ =)/gm, '$1')]) {
      writeFileSync(file, text);
      const server = await begun(['--config', file, '--data', join(folder, 'data'), ...apart()]);
      equal((await get(`${server.link}readyz`)).status, 200, 'readyz');
      server.child.kill('SIGTERM');
      equal(await server.exited, 0, 'exit code');
    }
    check(/^http\.port = 8080$/m.test(sample.replace(/^#(\w+\.\w+ =)/gm, '$1')), 'no line to put in force');
  },

  async '--set is over the environment, which is over the file'() {
    const folder = scratch();
    const file = join(folder, 'parley.conf');
    const taken = await takenTcp('127.0.0.1');
    const other = await takenTcp('127.0.0.1');
    writeFileSync(file, `http.port = ${taken}\n`);
    const without = apart({ 'http.port': undefined });
    const args = ['--config', file, '--data', folder];
    refused(await serve([...args, ...without], { env: { PARLEY_HTTP_PORT: String(other) } }),
      `PARLEY_HTTP_PORT: http.port: port ${other}: the port is taken`);
    const byVariable = await begun([...args, ...without], { env: { PARLEY_HTTP_PORT: '0' } });
    equal((await get(`${byVariable.link}healthz`)).status, 200, 'healthz');
    const bySet = await begun(['--config', file, '--data', join(folder, 'two'), ...apart()], { env: { PARLEY_HTTP_PORT: String(other) } });
    equal((await get(`${bySet.link}healthz`)).status, 200, 'healthz');
  },

  async 'SIGTERM ends it with 0 within 5 s, whoever is connected'() {
    for (const signal of ['SIGTERM', 'SIGINT']) {
      const server = await begun(['--data', scratch(), ...apart()]);
      const agent = new http.Agent({ keepAlive: true });
      onCleanup(() => agent.destroy());
      equal((await get(`${server.link}healthz`, agent)).status, 200, 'healthz');
      const socket = http.get(`${server.link}gateway`, {
        headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' },
      });
      let said = '';
      socket.on('upgrade', (_, stream, first) => {
        said += first;
        stream.on('data', (bytes) => (said += bytes)).on('error', () => {});
      });
      await until('hello', () => said.includes('"hello"'));
      const start = Date.now();
      server.child.kill(signal);
      equal(await server.exited, 0, `exit code after ${signal} (${server.err().slice(-2000)})`);
      const took = Date.now() - start;
      check(took <= STOP_MS_MAX, `${signal}: ended after ${took} ms`);
      check(said.includes('"reconnect"'), 'the client was not told to come back');
    }
  },

  async 'SIGHUP takes a new certificate while connections live on'() {
    const folder = scratch();
    const pair = certificate(folder, 'before');
    const next = certificate(folder, 'after');
    const server = await startServer({ 'https.certificate': pair.certificate, 'https.key': pair.key });
    const open = await secure(server.ports.https);
    equal(open.name, 'before', 'the certificate');
    equal(await open.ask('/healthz'), 'HTTP/1.1 200 OK', 'an answer before');
    copyFileSync(next.certificate, pair.certificate);
    copyFileSync(next.key, pair.key);
    server.process.kill('SIGHUP');
    await until('the new certificate', async () => (await secure(server.ports.https)).name === 'after');
    equal(await open.ask('/healthz'), 'HTTP/1.1 200 OK', 'an answer on the old connection');
    writeFileSync(pair.certificate, 'broken');
    server.process.kill('SIGHUP');
    await until('the complaint', () => server.log.includes('reload_failed'));
    equal((await secure(server.ports.https)).name, 'after', 'the certificate after a broken one');
  },

  async 'SIGHUP reads the log levels again, and --set stays over the file'() {
    const folder = scratch();
    const file = join(folder, 'parley.conf');
    writeFileSync(file, 'log.levels = error\n');
    const quiet = await begun(['--config', file, '--data', join(folder, 'a'), ...apart()]);
    const fixed = await begun(['--config', file, '--data', join(folder, 'b'), ...apart(), '--set', 'log.levels=error']);
    writeFileSync(file, 'log.levels = info\nno.key = 1\n');
    quiet.child.kill('SIGHUP');
    await until('the complaint', () => /config_not_read.*parley\.conf:2: no\.key: no such key/.test(quiet.err()));
    writeFileSync(file, 'log.levels = info\n');
    for (const server of [quiet, fixed]) {
      server.child.kill('SIGHUP');
      server.child.kill('SIGTERM'); /* is taken after it */
      equal(await server.exited, 0, 'exit code');
    }
    check(/ info server stopping /.test(quiet.err()), `no line at level info: ${quiet.err()}`);
    equal(fixed.err(), '', 'what the one with --set logged');
  },

  async 'SIGUSR1 switches debug on and off'() {
    const server = await begun(['--data', scratch(), ...apart({ 'log.levels': 'info' })]);
    const debugged = async () => {
      const before = server.err().length;
      await get(`${server.link}healthz`);
      return server.err().slice(before).includes(' debug http request ');
    };
    check(!(await debugged()), 'debug lines before');
    server.child.kill('SIGUSR1');
    await until('debug lines', debugged);
    server.child.kill('SIGUSR1');
    await until('no debug lines', async () => !(await debugged()));
  },

  async 'it answers within 3 s of its start'() {
    const times = [];
    for (let i = 0; i < 3; i++) {
      const start = Date.now();
      const server = await begun(['--data', scratch(), ...apart()]);
      equal((await get(`${server.link}readyz`)).status, 200, 'readyz');
      times.push(Date.now() - start);
      server.child.kill('SIGTERM');
      await server.exited;
    }
    check(Math.min(...times) <= START_MS_MAX, `ready after ${times.join(', ')} ms`);
  },
};
