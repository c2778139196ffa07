// Calls out of a meeting by a trunk that is a sipp, and what it may do with them.
import { readFileSync } from 'node:fs';
import { check, until } from '../e2e/support/cleanup.mjs';
import { startServer } from './support/parley.mjs';
import { freePort } from '../e2e/support/ports.mjs';
import { nameServer, silence, sipp, trunkBefore, trunkUp } from './support/sip.mjs';
import { answer, asked, called, pause, reply, respond, scenario, sdp, theirs } from './support/scenario.mjs';
import { telephone } from './support/telephone.mjs';

const NUMBER = '+4930901820';
const FAILOVER_MS_MAX = 5000;
const quiet = sdp('a=inactive'); // so that nobody misses their sound
const listens = sdp('a=recvonly');

/** A meeting somebody is in by telephone, and `trunks`, {NAME: {at: {address, port}, more settings}}: {server, call()}. */
async function stage(trunks, settings = {}) {
  const port = await freePort();
  const named = Object.entries(trunks).flatMap(([name, { at, ...more }], i) =>
    Object.entries({ host: `${at.address}:${at.port}`, register: 'no', priority: i + 1, ...more }).map(([key, value]) => [`phone.trunk.${name}.${key}`, value]),
  );
  const server = await startServer({
    'phone.enabled': 'yes', 'phone.udp': `127.0.0.1:${port}`, 'phone.allow': '127.0.0.1', 'phone.options': 3600,
    'phone.out.allow': '+49', 'phone.out.number': '+49301234567', 'phone.out.calls': 100, 'phone.out.hour': 1000, ...Object.fromEntries(named), ...settings,
  });
  for (const name of Object.keys(trunks)) await until(`${name} answers`, () => trunkUp(server, name));
  const { id, token } = await server.createMeeting({});
  const api = (method, path, body) => fetch(`${server.url}/api/v1/meetings/${id}/${path}`, { method, headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: body && JSON.stringify(body) });
  const { pin } = await (await api('GET', 'phone')).json();
  const phone = await telephone(port);
  await phone.press(`${pin}#`);
  await until('somebody is in', async () => (await server.metrics()).parley_phone_legs >= 1);
  const call = async (number = NUMBER) => {
    const made = await api('POST', 'calls', { number });
    check(made.status === 201, `a call: ${made.status} ${await made.clone().text()}`);
  };
  return { server, call };
}

/** Waits until a sipp has that port. */
const listening = (port) => until(`somebody listens at ${port}`, () => readFileSync('/proc/net/udp', 'utf8').includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `));

/** One trunk, behind which each of the scenarios plays a call: one after another, or `together`. */
async function played(scenarios, { trunk = {}, settings = {}, seconds = 60, together = false } = {}) {
  const ports = {};
  for (const [i] of scenarios.entries()) ports[`${NUMBER}${i}`] = await freePort();
  const before = await trunkBefore(ports);
  const { server, call } = await stage({ main: { at: before, ...trunk } }, settings);
  const play = async ([name, steps], i) => {
    const number = `${NUMBER}${i}`;
    const local = ports[number];
    await Promise.all([sipp(scenario(name, steps), 0, { local, target: null, seconds }), listening(local).then(() => call(number))]);
    check(!server.log.includes('phone_down'), `${name}: the process ended: ${server.log.slice(-1500)}`);
  };
  if (together) await Promise.all(scenarios.map(play));
  else for (const [i, one] of scenarios.entries()) await play(one, i);
  return { before, server };
}

const press = (cseq, key) => theirs('INFO', cseq, { content: `Signal=${key}\nDuration=160\n`, type: 'application/dtmf-relay' }) + answer(200);
const theyHangUp = (cseq) => theirs('BYE', cseq) + answer(200);
const taken = (options = {}) => respond('200 OK', { content: sdp(), ...options }) + asked('ACK');

export const tests = {
  async 'PRACK: ringing that must be acknowledged is, with early media in it'() {
    await played([['prack', [
      called({ has: [['Supported', '100rel'], 'm=audio [0-9]+ RTP/AVP'] }),
      respond('183 Session Progress', { headers: 'Require: 100rel\nRSeq: 7\n', content: sdp() }),
      asked('PRACK', { has: [['RAck', '7 [0-9]+ INVITE']] }),
      reply('200 OK'),
      respond('180 Ringing', { headers: 'Require: 100rel\nRSeq: 8\n' }),
      asked('PRACK', { has: [['RAck', '8 [0-9]+ INVITE']] }),
      reply('200 OK'),
      respond('200 OK'), // its answer came in the 183
      asked('ACK'),
      theyHangUp(1),
    ]]]);
  },

  async 'the callee sees who calls, unless the trunk takes no names'() {
    const number = 'sip:.49301234567@127.0.0.1';
    const steps = (from) => [called({ has: [['From', from]] }), respond('486 Busy Here'), asked('ACK')];
    await played([['named', steps(`^ *.Parley. .${number}`)]]);
    await played([['nameless', steps(`^ *.${number}`)]], { trunk: { names: 'no' } });
  },

  async 'who is called holds in every dialect, and asks again and again'() {
    let cseq = 1;
    const turn = (lines, has) => theirs('INVITE', ++cseq, { content: sdp(lines, cseq), withContact: true }) + answer(100, { optional: true }) + answer(180, { optional: true }) + answer(200, { has }) + theirs('ACK', cseq);
    await played([['holds', [
      called(), respond('180 Ringing'), taken(),
      press(1, '1'),
      turn('c=IN IP4 0.0.0.0', ['a=recvonly']), turn(undefined, ['a=sendrecv']),
      turn('a=sendonly', ['a=recvonly']), turn('a=inactive', ['a=inactive']), turn(undefined, ['a=sendrecv']),
      ...Array.from({ length: 20 }, () => turn(undefined, ['a=sendrecv'])),
      theyHangUp(50),
    ]]]);
  },

  async 'session timers: a session too short, we refresh, they refresh, nobody does'() {
    const timer = (refresher) => `Require: timer\nSupported: timer\nSession-Expires: 90;refresher=${refresher}\n`;
    const joined = (refresher, more = '', content = quiet) => [called({ has: [['Session-Expires', '1800'], ['Supported', 'timer']] }), taken({ headers: timer(refresher) + more, content }), press(1, '1')];
    await played([
      ['too short', [
        called({ has: [['Session-Expires', '1800']] }), respond('422 Session Interval Too Small', { headers: 'Min-SE: 7200\n' }), asked('ACK'),
        called({ has: [['Session-Expires', '7200'], ['Min-SE', '7200']] }), taken({ headers: 'Supported: timer\nRequire: timer\nSession-Expires: 7200;refresher=uas\n' }),
        theyHangUp(1),
      ]],
      // Our refresh repeats what we said last: the same version and hold.
      ['we refresh a held call by re-INVITE', [
        ...joined('uac', '', listens),
        theirs('INVITE', 2, { content: sdp('a=inactive', 2), withContact: true, headers: 'Supported: timer\nSession-Expires: 90;refresher=uas\n' }), answer(100, { optional: true }), answer(180, { optional: true }),
        answer(200, { has: ['a=inactive', 'o=- [0-9]+ 2 IN', ['Session-Expires', '90;refresher=uas']] }), theirs('ACK', 2),
        asked('INVITE', { has: [['Session-Expires', 'refresher=uac'], 'a=inactive', 'o=- [0-9]+ 2 IN'] }),
        reply('200 OK', { headers: timer('uac'), content: quiet, withContact: true }),
        asked('ACK'),
        theyHangUp(3),
      ]],
      ['we refresh by UPDATE', [
        ...joined('uac', 'Allow: INVITE, ACK, BYE, CANCEL, UPDATE\n'),
        asked('UPDATE', { has: [['Session-Expires', 'refresher=uac']] }),
        reply('491 Request Pending'), // it met one of theirs: it comes again (RFC 3261 14.1)
        asked('UPDATE', { has: [['Session-Expires', 'refresher=uac']], timeout: 5000 }),
        reply('200 OK', { headers: timer('uac'), withContact: true }),
        theyHangUp(2),
      ]],
      // They speak again, it says: ten seconds without a sound of theirs are too many then.
      ['what is answered to our refresh counts', [
        ...joined('uac', '', listens),
        asked('INVITE', { has: [['Session-Expires', 'refresher=uac'], 'a=sendrecv', 'o=- [0-9]+ 1 IN'] }),
        reply('200 OK', { headers: timer('uac'), content: sdp(undefined, 2), withContact: true }),
        asked('ACK'),
        asked('BYE', { timeout: 20000 }),
        reply('200 OK'),
      ]],
      ['they refresh', [
        ...joined('uas'),
        theirs('INVITE', 2, { content: quiet, withContact: true, headers: 'Supported: timer\nSession-Expires: 90;refresher=uac\n' }), answer(100, { optional: true }), answer(180, { optional: true }),
        answer(200, { has: [['Session-Expires', '90;refresher=uac']] }), theirs('ACK', 2),
        theyHangUp(3),
      ]],
      ['nobody refreshes', [...joined('uas'), pause(50000), asked('BYE', { timeout: 60000 }), reply('200 OK')]],
    ], { seconds: 150, together: true });
  },

  async 'a redirection is not followed, with credentials or without, before a challenge or after'() {
    const elsewhere = await silence();
    const moved = [respond('302 Moved Temporarily', { headers: `Contact: <sip:${NUMBER}@127.0.0.1:${elsewhere.port}>\n` }), asked('ACK')];
    const challenge = [respond('407 Proxy Authentication Required', { headers: 'Proxy-Authenticate: Digest realm="trunk.example", nonce="n0nce", algorithm=MD5\n' }), asked('ACK')];
    const { before } = await played([['moved', [called(), ...moved]]]);
    const { before: secret } = await played([
      ['moved at once', [called(), ...moved]],
      ['moved after a challenge', [called(), ...challenge, called({ has: ['Proxy-Authorization: Digest'] }), ...moved]],
      ['sent by another proxy', [called(), ...[respond('305 Use Proxy', { headers: `Contact: <sip:127.0.0.1:${elsewhere.port}>\n` }), asked('ACK')]]],
    ], { trunk: { user: 'parley', password: 'hush' } });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    check(elsewhere.heard() === 0, `${elsewhere.heard()} messages went elsewhere`);
    check(before.invites.length === 1 && secret.invites.length === 4, `${before.invites.length} and ${secret.invites.length} INVITEs`);
  },

  async 'a trunk that is dead, or says so, is left for the next within 5 s'() {
    const busy = [called(), respond('486 Busy Here'), asked('ACK')];
    const one = await freePort();
    const two = await freePort();
    const first = await trunkBefore({ [NUMBER]: one });
    const second = await trunkBefore({ [NUMBER]: two });
    const { server, call } = await stage({ first: { at: first }, second: { at: second } });
    const next = async (name, refused = []) => {
      const runs = [sipp(scenario(name, busy), 0, { local: two, target: null })];
      if (refused.length > 0) runs.push(sipp(scenario(`${name}, the first`, refused), 0, { local: one, target: null }));
      let begun;
      const begin = async () => {
        await Promise.all([listening(two), refused.length > 0 && listening(one)]);
        begun = Date.now();
        await call();
      };
      await Promise.all([...runs, begin()]);
      const ms = second.invites.at(-1) - begun;
      console.log(`  ${name}: the next after ${ms} ms`);
      check(ms < FAILOVER_MS_MAX, `${name}: after ${ms} ms`);
    };
    // It says to come again later: somebody else is asked now.
    await next('out of order', [called(), respond('503 Service Unavailable', { headers: 'Retry-After: 20\n' }), asked('ACK')]);
    // It takes our OPTIONS and no call. Then it is asked, and is still there.
    first.deaf = true;
    await next('deaf');
    check(first.invites.length >= 2, 'the first was asked first');
    check(await trunkUp(server, 'first'), 'it answers OPTIONS');
  },

  async 'of one trunk with two addresses the second is taken when the first is dead'() {
    const local = await freePort();
    const dead = await trunkBefore({});
    const good = await trunkBefore({ [NUMBER]: local }, '127.0.0.4');
    dead.deaf = true;
    const zone = {
      '_sip._udp.provider.test SRV': [[10, 1, dead.port, 'a.provider.test'], [20, 1, good.port, 'b.provider.test']],
      'a.provider.test A': ['127.0.0.1'],
      'b.provider.test A': ['127.0.0.4'],
    };
    const { call, server } = await stage({}, { 'phone.dns': await nameServer(zone, 3600), 'phone.trunk.main.host': 'provider.test', 'phone.trunk.main.transport': 'udp' });
    await until('the trunk answers', () => trunkUp(server, 'main'));
    const begun = Date.now();
    await Promise.all([
      sipp(scenario('second address', [called(), respond('486 Busy Here'), asked('ACK')]), 0, { local, address: '127.0.0.4', target: null }),
      listening(local).then(() => call()),
    ]);
    const ms = good.invites[0] - begun;
    console.log(`  the second address after ${ms} ms`);
    check(dead.invites.length > 0 && ms < FAILOVER_MS_MAX, `after ${ms} ms`);
  },
};
