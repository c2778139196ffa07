// What a host reads of others, beside what those count themselves.
import { join } from 'node:path';
import { check } from '../e2e/support/cleanup.mjs';
import { root, run, startServer } from './support/parley.mjs';

const TOLERANCE = 0.05;

function near(what, ours, theirs) {
  check(theirs > 0 && Math.abs(ours / theirs - 1) <= TOLERANCE, `${what}: the server says ${ours}, the peer ${theirs}`);
}

const ask = (server, path, token) =>
  fetch(`${server.url}/api/v1/meetings/${path}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });

export const tests = {
  async 'statistics: the server and two aiortc peers count the same packets and bytes'() {
    const server = await startServer();
    const meeting = await server.createMeeting();
    const at = (kind) => `http://127.0.0.1:${server.ports.http}/${kind}/${meeting.id}`;
    const call = await run('/usr/bin/python3', [
      join(root, 'tests/peers/support/aiortc_stats.py'), `${at('whip')}?as=Tone`, `${at('whep')}?from=Tone`,
      `${at('api/v1/meetings')}/stats`, meeting.token,
    ]);
    check(call.code === 0, `${call.err.slice(-3000)}\n${server.log.slice(-3000)}`);
    const seen = JSON.parse(call.out);
    const [publisher, player] = ['whip', 'whep'].map((kind) => seen.server.participants.find((p) => p.kind === kind));
    check(publisher?.name === 'Tone' && player !== undefined && seen.server.more === false, call.out);
    for (const [kind, source] of [['audio', 'microphone'], ['video', 'camera']]) {
      const [track, ...others] = publisher.server.tracks.filter((t) => t.source === source);
      check(track !== undefined && others.length === 0 && track.active, `tracks: ${call.out}`);
      near(`${kind} bytes in`, track.bytes, seen.publisher[kind].bytes);
      near(`${kind} packets in`, track.packets, seen.publisher[kind].packets);
      check(track.lost === 0 && track.bitrate > 1000, `loss and rate of ${kind}: ${call.out}`);
    }
    check(publisher.server.tracks.find((t) => t.source === 'camera').height === 240, `height: ${call.out}`);
    // aiortc's receivers count packets, and the slots carry what came from the publisher.
    const slots = player.server.slots;
    check(slots.length === 2 && slots.every((s) => s.state === 'live' && s.from === publisher.id), `slots: ${call.out}`);
    for (const slot of slots) {
      const theirs = Object.values(seen.player).map((s) => s.packets);
      check(theirs.some((packets) => Math.abs(slot.packets / packets - 1) <= TOLERANCE), `packets out: ${call.out}`);
      check(slot.loss === 0 && slot.bitrate > 1000, `loss and rate of a slot: ${call.out}`);
    }
    check(player.server.rtt < 1000 && player.server.sent > 0, `round trip: ${call.out}`);
    check(player.server.switches.some((s) => s.reason === 'source' && s.from === -1), `switches: ${call.out}`);
    check(publisher.client.ago === -1, 'WHIP reports nothing');
  },

  async 'statistics are for hosts: to others they do not exist'() {
    const server = await startServer();
    const meeting = await server.createMeeting();
    for (const token of [undefined, 'x'.repeat(32), ''])
      check((await ask(server, `${meeting.id}/stats`, token)).status === 404, `with ${token}`);
    check((await ask(server, 'nowhere/stats', meeting.token)).status === 404, 'no such meeting');
    check((await ask(server, `${meeting.id}/stats`, meeting.token)).status === 404, 'nobody is there');
    const other = await server.createMeeting();
    check((await ask(server, `${meeting.id}/stats`, other.token)).status === 404, "another meeting's host");
  },
};
