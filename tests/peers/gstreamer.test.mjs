// GStreamer's webrtcbin in both roles: libnice's ICE, its own DTLS, SRTP and jitter buffer.
import { join } from 'node:path';
import { check, until } from '../e2e/support/cleanup.mjs';
import { root, run, startServer } from './support/parley.mjs';

export const tests = {
  async 'webrtcbin publishes by WHIP and plays by WHEP: pictures are decoded and the tone is heard'() {
    const server = await startServer();
    const at = (kind) => `http://127.0.0.1:${server.ports.http}/${kind}`;
    const call = await run('/usr/bin/python3', [
      join(root, 'tests/peers/support/gstreamer_call.py'), at('whip/gst?as=Ball'), at('whep/gst?from=Ball'),
    ]);
    check(call.code === 0, `${call.err.slice(-3000)}\n${server.log.slice(-3000)}`);
    const seen = JSON.parse(call.out);
    check(seen.pictures >= 30 && seen.width === 320 && seen.height === 240, `picture: ${call.out}${call.err}\n${server.log}`);
    check(seen.peak > 0.3 && seen.peak < 0.7, `peak of a tone of 0.5: ${call.out}`);
    await until('nobody left', async () => (await server.metrics()).parley_participants === 0);
  },
};
