// The operator's packet trace: switched on at run time, and what then stands in the file.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, until } from '../e2e/support/cleanup.mjs';
import { root, run, scratch, startServer } from './support/parley.mjs';
import { readCapture } from './support/pcapng.mjs';

/** RFC 7983. */
function kindOf({ payload }) {
  if (payload[0] < 4) return 'stun';
  if (payload[0] >= 20 && payload[0] < 64) return 'dtls';
  if (payload[0] < 128 || payload[0] > 191) return 'other';
  return payload[1] >= 192 && payload[1] <= 223 ? 'rtcp' : 'rtp';
}

const count = (packets, kind, outbound) => packets.filter((p) => kindOf(p) === kind && p.outbound === outbound).length;

/** Publishes and plays; the publisher is traced from when it is known to when all are gone. */
async function traced(settings) {
  const config = join(scratch(), 'parley.conf');
  writeFileSync(config, '');
  const server = await startServer({}, ['--config', config]);
  const meeting = await server.createMeeting();
  const at = (kind) => `http://127.0.0.1:${server.ports.http}/${kind}/${meeting.id}`;
  const call = run('/usr/bin/python3', [
    join(root, 'tests/peers/support/aiortc_stats.py'), `${at('whip')}?as=Tone`, `${at('whep')}?from=Tone`,
    `${at('api/v1/meetings')}/stats`, meeting.token,
  ]);
  const participant = await until('the publisher', async () => {
    const reply = await fetch(`${server.url}/api/v1/meetings/${meeting.id}/stats`, { headers: { authorization: `Bearer ${meeting.token}` } });
    if (!reply.ok) return false;
    return (await reply.json()).participants.find((p) => p.kind === settings.of)?.id;
  });
  writeFileSync(config, [`trace.participant = ${participant}`, ...settings.lines].join('\n') + '\n');
  server.process.kill('SIGHUP');
  const done = await call;
  check(done.code === 0, `${done.err.slice(-3000)}\n${server.log.slice(-3000)}`);
  writeFileSync(config, '');
  server.process.kill('SIGHUP');
  await until('the end of the trace', () => server.log.includes('trace_ended'));
  const files = readdirSync(join(server.data, 'traces'));
  check(files.length === 1 && files[0].startsWith(participant), `files: ${files}`);
  const path = join(server.data, 'traces', files[0]);
  const capture = readCapture(readFileSync(path));
  check(capture.application.startsWith('parley ') && capture.comment === `participant ${participant}`, capture.comment);
  for (const { protocol, outbound, from, to } of capture.packets) {
    const [ours, theirs] = outbound ? [from, to] : [to, from];
    check(protocol === 'udp' && ours.port === server.ports.media && theirs.port !== ours.port, `ports: ${JSON.stringify({ from, to })}`);
    check(ours.address === theirs.address, `one machine, two addresses: ${JSON.stringify({ from, to })}`);
  }
  const { received, dropped } = capture.statistics;
  check(received === capture.packets.length + dropped, `seen ${received}, dropped ${dropped}, there ${capture.packets.length}`);
  check(dropped === 0, `dropped ${dropped}`);
  return { server, path, capture, seen: JSON.parse(done.out) };
}

export const tests = {
  async 'switches are logged while topic sfu is at debug, and only then'() {
    const config = join(scratch(), 'parley.conf');
    writeFileSync(config, 'log.levels = info,sfu=debug\n');
    const server = await startServer({}, ['--config', config]);
    const call = () => {
      const at = (kind) => `http://127.0.0.1:${server.ports.http}/${kind}/open`;
      return run('/usr/bin/python3', [join(root, 'tests/peers/support/aiortc_call.py'), `${at('whip')}?as=Tone`, `${at('whep')}?from=Tone`]);
    };
    const lines = () => server.log.split('\n').filter((line) => line.includes(' debug sfu switch '));
    check((await call()).code === 0, 'the call');
    check(lines().some((line) => /participant=\S+ .* reason=source from=-1 to=0 shown=\S+/.test(line)), lines().join('\n'));
    writeFileSync(config, 'log.levels = info\ntrace.participant = nobody\n');
    server.process.kill('SIGHUP');
    await until('the settings read again', () => server.log.includes('trace_begun'));
    const before = lines().length;
    check((await call()).code === 0, 'the second call');
    check(lines().length === before, lines().join('\n'));
  },

  async 'a trace begins at run time and holds the publisher as it is on the wire'() {
    const { capture, seen } = await traced({ of: 'whip', lines: [] });
    const { packets } = capture;
    check(capture.interface === 'media', capture.interface);
    const camera = seen.publisher.video.packets + seen.publisher.audio.packets;
    check(count(packets, 'rtp', false) > camera * 0.6, `RTP of the publisher: ${count(packets, 'rtp', false)} of ${camera}`);
    check(count(packets, 'rtp', true) === 0 && count(packets, 'rtcp', true) > 2 && count(packets, 'stun', true) > 0, 'what we send');
    const rate = packets.at(-1).ms - packets[0].ms;
    check(rate > 2000 && Math.abs(Date.now() - packets.at(-1).ms) < 60_000, `times: ${rate} ms, ends ${packets.at(-1).ms}`);
    // The lengths of SRTP: the tag of AES-CM or GCM makes an Opus packet of a tone no multiple.
    check(packets.filter((p) => kindOf(p) === 'rtp').every((p) => p.payload.length > 12 + 10), 'protected packets');
  },

  async 'decrypted only when asked for: then RTP lies open, and SRTP is not there'() {
    const { capture, seen } = await traced({ of: 'whep', lines: ['trace.decrypted = yes'] });
    check(capture.interface === 'media, decrypted', capture.interface);
    const out = capture.packets.filter((p) => p.outbound && kindOf(p) === 'rtp');
    const all = seen.player.video.packets + seen.player.audio.packets;
    check(out.length > all * 0.5 && out.length < all * 1.3, `RTP to the player: ${out.length} of ${all}`);
    // An RTCP compound of ours begins with a receiver report of its true length; encrypted its count would be noise.
    const reports = capture.packets.filter((p) => p.outbound && kindOf(p) === 'rtcp');
    check(reports.length > 0, 'no reports');
    for (const { payload } of reports) {
      let at = 0;
      while (at < payload.length) {
        check(payload[at] >> 6 === 2 && payload[at + 1] >= 200 && payload[at + 1] <= 207, `RTCP at ${at} of ${payload.length}`);
        at += (payload.readUInt16BE(at + 2) + 1) * 4;
      }
      check(at === payload.length, 'RTCP that ends in the middle');
    }
  },

  async 'a trace ends by itself when its file is full or its time is over'() {
    const config = join(scratch(), 'parley.conf');
    writeFileSync(config, 'trace.participant = nobody\ntrace.seconds = 1\n');
    const server = await startServer({}, ['--config', config]);
    await until('the end of the trace', () => server.log.includes('trace_ended'));
    check(server.log.includes('here=0') && server.log.includes('packets=0'), server.log);
    const [file] = readdirSync(join(server.data, 'traces'));
    check(readCapture(readFileSync(join(server.data, 'traces', file))).packets.length === 0, 'packets of nobody');
    writeFileSync(config, 'trace.participant = ../../etc/passwd\n');
    server.process.kill('SIGHUP');
    await until('a refusal', () => server.log.includes('trace_failed'));
  },
};
