// Our own load tools (tools/bench) as peers: libsrtp2, OpenSSL's DTLS and sequence numbers that are counted.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check } from '../e2e/support/cleanup.mjs';
import { root, run, scratch, startServer } from './support/parley.mjs';

const tools = join(root, 'build/release/tools/bench');

/** Builds them beside the release; nothing when they are there. */
async function built(name) {
  const bench = await run('cmake', ['--preset', 'release', '-S', root, '-DPARLEY_BENCH=ON']);
  check(bench.code === 0, bench.err);
  const ninja = await run('ninja', ['-C', join(root, 'build/release'), '-j2', name], { seconds: 170 });
  check(ninja.code === 0, ninja.out);
  return join(tools, name);
}

function load(profile) {
  return async () => {
    const sfuload = await built('sfuload');
    const server = await startServer();
    const at = `http://127.0.0.1:${server.ports.http}`;
    const file = join(scratch(), 'report.json');
    const done = await run(sfuload, [
      '--via', 'whip', '--whip', `${at}/whip/{room}?as={pub}`, '--whep', `${at}/whep/{room}?from={pub}`,
      '--pubs', '2', '--subs', '6', '--kbps', '300', '--srtp', profile, '--warm', '1', '--time', '3', '--json', file,
    ]);
    check(done.code === 0, `sfuload: ${done.out}${done.err}`);
    const seen = JSON.parse(readFileSync(file, 'utf8'));
    check(seen.received > 0, `received nothing: ${done.out}`);
    check(seen.damaged === 0 && seen.lost === 0 && seen.srtp_errors === 0, `damaged or lost: ${done.out}`);
  };
}

export const tests = {
  'WHIP and WHEP with AES-128-GCM: nothing lost, nothing damaged': load('gcm128'),
  'WHIP and WHEP with AES-256-GCM: nothing lost, nothing damaged': load('gcm256'),
  'WHIP and WHEP with AES-CM and HMAC-SHA1-80: nothing lost, nothing damaged': load('cm80'),

  async 'a crowd of 60, 12 of them filmed: each receives 12 streams whole'() {
    const crowd = await built('crowd');
    const server = await startServer();
    const done = await run(crowd, [
      '--port', server.ports.http, '--meeting', 'crowd', '--people', '60', '--video', '12', '--kbps', '100',
      '--seconds', '4', '--pid', server.process.pid,
    ], { seconds: 150 });
    check(done.code === 0, `crowd: ${done.out}${done.err}`);
    const seen = /in (\d+) streams \(least (\d+) a participant\), lost in sequence (\d+), unknown (\d+)/.exec(done.out);
    check(seen !== null, done.out);
    const [streams, least, lost, unknown] = seen.slice(1).map(Number);
    check(streams === 720 && least === 12, `streams: ${done.out}`);
    check(lost === 0 && unknown === 0, `lost or unknown: ${done.out}\n${server.log.slice(-3000)}`);
  },
};
