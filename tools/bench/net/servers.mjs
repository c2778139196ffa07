// Who is measured: how each is started, and how a publisher and a viewer come to it. A server's
// `viewer` sets the proxy's way to where the media come from.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onCleanup, until } from '../../../tests/e2e/support/cleanup.mjs';
import { startServer } from '../../../tests/e2e/support/server.mjs';

const here = dirname(fileURLToPath(import.meta.url));

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'parley-net-'));
  onCleanup(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function post(url, body, type) {
  const reply = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${text}`);
  return text;
}

/** WHIP and WHEP (RFC 9725, draft-ietf-wish-whep). */
async function parley() {
  const web = folder();
  writeFileSync(join(web, 'index.html'), '<!doctype html><title>Parley</title>');
  const server = await startServer({ 'http.web': web });
  const { id } = await server.createMeeting();
  return {
    async publisher(page) {
      await page.take(await post(`${server.url}/whip/${id}?as=Ann`, await page.offer(), 'application/sdp'));
    },
    async viewer(page, impair) {
      await impair.say(`to ${server.ports.media}`);
      await page.take(await post(`${server.url}/whep/${id}?from=Ann`, await page.offer(), 'application/sdp'));
    },
  };
}

const JANUS = 'http://127.0.0.1:8088/janus';
let transactions = 0;

/** A plugin's answer comes by the session's long poll, named by its transaction. */
class JanusSession {
  async open() {
    this.url = `${JANUS}/${(await this.request(JANUS, { janus: 'create' })).data.id}`;
    return this;
  }

  async request(url, what) {
    const reply = JSON.parse(await post(url, JSON.stringify({ ...what, transaction: `n${++transactions}` }), 'application/json'));
    if (reply.janus === 'error') throw new Error(`janus: ${reply.error.reason}`);
    return { ...reply, transaction: `n${transactions}` };
  }

  async attach() {
    return `${this.url}/${(await this.request(this.url, { janus: 'attach', plugin: 'janus.plugin.videoroom' })).data.id}`;
  }

  async message(handle, body, jsep) {
    const { transaction, janus, plugindata } = await this.request(handle, { janus: 'message', body, ...(jsep ? { jsep } : {}) });
    if (janus === 'success') return { plugindata };
    return until(`janus answers ${body.request}`, async () => {
      const event = await (await fetch(`${this.url}?maxev=1`)).json();
      const error = event.plugindata?.data?.error;
      if (error) throw new Error(`janus: ${error}`);
      return event.janus === 'event' && event.transaction === transaction ? event : null;
    });
  }
}

const ROOM = 7000;
const FEED = 1;

/** Debian's Janus with the videoroom: simulcast, NACK, transport-wide feedback, in-band FEC. */
async function janus() {
  const place = folder();
  const env = { ...process.env, PEERS_DIR: place, CPU: '0-63', LOOPS: '' };
  const started = spawnSync(join(here, '../peers/janus/start.sh'), { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const pid = Number(readFileSync(join(place, 'janus/pid'), 'utf8'));
  onCleanup(async () => {
    process.kill(pid);
    await until('the end of janus', () => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    });
  });
  if (started.status !== 0) throw new Error('janus did not start');
  const session = await new JanusSession().open();
  const control = await session.attach();
  await session.message(control, {
    request: 'create', room: ROOM, publishers: 2, bitrate: 0, fir_freq: 0, audiocodec: 'opus', videocodec: 'vp8', opus_fec: true,
  });
  return {
    async publisher(page) {
      const handle = await session.attach();
      const offer = { type: 'offer', sdp: await page.offer({ highestFirst: true }) }; // it takes the first rid for the best
      const { jsep } = await session.message(handle, { request: 'joinandconfigure', room: ROOM, ptype: 'publisher', id: FEED }, offer);
      await page.take(jsep.sdp);
    },
    async viewer(page, impair) {
      const handle = await session.attach();
      const { jsep } = await session.message(handle, { request: 'join', room: ROOM, ptype: 'subscriber', streams: [{ feed: FEED }] });
      const [, port] = /^a=candidate:\S+ 1 udp \d+ \S+ (\d+) typ host/im.exec(jsep.sdp);
      await impair.say(`to ${port}`);
      await session.message(handle, { request: 'start' }, { type: 'answer', sdp: await page.answer(jsep.sdp) });
    },
  };
}

export const servers = { parley, janus };
