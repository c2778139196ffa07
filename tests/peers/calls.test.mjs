// What telephones and trunks do with a call, as sipp scenarios against a parley of the test's own.
import { createSocket } from 'node:dgram';
import { check, onCleanup, until } from '../e2e/support/cleanup.mjs';
import { parley, startServer } from './support/parley.mjs';
import { freePort } from '../e2e/support/ports.mjs';
import { sipp } from './support/sip.mjs';
import { telephone } from './support/telephone.mjs';
import { answer, asked, bye, call, invite, key, outside, pause, reinvite, reply, request, ringing, scenario, sdp } from './support/scenario.mjs';

async function phoneServer(settings = {}) {
  const port = await freePort();
  const server = await startServer({ 'phone.enabled': 'yes', 'phone.udp': `127.0.0.1:${port}`, 'phone.allow': '127.0.0.1', ...settings });
  await until('the process is ready', () => server.log.includes('phone_ready'));
  return { server, port };
}

/** Runs the scenario; then the process must be the same and take a call. */
async function played(name, steps, options = {}) {
  const { server, port } = options.at ?? (await phoneServer(options.settings));
  await sipp(scenario(name, steps), port, options);
  await sipp(scenario('a call after it', [call(), bye(2)]), port);
  check(!server.log.includes('phone_down'), `the process ended: ${server.log.slice(-1000)}`);
  return server;
}

/** Calls, cancels after `ms`, and does what is right then; the INVITE's final status. */
async function cancelled(port, ms) {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onCleanup(() => socket.close());
  const own = socket.address().port;
  const request = (method, cseq, to, content = '') => socket.send(
    `${method} sip:meet@127.0.0.1:${port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${own};branch=z9hG4bK${own}${method === 'BYE' ? 'b' : ''}${method === 'ACK' && to.status === 200 ? 'a' : ''};rport\r\n` +
    `From: <sip:ann@127.0.0.1>;tag=${own}\r\nTo: ${to.text}\r\nCall-ID: c${own}\r\nCSeq: ${cseq} ${method}\r\nContact: <sip:ann@127.0.0.1:${own}>\r\nMax-Forwards: 70\r\n` +
    `${content ? 'Content-Type: application/sdp\r\n' : ''}Content-Length: ${content.length}\r\n\r\n${content}`, port, '127.0.0.1');
  const nobody = { text: `<sip:meet@127.0.0.1:${port}>` };
  const seen = {};
  socket.on('message', (bytes) => {
    const text = bytes.toString();
    const status = Number(/^SIP\/2.0 (\d+)/.exec(text)?.[1]);
    const method = /^CSeq: \d+ (\w+)/im.exec(text)[1];
    if (status >= 200) seen[method] = { status, text: /^To: (.*)$/im.exec(text)[1].trim() };
    if (method === 'INVITE' && status >= 200) request('ACK', 1, seen.INVITE);
  });
  request('INVITE', 1, nobody, sdp().replaceAll('[local_ip]', '127.0.0.1').replaceAll('[media_ip]', '127.0.0.1').replace('[media_port]', '4000').replaceAll('\n', '\r\n'));
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  request('CANCEL', 1, nobody);
  await until('the end of INVITE and CANCEL', () => seen.INVITE && seen.CANCEL);
  if (seen.INVITE.status === 200) {
    request('BYE', 2, seen.INVITE);
    await until('the end of BYE', () => seen.BYE);
  }
  return seen.INVITE.status;
}

export const tests = {
  async 'PRACK: a caller that requires it gets its ringing reliably'() {
    await played('prack', [
      invite({ headers: 'Require: 100rel\nSupported: 100rel\n' }),
      answer(100, { optional: true }),
      answer(180, { keep: true, has: [['Require', '100rel'], ['RSeq', '[0-9]+']] }).replace('<action>', '<action><ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" assign_to="rseq"/>'),
      request('PRACK', 2, { headers: 'RAck: [$rseq] 1 INVITE\n' }),
      answer(200, { has: [['CSeq', 'PRACK']] }),
      answer(200, { keep: true, has: [['CSeq', 'INVITE'], 'm=audio'] }),
      request('ACK', 1),
      bye(3),
    ]);
  },

  async 'a late offer: ours comes in the 200, the answer in the ACK'() {
    await played('late offer', [
      invite({ content: null }),
      ringing(),
      answer(200, { keep: true, has: ['m=audio [0-9]+ RTP/AVP'] }),
      request('ACK', 1, { content: sdp() }),
      pause(200),
      request('INVITE', 2, { withContact: true }), // and once more in a re-INVITE
      ringing(),
      answer(200, { has: ['m=audio [0-9]+ RTP/AVP'] }),
      request('ACK', 2, { content: sdp() }),
      bye(3),
    ]);
  },

  async 'hold by 0.0.0.0, sendonly and inactive, and back'() {
    const turn = (cseq, lines, has) => reinvite(cseq, { content: sdp(lines, cseq) }) + ringing() + answer(200, { has }) + request('ACK', cseq);
    await played('hold', [
      call(),
      turn(2, 'c=IN IP4 0.0.0.0', ['a=recvonly']),
      turn(3, undefined, ['a=sendrecv']),
      turn(4, 'a=sendonly', ['a=recvonly']),
      turn(5, 'a=inactive', ['a=inactive']),
      turn(6, undefined, ['a=sendrecv']),
      bye(7),
    ]);
  },

  async 'a storm of re-INVITEs in twenty calls at once'() {
    const storm = Array.from({ length: 30 }, (_, i) => reinvite(i + 2) + ringing() + answer(200) + request('ACK', i + 2));
    await played('storm', [call(), ...storm, bye(40)], { calls: 20, rate: 20 });
  },

  async 'UPDATE: without SDP it refreshes, with SDP it is an offer'() {
    await played('update', [
      call({ headers: 'Supported: timer\n' }),
      request('UPDATE', 2, { withContact: true }),
      answer(200),
      request('UPDATE', 3, { withContact: true, content: sdp('a=sendonly', 2) }),
      answer(200, { has: ['m=audio', 'a=recvonly'] }),
      request('UPDATE', 4, { withContact: true, content: sdp(undefined, 3) }),
      answer(200, { has: ['m=audio', 'a=sendrecv'] }),
      bye(5),
    ]);
  },

  async 'OPTIONS is answered outside and inside of a call, REFER and others are refused'() {
    await played('options', [
      outside('OPTIONS'),
      answer(200, { has: [['Allow', 'INVITE']] }),
    ]);
    await played('refer', [
      call(),
      request('OPTIONS', 2), answer(200),
      request('REFER', 3, { headers: 'Refer-To: <sip:+4930555@127.0.0.1>\n', withContact: true }), answer(405),
      request('MESSAGE', 4), answer(405),
      bye(5),
    ]);
  },

  async 'CANCEL at any moment: the call is cancelled, or it stands and is ended'() {
    const { server, port } = await phoneServer();
    const ends = await Promise.all(Array.from({ length: 60 }, (_, i) => cancelled(port, i < 30 ? 0 : i / 5)));
    console.log(`  ${ends.filter((end) => end === 487).length} cancelled, ${ends.filter((end) => end === 200).length} answered first`);
    check(ends.includes(487), 'none was cancelled');
    await sipp(scenario('a call after it', [call(), bye(2)]), port);
    check(!server.log.includes('phone_down'), 'the process ended');
  },

  async 'an ACK that never comes ends the call'() {
    await played('no ack', [invite({ retrans: false }), ringing(), answer(200, { keep: true }), asked('BYE', { timeout: 40000 }), reply('200 OK')]);
  },

  async 'three wrong PINs end the call, by BYE from our side'() {
    const wrong = [...'123456789#'];
    let cseq = 2;
    const keys = Array.from({ length: 3 }, () => wrong.map((digit) => key(cseq++, digit)).join('') + pause(500));
    await played('pins', [call(), ...keys, asked('BYE'), reply('200 OK')]);
  },

  async 'ten wrong PINs block the caller: then the right one is wrong too, and others are let in'() {
    const { server, port } = await phoneServer();
    const created = await parley(['meeting', 'create', '--data', server.data, '--name', 'Guessed', '--json']);
    const { pin } = JSON.parse(created.out);
    const legs = async () => (await server.metrics()).parley_phone_legs;
    /** Types it again and again: what comes while a PIN is looked up is not heard. */
    const typed = async (user, keys) => {
      const phone = await telephone(port, user);
      for (let i = 0; i < 200 && !phone.ended() && (await legs()) === 0; i++) await Promise.race([phone.press(`*${keys}#`), until('its end', phone.ended)]);
      return phone;
    };
    for (let i = 0; i < 4; i++) check((await typed('+4930111', '999')).ended(), 'three wrong PINs did not end the call');
    const blocked = await typed('+4930111', pin);
    check(blocked.ended() && (await legs()) === 0, 'the blocked caller was let in');
    await typed('+4930222', pin);
    check((await legs()) === 1, 'another caller was not let in');
  },

  async 'session timers: we refresh; they refresh; nobody does; too short'() {
    const at = await phoneServer();
    const created = await parley(['meeting', 'create', '--data', at.server.data, '--name', 'Long', '--json']);
    const pin = [...JSON.parse(created.out).pin, '#'];
    const quiet = sdp('a=inactive'); // so that nobody misses our sound
    const timer = (refresher) => `Supported: timer\nSession-Expires: 90;refresher=${refresher}\nMin-SE: 90\n`;
    // In the meeting: the menu gives up on a caller without a PIN before a session's half is over.
    const inMeeting = (refresher, more = '') => call({ content: quiet, headers: timer(refresher) + more }, [['Session-Expires', `90;refresher=${refresher}`]]) + pin.map((digit, i) => key(i + 2, digit)).join('');
    const next = pin.length + 2;
    const refreshed = { headers: 'Require: timer\nSupported: timer\nSession-Expires: 90;refresher=uac\n', content: quiet, withContact: true };
    const options = { at, seconds: 150 };
    await Promise.all([
      played('we refresh by re-INVITE', [
        inMeeting('uas'),
        asked('INVITE', { has: [['Session-Expires', 'refresher=uac'], 'm=audio'] }),
        reply('491 Request Pending'), // it met one of theirs: it comes again (RFC 3261 14.1)
        asked('ACK'),
        asked('INVITE', { has: [['Session-Expires', 'refresher=uac'], 'm=audio'], timeout: 5000 }),
        reply('200 OK', refreshed),
        asked('ACK'),
        bye(next),
      ], options),
      played('we refresh by UPDATE', [
        inMeeting('uas', 'Allow: INVITE, ACK, BYE, CANCEL, UPDATE\n'),
        asked('UPDATE', { has: [['Session-Expires', 'refresher=uac']] }),
        reply('491 Request Pending'),
        asked('UPDATE', { has: [['Session-Expires', 'refresher=uac']], timeout: 5000 }),
        reply('200 OK', { ...refreshed, content: undefined }),
        bye(next),
      ], options),
      played('they refresh', [
        inMeeting('uac'),
        reinvite(next, { content: quiet, headers: timer('uac') }),
        ringing(),
        answer(200, { has: [['Session-Expires', '90;refresher=uac']] }),
        request('ACK', next),
        request('UPDATE', next + 1, { withContact: true, headers: timer('uac') }),
        answer(200, { has: [['Session-Expires', '90;refresher=uac']] }),
        bye(next + 2),
      ], options),
      played('nobody refreshes', [inMeeting('uac'), pause(50000), asked('BYE', { timeout: 60000 }), reply('200 OK')], options),
      played('too short', [
        invite({ headers: 'Supported: timer\nSession-Expires: 30\n' }),
        ringing(),
        answer(422, { keep: true, has: [['Min-SE', '90']] }),
        request('ACK', 1),
      ], options),
    ]);
  },
};
