// What the connection is doing, sampled; from it the quality per person and the panel.
import type { Slot } from './connection';

export type Quality = 'good' | 'fair' | 'poor' | 'unknown';

export interface StreamStats {
  mid: string;
  kind: 'audio' | 'video';
  codec: string;
  bitrate: number; // bit/s
  loss: number; // 0..1 over the last period
  jitterMs: number;
  width: number;
  height: number;
  fps: number;
  freezes: number; // since the beginning
  frames: number; // decoded or encoded since the beginning
  bytes: number; // payload octets since the beginning
  concealed: number; // samples of sound made up since the beginning, of `samples`
  samples: number;
  rid?: string;
  active?: boolean;
  limited?: string; // why the encoder holds back: cpu, bandwidth
}

export interface Sample {
  at: number;
  rttMs: number;
  outBitrate: number;
  inBitrate: number;
  available: number; // what congestion control thinks may be sent, bit/s; 0: unknown
  protocol: string;
  sent: StreamStats[];
  received: StreamStats[];
  outLoss: number;
}

type Row = Record<string, unknown> & { id: string; type: string; timestamp: number };

interface Counter {
  at: number;
  bytes: number;
  packets: number;
  lost: number;
  freezes: number;
}

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Differences between one getStats() and the one before. */
export class Sampler {
  private before = new Map<string, Counter>();

  take(report: Iterable<Row>): Sample {
    const rows = [...report];
    const byId = new Map(rows.map((row) => [row.id, row]));
    const after = new Map<string, Counter>();
    const sample: Sample = {
      at: rows[0]?.timestamp ?? 0,
      rttMs: 0,
      outBitrate: 0,
      inBitrate: 0,
      available: 0,
      protocol: '',
      sent: [],
      received: [],
      outLoss: 0,
    };
    for (const row of rows) {
      if (row.type === 'inbound-rtp') sample.received.push(this.stream(row, byId, after, 'in'));
      else if (row.type === 'outbound-rtp') sample.sent.push(this.stream(row, byId, after, 'out'));
      else if (row.type === 'transport') this.path(row, byId, sample);
      else if (row.type === 'remote-inbound-rtp')
        sample.outLoss = Math.max(sample.outLoss, number(row.fractionLost));
    }
    const sum = (streams: StreamStats[]) => streams.reduce((total, s) => total + s.bitrate, 0);
    sample.inBitrate = sum(sample.received);
    sample.outBitrate = sum(sample.sent);
    this.before = after;
    return sample;
  }

  private stream(
    row: Row,
    byId: Map<string, Row>,
    after: Map<string, Counter>,
    direction: 'in' | 'out',
  ): StreamStats {
    const counter: Counter = {
      at: row.timestamp,
      bytes: number(direction === 'in' ? row.bytesReceived : row.bytesSent),
      packets: number(direction === 'in' ? row.packetsReceived : row.packetsSent),
      lost: number(row.packetsLost),
      freezes: number(row.freezeCount),
    };
    after.set(row.id, counter);
    const before = this.before.get(row.id);
    const seconds = before ? (counter.at - before.at) / 1000 : 0;
    const lost = before ? Math.max(0, counter.lost - before.lost) : 0;
    const came = before ? Math.max(0, counter.packets - before.packets) : 0;
    return {
      mid: text(row.mid),
      kind: row.kind === 'video' ? 'video' : 'audio',
      codec: text(byId.get(text(row.codecId))?.mimeType).replace(/^.*\//, ''),
      bitrate: before && seconds > 0 ? ((counter.bytes - before.bytes) * 8) / seconds : 0,
      loss: lost + came > 0 ? lost / (lost + came) : 0,
      jitterMs: number(row.jitter) * 1000,
      width: number(row.frameWidth),
      height: number(row.frameHeight),
      fps: number(row.framesPerSecond),
      freezes: counter.freezes,
      bytes: counter.bytes,
      concealed: number(row.concealedSamples),
      samples: number(row.totalSamplesReceived),
      frames: number(direction === 'in' ? row.framesDecoded : row.framesEncoded),
      ...(direction === 'out'
        ? {
            rid: text(row.rid),
            active: row.active !== false,
            limited: text(row.qualityLimitationReason),
          }
        : {}),
    };
  }

  private path(row: Row, byId: Map<string, Row>, sample: Sample): void {
    const pair = byId.get(text(row.selectedCandidatePairId));
    if (!pair) return;
    sample.rttMs = number(pair.currentRoundTripTime) * 1000;
    sample.available = number(pair.availableOutgoingBitrate);
    sample.protocol = text(byId.get(text(pair.localCandidateId))?.protocol);
  }
}

/** How a person's picture and sound reach us. */
export function streamQuality(stream: StreamStats, freezesBefore: number): Quality {
  const froze = stream.freezes > freezesBefore;
  if (stream.loss > 0.1 || froze) return 'poor';
  if (stream.loss > 0.03 || stream.jitterMs > 60) return 'fair';
  return 'good';
}

/** How our own connection does. */
export function linkQuality(sample: Sample): Quality {
  const loss = Math.max(sample.outLoss, ...sample.received.map((s) => s.loss), 0);
  if (loss > 0.1 || sample.rttMs > 500) return 'poor';
  if (loss > 0.03 || sample.rttMs > 250) return 'fair';
  return sample.protocol ? 'good' : 'unknown';
}

export async function sampleConnection(pc: RTCPeerConnection, sampler: Sampler): Promise<Sample> {
  const rows: Row[] = [];
  (await pc.getStats()).forEach((row: Row) => rows.push(row));
  return sampler.take(rows);
}

export function streamOfSlot(sample: Sample, slot: Slot): StreamStats | null {
  return sample.received.find((stream) => stream.mid === slot.mid) ?? null;
}
