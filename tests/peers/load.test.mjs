// Our own load tools (tools/bench) as peers: libsrtp2, OpenSSL's DTLS and sequence numbers that are counted.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, until } from '../e2e/support/cleanup.mjs';
import { built, run, scratch, startServer } from './support/parley.mjs';

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

/** Every name an operator may build on, and those among them that must have moved while packets flow. */
const names = [
  'parley_participants', 'parley_players', 'parley_meetings', 'parley_transports', 'parley_join_seconds_count',
  'parley_packets_received_total', 'parley_bytes_received_total', 'parley_packets_sent_total', 'parley_bytes_sent_total',
  'parley_packets_forwarded_total', 'parley_receive_bits_per_second', 'parley_send_bits_per_second',
  'parley_uplink_expected_total', 'parley_uplink_loss_ratio_count', 'parley_packet_pool_used',
  'parley_worker_pool_bytes', 'parley_resident_bytes',
];
const still = [
  'parley_packets_dropped_total', 'parley_uplink_lost_total', 'parley_downlink_lost_total', 'parley_feedback_lost_total',
  'parley_round_trip_seconds_count', 'parley_downlink_loss_ratio_count', 'parley_worker_ring_length',
  'parley_worker_letters', 'parley_queue_length', 'parley_db_queue_length', 'parley_socket_receive_queue_bytes',
  'parley_letters_lost_total', 'parley_nacks_received_total', 'parley_nacks_sent_total', 'parley_keyframe_requests_total',
  'parley_forward_allocations_total',
];

export const tests = {
  async 'metrics: each has its name, and moves while a meeting goes on'() {
    const sfuload = await built('sfuload');
    const server = await startServer();
    const idle = await server.metrics();
    const missing = [...names, ...still].filter((name) => idle[name] === undefined);
    check(missing.length === 0, `missing: ${missing}`);
    const at = `http://127.0.0.1:${server.ports.http}`;
    const load = run(sfuload, [
      '--via', 'whip', '--whip', `${at}/whip/{room}?as={pub}`, '--whep', `${at}/whep/{room}?from={pub}`,
      '--pubs', '2', '--subs', '4', '--kbps', '400', '--warm', '1', '--time', '5',
    ]);
    const waiting = new Set(names.filter((name) => name !== 'parley_worker_pool_bytes' && name !== 'parley_resident_bytes'));
    let rate = 0;
    await until('all of them have moved', async () => {
      const now = await server.metrics();
      for (const name of [...waiting]) if (now[name] > idle[name]) waiting.delete(name);
      rate = Math.max(rate, now.parley_send_bits_per_second / now.parley_receive_bits_per_second || 0);
      return waiting.size === 0;
    }).catch((error) => check(false, `${error.message}: ${[...waiting]}`));
    // Each of the 4 viewers gets both publishers: four times what comes in goes out.
    check(rate > 3.2 && rate < 5, `sent to received: ${rate}`);
    check((await load).code === 0, 'sfuload');
    const text = await (await fetch(`${server.url}/metrics`)).text();
    for (const reason of ['kernel', 'receive_buffer', 'ring', 'pool', 'auth', 'replay', 'malformed', 'stranger'])
      check(text.includes(`reason="${reason}"`), `no drops by ${reason}`);
    for (const queue of ['conductor', 'requests', 'strands'])
      check(text.includes(`parley_queue_length{queue="${queue}"}`), `no length of ${queue}`);
  },


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
