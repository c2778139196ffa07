// aiortc (Debian's python3-aiortc) in both roles: its own ICE, DTLS, SRTP, encoders and decoders.
import { join } from 'node:path';
import { check, until } from '../e2e/support/cleanup.mjs';
import { root, run, startServer } from './support/parley.mjs';

const TONE_DB_MIN = 20;

export const tests = {
  async 'aiortc publishes by WHIP and plays by WHEP: frames are decoded and the tone is heard'() {
    const server = await startServer();
    const at = (kind) => `http://127.0.0.1:${server.ports.http}/${kind}`;
    const call = await run('/usr/bin/python3', [
      join(root, 'tests/peers/support/aiortc_call.py'), at('whip/aiortc?as=Tone'), at('whep/aiortc?from=Tone'),
    ]);
    check(call.code === 0, `${call.err.slice(-3000)}\n${server.log.slice(-3000)}`);
    const seen = JSON.parse(call.out);
    check(seen.frames > 0 && seen.width === 320 && seen.height === 240, `picture: ${call.out}`);
    check(seen.luma > 150 && seen.luma < 220, `luma of a grey of 200: ${call.out}`);
    check(seen.tone_db >= TONE_DB_MIN, `tone: ${call.out}`);
    await until('nobody left', async () => (await server.metrics()).parley_participants === 0);
  },
};
