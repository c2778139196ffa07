// A voice message being recorded: the browser's own Opus, and its levels to draw it by.
import { signal } from '@preact/signals';

export const VOICE_MAX_MS = 5 * 60_000; // as the server's
const LEVEL_MS = 100;
const LEVELS = 64; // drawn

const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4'];

export interface Recording {
  blob: Blob;
  /** ms */
  duration: number;
  /** A digit 0-f for each of LEVELS. */
  wave: string;
}

export const canRecord = (): boolean =>
  typeof MediaRecorder !== 'undefined' && navigator.mediaDevices?.getUserMedia !== undefined;

export class VoiceRecorder {
  /** ms so far */
  readonly elapsed = signal(0);
  /** 0..1, one for each LEVEL_MS so far */
  readonly levels = signal<readonly number[]>([]);
  /** It went on until the cap: it is stopped, not lost. */
  readonly full = signal(false);
  private readonly parts: Blob[] = [];
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly context = new AudioContext();
  private readonly began = performance.now();
  private readonly over: Promise<void>;
  private ended = 0;

  private constructor(
    private readonly stream: MediaStream,
    private readonly recorder: MediaRecorder,
  ) {
    const meter = this.context.createAnalyser();
    meter.fftSize = 1024;
    this.context.createMediaStreamSource(stream).connect(meter);
    const samples = new Float32Array(meter.fftSize);
    this.over = new Promise((resolve) => (recorder.onstop = () => resolve()));
    recorder.ondataavailable = ({ data }) => this.parts.push(data);
    recorder.start(1000);
    this.timer = setInterval(() => {
      meter.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      this.levels.value = [...this.levels.peek(), loudness(Math.sqrt(power))];
      this.elapsed.value = performance.now() - this.began;
      if (this.elapsed.peek() >= VOICE_MAX_MS) {
        this.full.value = true;
        this.halt();
      }
    }, LEVEL_MS);
  }

  /** Asks for the microphone; rejects as getUserMedia does. */
  static async begin(): Promise<VoiceRecorder> {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    });
    const type = TYPES.find((candidate) => MediaRecorder.isTypeSupported(candidate));
    return new VoiceRecorder(stream, new MediaRecorder(stream, { ...(type ? { mimeType: type } : {}), audioBitsPerSecond: 32_000 }));
  }

  async finish(): Promise<Recording> {
    this.halt();
    await this.over;
    const blob = new Blob(this.parts, { type: this.recorder.mimeType });
    return { blob, duration: Math.max(1, Math.round(Math.min(this.ended, VOICE_MAX_MS))), wave: waveOf(this.levels.peek()) };
  }

  /** Nothing of it is kept. */
  cancel(): void {
    this.halt();
    this.parts.length = 0;
  }

  private halt(): void {
    if (this.ended) return;
    this.ended = performance.now() - this.began;
    clearInterval(this.timer);
    if (this.recorder.state !== 'inactive') this.recorder.stop();
    for (const track of this.stream.getTracks()) track.stop();
    void this.context.close();
  }
}

/** Speech is within 45 dB below full scale. */
const loudness = (rms: number): number => Math.max(0, Math.min(1, 1 + (20 * Math.log10(rms + 1e-6)) / 45));

/** The loudest of each part, as a digit. */
export function waveOf(levels: readonly number[]): string {
  if (levels.length === 0) return '';
  const count = Math.min(LEVELS, levels.length);
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * levels.length) / count);
    const to = Math.max(from + 1, Math.floor(((i + 1) * levels.length) / count));
    return Math.round(Math.max(...levels.slice(from, to)) * 15).toString(16);
  }).join('');
}
