// What curl sees: health, metrics, and WHIP and WHEP by their letter (RFC 9725, the WHEP draft).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, until } from '../e2e/support/cleanup.mjs';
import { root, run, scratch, startServer } from './support/parley.mjs';

const offer = readFileSync(join(root, 'tests/vectors/sdp/chromium156-audio-video.sdp'));
const play = readFileSync(join(root, 'tests/vectors/sdp/chromium156-recvonly-1a-1v.sdp'));

/** {status, headers (names in small letters), body} of curl. */
async function curl(url, { method = 'GET', headers = {}, body, type, more = [] } = {}) {
  const args = ['-sS', '-i', '-X', method, '--max-time', '20', ...more];
  if (type !== undefined) headers = { 'Content-Type': type, ...headers };
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  if (body !== undefined) {
    const file = join(scratch(), 'body');
    writeFileSync(file, body);
    args.push('--data-binary', `@${file}`);
    if (type === undefined) args.push('-H', 'Content-Type:');
  }
  const { code, out, err } = await run('curl', [...args, url]);
  check(code === 0, `curl ${url}: ${err}`);
  const end = out.indexOf('\r\n\r\n');
  const [first, ...lines] = out.slice(0, end).split('\r\n');
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(lines.map((line) => [line.split(':')[0].toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])),
    body: out.slice(end + 4),
  };
}

function expect(reply, status, what) {
  check(reply.status === status, `${what}: ${reply.status} instead of ${status}: ${reply.body.slice(0, 300)}`);
  if (status >= 400) {
    check(reply.headers['content-type'] === 'application/problem+json', `${what}: a problem of ${reply.headers['content-type']}`);
    const problem = JSON.parse(reply.body);
    check(problem.status === status, `${what}: the problem says ${reply.body}`);
  }
  return reply;
}

const sdp = { method: 'POST', type: 'application/sdp' };
const frag = (resource, tag, body, more = {}) =>
  curl(resource, { method: 'PATCH', type: 'application/trickle-ice-sdpfrag', headers: tag === undefined ? {} : { 'If-Match': tag }, body, ...more });

/** A fragment of the session's ICE, of new credentials when given. */
function fragment(ufrag, pwd) {
  return `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${pwd}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n` +
    'a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\na=end-of-candidates\r\n';
}

const answered = (body, name) => new RegExp(`^a=${name}:(.*)$`, 'm').exec(body.replaceAll('\r', ''))[1];

export const tests = {
  async 'health, readiness and the first page answer over HTTP and HTTPS'() {
    const server = await startServer();
    const secure = `https://127.0.0.1:${server.ports.https}`;
    check(expect(await curl(`${server.url}/healthz`), 200, 'healthz').body === 'ok\n', 'healthz');
    check(expect(await curl(`${server.url}/readyz`), 200, 'readyz').body === 'ready\n', 'readyz');
    expect(await curl(`${secure}/readyz`, { more: ['-k'] }), 200, 'readyz over HTTPS');
    const page = expect(await curl(`${server.url}/m/some-meeting`), 200, 'a page of the client');
    check(page.headers['content-type'].startsWith('text/html'), `the page is ${page.headers['content-type']}`);
    expect(await curl(`${server.url}/api/v1/none`), 404, 'no such thing');
  },

  async 'metrics: what an operator watches is there, described and of the right type'() {
    const server = await startServer();
    const reply = expect(await curl(`${server.url}/metrics`), 200, 'metrics');
    check(reply.headers['content-type'].startsWith('text/plain; version=0.0.4'), 'type of the metrics');
    const wanted = {
      parley_participants: 'gauge',
      parley_packets_received_total: 'counter',
      parley_packets_sent_total: 'counter',
      parley_packets_dropped_total: 'counter',
      parley_downlink_lost_total: 'counter',
      parley_bytes_received_total: 'counter',
      parley_bytes_sent_total: 'counter',
      parley_join_seconds: 'histogram',
      parley_queue_length: 'gauge',
      parley_db_queue_length: 'gauge',
      parley_db_memory_bytes: 'gauge',
      parley_worker_ring_length: 'gauge',
      parley_resident_bytes: 'gauge',
    };
    const missing = Object.entries(wanted).filter(([name, type]) => !reply.body.includes(`# TYPE ${name} ${type}\n`));
    check(missing.length === 0, `missing: ${missing}`);
    const names = new Set();
    for (const line of reply.body.trimEnd().split('\n')) {
      const [, comment, named] = /^# (HELP|TYPE) (parley_\w+) /.exec(line) ?? [];
      if (comment === 'TYPE') {
        check(!names.has(named), `${named} is declared twice`);
        names.add(named);
      }
      check(comment !== undefined || /^parley_\w+(\{(\w+="[^"]*",?)+\})? -?[\d.e+-]+(Inf)?$/.test(line), `no line of metrics: ${line}`);
    }
    for (const name of names) check(reply.body.includes(`# HELP ${name} `), `${name} has no help`);
    check(Number(/^parley_resident_bytes (\d+)/m.exec(reply.body)[1]) > 1e6, 'resident memory');
  },

  async 'WHIP: an offer makes a session, DELETE ends it'() {
    const server = await startServer();
    const made = expect(await curl(`${server.url}/whip/studio?as=Camera`, { ...sdp, body: offer }), 201, 'POST');
    check(made.headers['content-type'] === 'application/sdp', `answer of ${made.headers['content-type']}`);
    check(/^\/whip\/r\/[\w-]{16,}$/.test(made.headers.location), `Location: ${made.headers.location}`);
    check(/^"[^"]+"$/.test(made.headers.etag), `ETag: ${made.headers.etag}`);
    check(made.headers['accept-patch'] === 'application/trickle-ice-sdpfrag', 'Accept-Patch');
    check(answered(made.body, 'setup') === 'passive' && /a=ice-lite/.test(made.body), `answer: ${made.body}`);
    check((await server.metrics()).parley_participants === 1, 'one participant');
    const resource = server.url + made.headers.location;
    expect(await curl(resource), 204, 'GET of the session');
    expect(await curl(resource, { method: 'DELETE' }), 200, 'DELETE');
    expect(await curl(resource, { method: 'DELETE' }), 404, 'DELETE again');
    expect(await curl(resource), 404, 'GET of an ended session');
    expect(await frag(resource, made.headers.etag, fragment('abcd', 'abcdefghijklmnopqrstuvwx')), 404, 'PATCH of an ended session');
    await until('nobody there', async () => (await server.metrics()).parley_participants === 0);
  },

  async 'WHIP: what is wrong with an offer is said'() {
    const server = await startServer({ 'meetings.adhoc': 'off' });
    const open = await startServer();
    expect(await curl(`${server.url}/whip/nowhere`, { ...sdp, body: offer }), 404, 'POST to no meeting');
    expect(await curl(`${server.url}/whep/nowhere`, { ...sdp, body: play }), 404, 'WHEP of no meeting');
    expect(await curl(`${open.url}/whip/studio`, { ...sdp, type: 'text/plain', body: offer }), 415, 'POST of a text');
    expect(await curl(`${open.url}/whip/studio`, { method: 'POST', body: offer }), 415, 'POST without a type');
    expect(await curl(`${open.url}/whip/studio`, { ...sdp, body: 'v=0\r\nhello' }), 400, 'POST of no SDP');
    expect(await curl(`${open.url}/whip/studio`, { ...sdp, body: String(offer).replaceAll(/a=rtpmap:.*\r\n/g, '') }), 422, 'POST without a codec');
    expect(await curl(`${open.url}/whip/studio`, { ...sdp, body: String(offer).replaceAll(/a=fingerprint:.*\r\n/g, '') }), 422, 'POST without a fingerprint');
    const made = expect(await curl(`${open.url}/whip/studio?as=Camera`, { ...sdp, body: offer }), 201, 'POST');
    const nobody = expect(await curl(`${open.url}/whep/studio?from=Nobody`, { ...sdp, body: play }), 409, 'WHEP from nobody');
    check(Number(nobody.headers['retry-after']) > 0, 'Retry-After');
    const resource = open.url + made.headers.location;
    expect(await curl(resource, { method: 'PUT', body: 'x', type: 'application/sdp' }), 405, 'PUT');
    const options = expect(await curl(`${open.url}/whip/studio`, { method: 'OPTIONS' }), 200, 'OPTIONS');
    check(options.headers['accept-post'] === 'application/sdp', 'Accept-Post');
  },

  async 'WHIP: PATCH trickles and restarts under its entity tag'() {
    const server = await startServer();
    const made = expect(await curl(`${server.url}/whip/studio`, { ...sdp, body: offer }), 201, 'POST');
    const resource = server.url + made.headers.location;
    const tag = made.headers.etag;
    const own = fragment(answered(String(offer), 'ice-ufrag'), answered(String(offer), 'ice-pwd'));
    expect(await frag(resource, tag, own), 204, 'candidates');
    expect(await frag(resource, undefined, own), 428, 'candidates without If-Match');
    expect(await frag(resource, '"other"', own), 412, 'candidates for another session');
    expect(await frag(resource, tag, own, { type: 'application/sdp' }), 415, 'candidates of another type');
    expect(await frag(resource, tag, 'hello'), 400, 'no fragment');
    const again = fragment('wxyz', 'zyxwvutsrqponmlkjihgfedcba');
    const restarted = expect(await frag(resource, '"*"', again), 200, 'restart');
    check(restarted.headers['content-type'] === 'application/trickle-ice-sdpfrag', 'type of the restart');
    check(restarted.headers.etag !== tag, 'the tag stayed');
    check(restarted.headers.etag === `"${answered(restarted.body, 'ice-ufrag')}"`, 'the tag names the new session');
    check(answered(restarted.body, 'ice-pwd') !== answered(made.body, 'ice-pwd'), 'the password stayed');
    expect(await frag(resource, tag, again), 412, 'the old tag');
    expect(await frag(resource, restarted.headers.etag, again), 204, 'candidates after the restart');
  },

  async 'WHIP and WHEP: a meeting with a lobby asks for its host token'() {
    const server = await startServer();
    const meeting = await server.createMeeting({ lobby: true });
    const whip = `${server.url}/whip/${meeting.id}?as=Camera`;
    const bearer = (token) => ({ ...sdp, body: offer, headers: { Authorization: `Bearer ${token}` } });
    const bare = expect(await curl(whip, { ...sdp, body: offer }), 401, 'without a token');
    check(bare.headers['www-authenticate'].startsWith('Bearer'), 'WWW-Authenticate');
    expect(await curl(whip, bearer('x'.repeat(32))), 401, 'with a wrong token');
    expect(await curl(whip, bearer(meeting.token)), 201, 'with the host token');
    const whep = `${server.url}/whep/${meeting.id}?from=all`;
    expect(await curl(whep, { ...sdp, body: play }), 401, 'WHEP without a token');
  },
};
