// What we tell the server of our own connection, for the hosts' statistics (self.stats).
import type { Commands } from '../gateway/frames';
import type { Sample } from './stats';

export type Report = Commands['self.stats'][0];

const EVERY_MS = 10_000;
const STREAMS_MAX = 16;
const MILLE = 1000;

const whole = (value: number) => Math.max(0, Math.round(value));
const mille = (share: number) => Math.min(MILLE, whole(share * MILLE));

export class Reporter {
  private at = -Infinity;
  private concealed = 0;
  private samples = 0;

  /** The report that is due now; null: not yet. `now` in ms of any steady clock. */
  take(sample: Sample, now: number): Report | null {
    if (now - this.at < EVERY_MS) return null;
    this.at = now;
    const sum = (pick: (stream: Sample['sent'][number]) => number, streams: Sample['sent']) =>
      streams.reduce((total, stream) => total + pick(stream), 0);
    const concealed = sum((s) => s.concealed, sample.received);
    const samples = sum((s) => s.samples, sample.received);
    const heard = samples - this.samples;
    const share = heard > 0 ? (concealed - this.concealed) / heard : 0;
    this.concealed = concealed;
    this.samples = samples;
    const pictures = sample.received.filter((s) => s.kind === 'video' && s.bitrate > 0 && s.mid !== '');
    return {
      rtt: whole(sample.rttMs),
      available: whole(sample.available),
      sent: whole(sample.outBitrate),
      received: whole(sample.inBitrate),
      sent_bytes: whole(sum((s) => s.bytes, sample.sent)),
      received_bytes: whole(sum((s) => s.bytes, sample.received)),
      loss_out: mille(sample.outLoss),
      loss_in: mille(Math.max(0, ...sample.received.map((s) => s.loss))),
      concealed: mille(Math.max(0, share)),
      freezes: whole(sum((s) => s.freezes, sample.received)),
      streams: pictures.slice(0, STREAMS_MAX).map((s) => ({
        mid: s.mid,
        height: whole(s.height),
        fps: whole(s.fps),
        freezes: whole(s.freezes),
      })),
    };
  }
}
