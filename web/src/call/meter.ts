// How loud the own microphone is, 0..1. Measured on a copy of the track, so that a person who
// speaks while muted can be told so.
import { signal } from '@preact/signals';

const PERIOD_MS = 60;
const FLOOR_DB = -60;

export class Meter {
  readonly level = signal(0);
  private context: AudioContext | null = null;
  private source: MediaStreamAudioSourceNode | null = null;
  private copy: MediaStreamTrack | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;

  watch(track: MediaStreamTrack | null): void {
    this.stop();
    if (!track || typeof AudioContext === 'undefined') return;
    this.context ??= new AudioContext();
    this.copy = track.clone();
    this.copy.enabled = true;
    this.source = this.context.createMediaStreamSource(new MediaStream([this.copy]));
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    this.source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.timer = setInterval(() => {
      if (this.context?.state === 'suspended') void this.context.resume().catch(() => undefined);
      analyser.getFloatTimeDomainData(samples);
      let sum = 0;
      for (const sample of samples) sum += sample * sample;
      const db = 10 * Math.log10(sum / samples.length + 1e-10);
      const now = Math.max(0, Math.min(1, (db - FLOOR_DB) / -FLOOR_DB));
      // Up at once, down slowly: what the eye expects of a meter.
      const next = Math.max(now, this.level.value * 0.82);
      this.level.value = next < 0.02 ? 0 : next;
    }, PERIOD_MS);
  }

  private stop(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    this.source?.disconnect();
    this.source = null;
    this.copy?.stop();
    this.copy = null;
    this.level.value = 0;
  }

  close(): void {
    this.stop();
    void this.context?.close().catch(() => undefined);
    this.context = null;
  }
}
