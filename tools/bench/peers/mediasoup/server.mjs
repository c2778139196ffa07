// mediasoup behind WHIP and WHEP for sfuload: an offer becomes mediasoup's calls, what they return the answer.
//   POST /whip/ROOM/PUB    publishes the offer's one m-line
//   POST /whep/ROOM/PUB    plays one publisher, or with PUB `all` everyone in the room, each in an m-line of its own
//   DELETE /session/ID     leaves
// One worker, which forwards, with one UDP port for all; without io_uring, which costs it a tenth to a third more on
// loopback, and which its later versions no longer have. Loopback only, ports that are free. Prints "ready", the port
// and the worker's pid. mediasoup is installed in $PEERS_DIR/mediasoup.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const IP = '127.0.0.1';
const { createWorker } = createRequire(`${process.env.PEERS_DIR}/mediasoup/`)('mediasoup');

const worker = await createWorker({ logLevel: 'none', disableLiburing: true });
worker.on('died', (error) => {
  console.error(error);
  process.exit(1);
});
const webRtcServer = await worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ip: IP }] });
const rooms = new Map(); // name: { router, producers by publisher }
const sessions = new Map(); // id: how it ends
let sessionsMade = 0;

/** The values of the lines that begin with "a=" and the name. */
function attributes(sdp, name) {
  const lines = sdp.split('\r\n').filter((line) => line.startsWith(`a=${name}`));
  return lines.map((line) => line.slice(name.length + 2));
}

/** Numbers as mediasoup wants them; H.264's profile-level-id, six digits, stays text. */
function parameters(fmtp = '') {
  const pairs = fmtp.split(';').filter(Boolean).map((pair) => pair.trim().split('='));
  return Object.fromEntries(pairs.map(([key, value]) => [key, /^\d{1,5}$/.test(value) ? Number(value) : value]));
}

/** An m-line of sfuload's: it has one payload type. */
function mediaOf(section) {
  const [, kind, type] = /^m=(\w+) \d+ \S+ (\d+)/.exec(section);
  const [name, clockRate, channels] = attributes(section, `rtpmap:${type} `)[0].split('/');
  const feedback = attributes(section, `rtcp-fb:${type} `).map((value) => value.split(' '));
  return {
    kind,
    type: Number(type),
    mid: attributes(section, 'mid:')[0],
    ssrc: Number.parseInt(attributes(section, 'ssrc:')[0], 10),
    lines: section.split('\r\n').filter((line) => /^a=(mid|rtpmap|rtcp-fb|fmtp|rtcp-mux|rtcp-rsize)/.test(line)),
    codec: {
      mimeType: `${kind}/${name}`,
      clockRate: Number(clockRate),
      ...(channels ? { channels: Number(channels) } : {}),
      parameters: parameters(attributes(section, `fmtp:${type} `)[0]),
      rtcpFeedback: feedback.map(([type, parameter]) => ({ type, parameter })),
    },
  };
}

/** Whoever offered is the DTLS client. */
async function connect(router, sdp) {
  const transport = await router.createWebRtcTransport({ webRtcServer });
  const [algorithm, value] = attributes(sdp, 'fingerprint:')[0].split(' ');
  await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [{ algorithm, value }] } });
  return transport;
}

function answer(transport, direction, media) {
  const { usernameFragment, password } = transport.iceParameters;
  const { value } = transport.dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256');
  const { foundation, priority, port } = transport.iceCandidates[0];
  const mids = media.map(({ mid }) => mid).join(' ');
  const lines = ['v=0', `o=- 1 1 IN IP4 ${IP}`, 's=-', 't=0 0', 'a=ice-lite', `a=group:BUNDLE ${mids}`];
  for (const { kind, type, lines: offered } of media)
    lines.push(
      `m=${kind} 9 UDP/TLS/RTP/SAVPF ${type}`,
      `c=IN IP4 ${IP}`,
      `a=candidate:${foundation} 1 udp ${priority} ${IP} ${port} typ host`,
      'a=end-of-candidates',
      `a=ice-ufrag:${usernameFragment}`,
      `a=ice-pwd:${password}`,
      `a=fingerprint:sha-256 ${value}`,
      'a=setup:passive',
      `a=${direction}`,
      ...offered,
    );
  return `${lines.join('\r\n')}\r\n`;
}

/** The room's codec is its first publisher's, so that payload types are passed on as they are. */
async function whip(name, publisher, sdp) {
  const [, section] = sdp.split(/^(?=m=)/m);
  const media = mediaOf(section);
  const { kind, type, mid, ssrc, codec } = media;
  if (!rooms.has(name)) {
    const router = await worker.createRouter({ mediaCodecs: [{ ...codec, kind, preferredPayloadType: type }] });
    rooms.set(name, { router, producers: new Map() });
  }
  const { router, producers } = rooms.get(name);
  const transport = await connect(router, sdp);
  const rtpParameters = {
    mid,
    codecs: [{ ...codec, payloadType: type }],
    encodings: [{ ssrc }],
    rtcp: { cname: publisher, reducedSize: true },
  };
  producers.set(publisher, await transport.produce({ kind, rtpParameters }));
  const leave = () => {
    transport.close();
    producers.delete(publisher);
  };
  return { leave, body: answer(transport, 'recvonly', [media]) };
}

async function whep(name, publisher, sdp) {
  const { router, producers } = rooms.get(name);
  const media = sdp.split(/^(?=m=)/m).slice(1).map(mediaOf);
  const played = publisher === 'all' ? [...producers.values()] : [producers.get(publisher)];
  const transport = await connect(router, sdp);
  for (const [i, { id: producerId }] of played.entries()) {
    const { kind, type, codec } = media[i];
    const rtpCapabilities = { codecs: [{ ...codec, kind, preferredPayloadType: type }] };
    await transport.consume({ producerId, rtpCapabilities });
  }
  return { leave: () => transport.close(), body: answer(transport, 'sendonly', media.slice(0, played.length)) };
}

async function handle(request, response) {
  const [, what, name, publisher] = request.url.split('/');
  let sdp = '';
  for await (const chunk of request) sdp += chunk;
  if (request.method === 'DELETE') {
    sessions.get(name)();
    sessions.delete(name);
    return response.end();
  }
  const { leave, body } = await { whip, whep }[what](name, publisher, sdp);
  const id = String(++sessionsMade);
  sessions.set(id, leave);
  response.writeHead(201, { 'content-type': 'application/sdp', location: `/session/${id}` });
  response.end(body);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => response.writeHead(500).end(error.stack));
});
server.listen(0, IP, () => console.log('ready', server.address().port, worker.pid));
worker.on('subprocessclose', () => process.exit());
process.on('SIGTERM', () => worker.close());
