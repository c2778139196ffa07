// Other people's SIP on loopback: kamailio as a provider, sipp as a telephone, a small name server.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onCleanup, until } from '../../e2e/support/cleanup.mjs';
import { freePort } from '../../e2e/support/ports.mjs';
import { run, scratch } from './parley.mjs';

const scenarios = join(dirname(fileURLToPath(import.meta.url)), '../sip');

const TRIES = 20;

function modules() {
  for (const folder of ['/usr/lib/x86_64-linux-gnu/kamailio/modules/', '/usr/lib/aarch64-linux-gnu/kamailio/modules/']) {
    if (existsSync(folder)) return folder;
  }
  throw new Error('kamailio is not installed');
}

const TAKEN = 'Address already in use';

/**
 * kamailio as a registrar that asks for a digest: {address, port, stop(), log()}. A port that
 * somebody else was given meanwhile is given up for another, one that was asked for is waited for.
 */
export async function provider(options = {}) {
  for (let i = 1; ; i++) {
    try {
      return await kamailio({ ...options, port: options.port ?? (await freePort()) });
    } catch (error) {
      if (i === TRIES || !error.message.includes(TAKEN)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function kamailio({ address = '127.0.0.1', port: at, algorithm = 'MD5', password = 'secret', tls }) {
  const folder = scratch();
  const text = readFileSync(join(scenarios, 'kamailio.cfg'), 'utf8')
    .replaceAll('@MODULES@', modules())
    .replaceAll('@LISTEN@', tls ? `tls:${address}:${at}` : `udp:${address}:${at}`)
    .replaceAll('@ADDRESS@', address)
    .replaceAll('@ALGORITHM@', algorithm)
    .replaceAll('@PASSWORD@', password)
    .replaceAll('@TLS@', tls ? 'yes' : 'no')
    .replaceAll('#TLS ', tls ? '' : '#TLS ')
    .replaceAll('@CERTIFICATE@', tls?.certificate ?? '')
    .replaceAll('@KEY@', tls?.key ?? '');
  const file = join(folder, 'kamailio.cfg');
  writeFileSync(file, text);
  const child = spawn('kamailio', ['-DD', '-E', '-f', file, '-Y', folder, '-m', '32', '-M', '8'], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let log = '';
  child.stderr.on('data', (bytes) => (log = (log + bytes).slice(-100_000)));
  const exited = new Promise((resolve) => child.on('exit', resolve));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    await exited;
  };
  onCleanup(stop);
  await until('kamailio is up', () => {
    if (child.exitCode !== null) throw new Error(`kamailio: ${log.slice(-2000)}`);
    return log.includes('parley-provider-ready') || tls !== undefined && log.includes('listening');
  });
  return { address, port: at, stop, log: () => log };
}

/**
 * Runs a scenario once, or `calls` times: resolves when it went as it says. `scenario` is the name of
 * one in tests/peers/sip, or the XML of one made by scenario.mjs. `local`: the port it is at; with
 * `target` null it waits there to be called.
 */
export async function sipp(scenario, port, { calls = 1, rate = 10, address = '127.0.0.1', local, keys = {}, seconds = 60, args = [], target } = {}) {
  const folder = scratch();
  const made = scenario.startsWith('<?xml');
  const file = made ? join(folder, 'scenario.xml') : join(scenarios, `${scenario}.xml`);
  if (made) writeFileSync(file, scenario);
  const at = local ?? (await freePort());
  const media = (await freePort()) & ~1;
  const named = Object.entries(keys).flatMap(([key, value]) => ['-key', key, String(value)]);
  const result = await run('sipp', [
    ...(target === null ? [] : [`127.0.0.1:${port}`]), '-sf', file, '-i', address, '-p', String(at), '-mp', String(media), '-mi', address,
    '-m', String(calls), '-r', String(rate), '-nostdin', '-timeout', `${seconds}s`, '-timeout_error', '-trace_err',
    '-error_file', join(folder, 'errors'), ...named, ...args,
  ], { env: { TERM: 'dumb' }, seconds: seconds + 5 });
  if (result.code !== 0) {
    const errors = join(folder, 'errors');
    throw new Error(`${made ? /name="([^"]*)"/.exec(scenario)[1] : scenario}: sipp ended with ${result.code}\n${existsSync(errors) ? readFileSync(errors, 'utf8').slice(-3000) : result.out.slice(-2000)}${result.err.slice(-500)}`);
  }
  return result;
}

/** Every meeting's and trunk's figure by its labels, as /metrics has them. */
export async function metric(server, name) {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const values = {};
  for (const line of text.split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match && match[1] === name) values[match[2] ?? ''] = Number(match[3]);
  }
  return values;
}

export const trunkUp = async (server, name) => (await metric(server, 'parley_phone_trunk_up'))[`trunk="${name}"`] === 1;

/** A socket that hears everything and says nothing: a provider that is dead. */
export async function silence(address = '127.0.0.1') {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, address, resolve));
  let heard = 0;
  socket.on('message', () => heard++);
  onCleanup(() => socket.close());
  return { address, port: socket.address().port, heard: () => heard };
}

/**
 * A trunk before sipps: answers OPTIONS itself, which a sipp would take for a call, and hands on all
 * else both ways, a call to the port that `ports` has for its number. {port, address, invites: when
 * each came, deaf}: when `deaf` it hands on nothing.
 */
export async function trunkBefore(ports, address = '127.0.0.1') {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, address, resolve));
  onCleanup(() => socket.close());
  const self = { address, port: socket.address().port, deaf: false, invites: [] };
  const calls = new Map();
  let parley = null;
  socket.on('message', (bytes, from) => {
    if (Object.values(ports).includes(from.port)) return parley && socket.send(bytes, parley.port, parley.address);
    parley = from;
    const text = bytes.toString();
    const id = /^Call-ID: (.*)$/im.exec(text)?.[1];
    const [, method, number] = /^(\w+) sip:([^@;> ]*)/.exec(text) ?? [];
    if (method === 'INVITE') self.invites.push(Date.now());
    if (method === 'INVITE' && ports[number]) calls.set(id, ports[number]);
    if (method === 'OPTIONS') {
      const kept = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
      socket.send(`SIP/2.0 200 OK\r\n${kept.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`, from.port, from.address);
    } else if (!self.deaf && calls.has(id)) socket.send(bytes, calls.get(id), address);
  });
  return self;
}

const encodedName = (name) => Buffer.concat([...name.split('.').filter(Boolean).map((part) => Buffer.from([part.length, ...Buffer.from(part)])), Buffer.from([0])]);
const u16 = (...values) => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]));
const text = (value) => Buffer.from([value.length, ...Buffer.from(value)]);
const encoders = {
  A: [1, (address) => Buffer.from(address.split('.').map(Number))],
  SRV: [33, ([priority, weight, port, target]) => Buffer.concat([u16(priority, weight, port), encodedName(target)])],
  NAPTR: [35, ([order, preference, service, target]) => Buffer.concat([u16(order, preference), text('s'), text(service), text(''), encodedName(target)])],
};

/** A name server of `zone`, {"NAME TYPE": [values]}, which may change: "ADDRESS:PORT". */
export async function nameServer(zone, ttl = 1) {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const labels = [];
    let at = 12;
    for (; question[at] > 0; at += question[at] + 1) labels.push(question.subarray(at + 1, at + 1 + question[at]).toString());
    const kind = question.readUInt16BE(at + 1);
    const end = at + 5;
    const [type, [, encode]] = Object.entries(encoders).find(([, [number]]) => number === kind) ?? ['none', []];
    const records = (zone[`${labels.join('.').toLowerCase()} ${type}`] ?? []).map((value) => {
      const data = encode(value);
      return Buffer.concat([Buffer.from([0xc0, 12]), u16(kind, 1, 0, ttl, data.length), data]);
    });
    const known = Object.keys(zone).some((key) => key.startsWith(`${labels.join('.').toLowerCase()} `));
    const head = Buffer.concat([question.subarray(0, 2), u16(known ? 0x8580 : 0x8583, 1, records.length, 0, 0)]);
    socket.send(Buffer.concat([head, question.subarray(12, end), ...records]), from.port, from.address);
  });
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onCleanup(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}
