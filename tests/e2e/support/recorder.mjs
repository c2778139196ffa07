// How speech and picture were received over time, ten times a second.

/** In the page: no imports, no closures. Needs fakes.mjs. */
export function recorder() {
  const EVERY_MS = 100;
  const live = () => window.__test.connections.filter((pc) => pc.connectionState !== 'closed');
  const inbound = async (receiver) => [...(await receiver.getStats()).values()].find((entry) => entry.type === 'inbound-rtp');
  /** The receivers that got most: of one speaker and one picture, those. */
  async function busiest(kind) {
    let best = null;
    for (const receiver of live().flatMap((pc) => pc.getReceivers()).filter((candidate) => candidate.track.kind === kind)) {
      const bytes = (await inbound(receiver))?.bytesReceived ?? 0;
      if (bytes > (best?.bytes ?? 0)) best = { receiver, bytes };
    }
    return best?.receiver ?? null;
  }
  const receiverOf = (mid) => live().flatMap((pc) => pc.getTransceivers()).find((line) => line.mid === mid)?.receiver ?? null;
  const ended = (receiver) => !receiver || !live().some((pc) => pc.getReceivers().includes(receiver));

  window.__record = {
    samples: [],
    /** From now on; `mid`: of the picture, otherwise the one with most bytes. */
    async start(mid = null) {
      this.samples = [];
      clearTimeout(this.timer);
      let audio = null;
      let video = null;
      const turn = async () => {
        const begun = performance.now();
        if (ended(audio)) audio = await busiest('audio');
        if (ended(video)) video = mid === null ? await busiest('video') : receiverOf(mid);
        const [a, v] = await Promise.all([audio && inbound(audio), video && inbound(video)]);
        this.samples.push({
          at: Date.now(),
          packets: a?.packetsReceived ?? 0,
          lost: a?.packetsLost ?? 0,
          heard: a?.totalSamplesReceived ?? 0,
          concealed: a?.concealedSamples ?? 0,
          frames: v?.framesDecoded ?? 0,
          height: v?.frameHeight ?? 0,
          freezes: v?.freezeCount ?? 0,
          frozen: v?.totalFreezesDuration ?? 0,
          bytes: v?.bytesReceived ?? 0,
          nacks: v?.nackCount ?? 0,
          plis: v?.pliCount ?? 0,
        });
        this.timer = setTimeout(turn, Math.max(10, EVERY_MS - (performance.now() - begun)));
      };
      await turn();
    },
  };
}

/** What a recording says; times are Date.now() of this machine. */
export class Recording {
  constructor(samples) {
    this.samples = samples;
  }

  static async of(person) {
    return new Recording(await person.page.evaluate(() => window.__record.samples));
  }

  between(from, to) {
    const part = this.samples.filter((sample) => sample.at >= from && sample.at <= to);
    if (part.length < 2) throw new Error(`no samples between ${from} and ${to}`);
    const [first, last] = [part[0], part[part.length - 1]];
    const grown = (field) => last[field] - first[field];
    const seconds = (last.at - first.at) / 1000;
    return {
      seconds,
      concealed: (100 * grown('concealed')) / Math.max(1, grown('heard')), // percent of what was played
      heard: grown('heard') / 48000 / seconds, // 1: all the time
      freezes: grown('freezes'),
      frozen: grown('frozen'), // seconds
      fps: grown('frames') / seconds,
      kbps: (grown('bytes') * 8) / 1000 / seconds,
      height: last.height,
      lowest: Math.min(...part.map((sample) => sample.height)),
      plis: grown('plis'),
    };
  }

  /** ms from then until `good(sample, sample then)`, Infinity: never. */
  after(at, good) {
    const then = this.samples.filter((sample) => sample.at <= at).pop() ?? this.samples[0];
    const found = this.samples.find((sample) => sample.at > at && good(sample, then));
    return found ? found.at - at : Infinity;
  }

  /** ms until both speech and new pictures came in again. */
  mediaAfter(at) {
    return Math.max(
      this.after(at, (sample, then) => sample.packets > then.packets),
      this.after(at, (sample, then) => sample.frames > then.frames),
    );
  }
}
