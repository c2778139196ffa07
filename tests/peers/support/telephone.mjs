// A telephone of few words: SIP over UDP, PCMU, keys by INFO or as telephone-events; it counts the
// RTP packets it misses.
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { fileURLToPath } from 'node:url';
import { onCleanup, until } from '../../e2e/support/cleanup.mjs';

/** A second of 1 kHz, so that the room is never silent. */
function tone() {
  const encode = (sample) => {
    const sign = sample < 0 ? 0x80 : 0;
    const value = Math.min(Math.abs(sample), 32635) + 132;
    const exponent = Math.floor(Math.log2(value)) - 7;
    return ~(sign | (exponent << 4) | ((value >> (exponent + 3)) & 15)) & 255;
  };
  return Buffer.from(Array.from({ length: 160 }, (_, i) => encode(Math.round(8000 * Math.sin((i * Math.PI) / 4)))));
}

const KEYS = '0123456789*#ABCD';
const KEY_PACKETS = 5;
const KEY_ENDS = 3;

async function bound() {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  let open = true;
  const close = () => open && ((open = false), socket.close());
  onCleanup(close);
  return { socket, port: socket.address().port, close };
}

/** Calls "meet" at that port as `user`: {press(keys), touch(keys), ended(), count(), counted(), hangUp()}. */
export async function telephone(port, user = 'ann') {
  const sip = await bound();
  const rtp = await bound();
  const id = `${sip.port}${Date.now()}`;
  const answers = new Map();
  let to = `<sip:meet@127.0.0.1:${port}>`;
  let cseq = 0;
  const send = (method, number, content = '', type = 'application/sdp') => sip.socket.send(
    `${method} sip:meet@127.0.0.1:${port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${sip.port};branch=z9hG4bK${id}${method}${number};rport\r\nFrom: <sip:${user}@127.0.0.1>;tag=${id}\r\nTo: ${to}\r\nCall-ID: ${id}\r\nCSeq: ${number} ${method}\r\nContact: <sip:ann@127.0.0.1:${sip.port}>\r\nMax-Forwards: 70\r\n${content ? `Content-Type: ${type}\r\n` : ''}Content-Length: ${content.length}\r\n\r\n${content}`, port, '127.0.0.1');
  const asked = async (method, content, type) => {
    const number = ++cseq;
    const key = `${number} ${method}`;
    send(method, number, content, type);
    const again = setInterval(() => send(method, number, content, type), 500);
    await until(`an answer to ${method}`, () => answers.has(key)).finally(() => clearInterval(again));
    return answers.get(key);
  };
  let ended = false;
  sip.socket.on('message', (bytes) => {
    const text = bytes.toString();
    if (text.startsWith('BYE ')) {
      ended = true;
      sip.socket.send(`SIP/2.0 200 OK\r\n${text.match(/^(Via|From|To|Call-ID|CSeq): .*$/gim).join('\n')}\nContent-Length: 0\r\n\r\n`, port, '127.0.0.1');
    }
    if (/^SIP\/2.0 [2-6]/.test(text)) answers.set(/^CSeq: (.*)$/im.exec(text)[1].trim(), text);
  });
  const answer = await asked('INVITE', `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${rtp.port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n`);
  to = /^To: (.*)$/im.exec(answer)[1].trim();
  send('ACK', 1);
  const media = Number(/m=audio (\d+)/.exec(answer)[1]);
  const sound = tone();
  const packet = Buffer.concat([Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]), sound]);
  let sequence = 0;
  let begun = Date.now();
  let touched = null;
  /** A packet of the key that is held (RFC 4733 2.5): its end is sent three times. */
  const event = () => {
    const ticks = (sequence - touched.first + 1) * 160;
    const left = KEY_PACKETS + KEY_ENDS - 1 - (sequence - touched.first);
    const bytes = Buffer.concat([packet.subarray(0, 12), Buffer.from([KEYS.indexOf(touched.key), left < KEY_ENDS ? 0x8a : 10, 0, 0])]);
    bytes[1] = 101 | (sequence === touched.first ? 0x80 : 0);
    bytes.writeUInt16BE(sequence & 0xffff, 2);
    bytes.writeUInt32BE((touched.first * 160) >>> 0, 4);
    bytes.writeUInt16BE(Math.min(ticks, KEY_PACKETS * 160), 14);
    if (left === KEY_ENDS - 1) touched.ended = Date.now();
    if (left === 0) (touched.done(touched.ended), (touched = null));
    return bytes;
  };
  const timer = setInterval(() => {
    for (; (Date.now() - begun) / 20 >= sequence; sequence++) {
      packet.writeUInt16BE(sequence & 0xffff, 2);
      packet.writeUInt32BE((sequence * 160) >>> 0, 4);
      if (touched && touched.first === undefined) touched.first = sequence;
      rtp.socket.send(touched ? event() : Buffer.from(packet), media, '127.0.0.1');
    }
  }, 20);
  onCleanup(() => clearInterval(timer));
  let seen = null;
  rtp.socket.on('message', (bytes) => {
    if (!seen || bytes.length < 12 || (bytes[1] & 127) !== 0) return;
    const number = bytes.readUInt16BE(2);
    if (seen.next !== undefined && number !== seen.next) seen.lost += (number - seen.next) & 0xffff;
    seen.next = (number + 1) & 0xffff;
    seen.received++;
  });
  return {
    press: async (keys) => {
      for (const key of keys) await asked('INFO', `Signal=${key}\r\nDuration=100\r\n`, 'application/dtmf-relay');
    },
    /** Holds each key for 100 ms; resolves with when the last one's end left (ms since 1970). */
    touch: async (keys) => {
      let end = 0;
      for (const key of keys) end = await new Promise((done) => (touched = { key, done }));
      return end;
    },
    ended: () => ended,
    count: () => (seen = { received: 0, lost: 0 }),
    counted: () => seen,
    hangUp: () => asked('BYE').then(() => clearInterval(timer)),
  };
}

/** Sends OPTIONS, INVITE and REGISTER from an address, so many a second; resolves with how many. */
export function flood(options) {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(options)]);
  onCleanup(() => child.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    child.on('message', resolve);
    child.on('exit', (code) => code !== 0 && reject(new Error(`the flood ended with ${code}`)));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { from, port, rate, seconds } = JSON.parse(process.argv[2]);
  const socket = createSocket('udp4');
  socket.bind(0, from, () => {
    const text = (method) => Buffer.from(`${method} sip:100@127.0.0.1:${port} SIP/2.0\r\nVia: SIP/2.0/UDP ${from}:5060;branch=z9hG4bKscan\r\nFrom: <sip:100@${from}>;tag=1\r\nTo: <sip:100@127.0.0.1>\r\nCall-ID: scan\r\nCSeq: 1 ${method}\r\nContact: <sip:100@${from}:5060>\r\nUser-Agent: friendly-scanner\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`);
    const texts = ['OPTIONS', 'INVITE', 'REGISTER'].map(text);
    const start = Date.now();
    let sent = 0;
    const timer = setInterval(() => {
      const elapsed = Date.now() - start;
      for (; sent < (Math.min(elapsed, seconds * 1000) * rate) / 1000; sent++) socket.send(texts[sent % 3], port, '127.0.0.1');
      if (elapsed < seconds * 1000) return;
      clearInterval(timer);
      socket.close(() => process.send(sent, () => process.disconnect()));
    }, 1);
  });
}
