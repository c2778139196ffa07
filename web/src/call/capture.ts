/*
 * The microphone and the camera as tracks. A camera that is off is released (its light goes
 * out); a microphone that is muted is kept, so that unmuting takes no time. Devices that
 * vanish are replaced by the system's choice.
 */
import { signal } from '@preact/signals';
import * as settings from '../settings';
import { refreshDevices } from './devices';
import { deviceProblem, type DeviceProblem } from './problems';

export type CaptureKind = 'microphone' | 'camera';

export class Capture {
  readonly microphone = signal<MediaStreamTrack | null>(null);
  readonly camera = signal<MediaStreamTrack | null>(null);
  readonly microphoneProblem = signal<DeviceProblem | null>(null);
  readonly cameraProblem = signal<DeviceProblem | null>(null);
  /** Being asked for: the permission prompt may be open. */
  readonly asking = signal(false);
  /** A device went away in use. */
  onvanished: ((kind: CaptureKind) => void) | null = null;
  private generation = 0;

  /** Asks for both at once, so that a browser shows one prompt; then for each alone. */
  async start(microphone: boolean, camera: boolean): Promise<void> {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.microphoneProblem.value = this.cameraProblem.value = 'insecure';
      return;
    }
    if (microphone && camera) {
      this.asking.value = true;
      try {
        const stream = await navigator.mediaDevices.getUserMedia({
          audio: audioConstraints(),
          video: videoConstraints(),
        });
        this.take('microphone', stream.getAudioTracks()[0] ?? null);
        this.take('camera', stream.getVideoTracks()[0] ?? null);
        void refreshDevices();
        return;
      } catch {
        // One of the two may still work by itself.
      } finally {
        this.asking.value = false;
      }
    }
    await Promise.all([
      microphone ? this.acquire('microphone') : null,
      camera ? this.acquire('camera') : null,
    ]);
  }

  /** True when the track is there afterwards. */
  async acquire(kind: CaptureKind): Promise<boolean> {
    const problem = kind === 'microphone' ? this.microphoneProblem : this.cameraProblem;
    if (!navigator.mediaDevices?.getUserMedia) {
      problem.value = 'insecure';
      return false;
    }
    this.asking.value = true;
    const generation = this.generation;
    try {
      const track = await this.ask(kind);
      if (generation !== this.generation) {
        track.stop();
        return false;
      }
      this.take(kind, track);
      void refreshDevices();
      return true;
    } catch (error) {
      problem.value = deviceProblem(error);
      return false;
    } finally {
      this.asking.value = false;
    }
  }

  release(kind: CaptureKind): void {
    this.take(kind, null);
  }

  releaseAll(): void {
    this.generation += 1;
    this.release('microphone');
    this.release('camera');
  }

  private async ask(kind: CaptureKind): Promise<MediaStreamTrack> {
    const request = (any: boolean) =>
      navigator.mediaDevices.getUserMedia(
        kind === 'microphone'
          ? { audio: audioConstraints(any) }
          : { video: videoConstraints(any) },
      );
    let stream: MediaStream;
    try {
      stream = await request(false);
    } catch (error) {
      // The chosen device may be gone: the system's choice then.
      if (!(error instanceof Error) || error.name !== 'OverconstrainedError') throw error;
      stream = await request(true);
    }
    const track = stream.getTracks()[0];
    if (!track) throw new DOMException('no track', 'NotFoundError');
    return track;
  }

  private take(kind: CaptureKind, track: MediaStreamTrack | null): void {
    const place = kind === 'microphone' ? this.microphone : this.camera;
    const before = place.value;
    if (before) {
      before.onended = null;
      before.stop();
    }
    if (track) {
      track.contentHint = kind === 'microphone' ? 'speech' : 'motion';
      (kind === 'microphone' ? this.microphoneProblem : this.cameraProblem).value = null;
      track.onended = () => {
        if (place.value !== track) return;
        place.value = null;
        void refreshDevices();
        this.onvanished?.(kind);
      };
    }
    place.value = track;
  }
}

function audioConstraints(any = false): MediaTrackConstraints {
  const id = settings.microphone.value;
  return {
    echoCancellation: true,
    noiseSuppression: settings.noiseSuppression.value,
    autoGainControl: true,
    channelCount: 1,
    ...(id && !any ? { deviceId: { exact: id } } : {}),
  };
}

function videoConstraints(any = false): MediaTrackConstraints {
  const id = settings.camera.value;
  return {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30, max: 30 },
    ...(id && !any ? { deviceId: { exact: id } } : {}),
  };
}

/** A screen, window or tab with its sound where the browser has it. Throws what the browser throws. */
export function captureScreen(): Promise<MediaStream> {
  const options: DisplayMediaStreamOptions & Record<string, unknown> = {
    video: {
      width: { max: 1920 },
      height: { max: 1080 },
      frameRate: { ideal: 30, max: 30 },
    },
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    systemAudio: 'include',
    surfaceSwitching: 'include',
  };
  return navigator.mediaDevices.getDisplayMedia(options);
}
