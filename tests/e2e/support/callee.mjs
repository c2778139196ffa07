// A telephone that misbehaves as it is told: SIP over UDP, as far as an INVITE and its end need it.
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { onCleanup } from './cleanup.mjs';

const SDP = (port) =>
  `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n`;

function parse(text) {
  const [head, body = ''] = text.split('\r\n\r\n', 2);
  const [start, ...lines] = head.split('\r\n');
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')).trim().toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
  const all = (name) => headers.filter(([key]) => key === name).map(([, value]) => value);
  return { start, method: start.split(' ')[0], uri: start.split(' ')[1], body, all, one: (name) => all(name)[0] ?? '' };
}

export class Callee {
  constructor(socket, oninvite) {
    this.socket = socket;
    this.oninvite = oninvite;
    this.requests = [];
    this.port = socket.address().port;
    socket.on('message', (bytes, from) => this.take(parse(bytes.toString()), from));
  }

  count(method) {
    return this.requests.filter((request) => request.method === method).length;
  }

  get invites() {
    return this.requests.filter((request) => request.method === 'INVITE');
  }

  take(request, from) {
    if (request.start.startsWith('SIP/2.0')) {
      this.answers = [...(this.answers ?? []), request.start];
      return;
    }
    const again = request.method === 'INVITE' && this.invites.some((one) => one.one('cseq') === request.one('cseq'));
    request.from = from;
    if (!again) this.requests.push(request);
    if (request.method === 'INVITE' && !again) this.oninvite(this, request);
    if (request.method === 'CANCEL') {
      this.respond(request, '200 OK');
      const invite = this.invites.at(-1);
      if (invite && !invite.final) this.respond(invite, '487 Request Terminated');
    }
    if (request.method === 'BYE' || request.method === 'OPTIONS') this.respond(request, '200 OK');
  }

  /** `status`: "180 Ringing". */
  respond(request, status, { tag = 'callee', extra = [], sdp = false } = {}) {
    const body = sdp ? SDP(this.port) : '';
    if (Number(status.slice(0, 3)) >= 200) request.final = true;
    const to = request.one('to');
    const lines = [
      `SIP/2.0 ${status}`,
      ...request.all('via').map((via) => `Via: ${via}`),
      `From: ${request.one('from')}`,
      `To: ${to.includes(';tag=') ? to : `${to};tag=${tag}`}`,
      `Call-ID: ${request.one('call-id')}`,
      `CSeq: ${request.one('cseq')}`,
      `Contact: <sip:callee@127.0.0.1:${this.port}>`,
      ...extra,
      ...(sdp ? ['Content-Type: application/sdp'] : []),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    this.socket.send(`${lines.join('\r\n')}\r\n\r\n${body}`, request.from.port, request.from.address);
  }
}

export function startCallee(oninvite) {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    onCleanup(() => socket.close());
    socket.bind(0, '127.0.0.1', () => resolve(new Callee(socket, oninvite)));
  });
}

/** Whether the request's Authorization is the right answer to this challenge (RFC 2617, no qop). */
export function digestIsRight(request, header, { user, password, realm, nonce }) {
  const value = request.one(header);
  const part = (name) => new RegExp(`\\b${name}="?([^",]+)"?`).exec(value)?.[1];
  const md5 = (text) => createHash('md5').update(text).digest('hex');
  const expected = md5(`${md5(`${user}:${realm}:${password}`)}:${nonce}:${md5(`${request.method}:${part('uri')}`)}`);
  return value !== '' && part('response') === expected;
}
