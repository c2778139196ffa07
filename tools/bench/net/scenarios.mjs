// What is done to the network, and the figures of it. `net` says lines to the proxy, waits, and has
// the recording; each returns plain numbers.
import { SIZE } from './pages.mjs';

const MBIT = 1_000_000;
const TOP = SIZE.height;

const HOME_ROUTER = 'down queue 0 300'; // as much as passes in 300 ms

const quality = ({ concealed, freezes, frozen, seconds, fps, kbps, height }) => ({
  concealed_percent: concealed,
  freezes_a_minute: (freezes * 60) / seconds,
  frozen_percent: (100 * frozen) / seconds,
  fps,
  kbps,
  lines: height,
});

function loss(percent) {
  return async (net) => {
    await net.say(`both loss ${percent}`);
    return quality(await net.during(20_000, 3000));
  };
}

export const scenarios = {
  async clean(net) {
    return quality(await net.during(15_000));
  },

  /** 3, then 0.5, then 3 Mbit/s: speech over all of it, the picture at 0.5. */
  async step(net) {
    await net.say(HOME_ROUTER, `down rate ${3 * MBIT}`);
    await net.during(5000);
    const start = Date.now();
    await net.say(`down rate ${MBIT / 2}`);
    const narrow = await net.during(20_000);
    const back = Date.now();
    await net.say(`down rate ${3 * MBIT}`);
    await net.during(15_000);
    const recording = await net.recording();
    const all = recording.between(start, Date.now());
    // At once where the layer was never left: then the picture has to move again.
    const top = recording.after(back, (sample, then) => sample.height === TOP && sample.frames > then.frames);
    return { ...quality(narrow), concealed_percent: all.concealed, top_layer_ms: top };
  },

  loss5: loss(5),
  loss10: loss(10),
  loss20: loss(20),
  loss30: loss(30),

  async burst(net) {
    await net.say('both burst 1 30 80', 'both jitter 15 reorder', 'both duplicate 2', 'both delay 20');
    return quality(await net.during(20_000, 3000));
  },

  async rtt200(net) {
    await net.say('both delay 100');
    return quality(await net.during(20_000, 3000));
  },

  /** Loss where a repetition comes late. */
  async rtt200loss10(net) {
    await net.say('both delay 100', 'both loss 10');
    return quality(await net.during(20_000, 3000));
  },

  /** A queue of a second before 1 Mbit/s: how full it is kept. */
  async bloat(net) {
    await net.say('down queue 0 1000', `down rate ${MBIT}`);
    const part = await net.during(20_000);
    const waits = [];
    for (let i = 0; i < 25; i++) {
      waits.push(((await net.stats()).down.queued_bytes * 8000) / MBIT);
      await net.during(200);
    }
    return { ...quality(part), queue_ms: waits.sort((a, b) => a - b)[12] };
  },

  async outage(net) {
    await net.say('both outage 3000');
    const end = Date.now() + 3000;
    await net.during(9000);
    const recording = await net.recording();
    return { ...quality(recording.between(end + 2000, Date.now())), media_ms: recording.mediaAfter(end) };
  },

  /** The NAT forgot: another address towards the server. */
  async rebind(net) {
    const start = Date.now();
    await net.say('rebind');
    await net.during(9000);
    const recording = await net.recording();
    return { ...quality(recording.between(start + 2000, Date.now())), media_ms: recording.mediaAfter(start) };
  },
};
