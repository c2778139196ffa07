// Plays the voice slots and the sound of a shared screen: one element per slot, for good.
import { effect, signal } from '@preact/signals';
import { speaker } from '../settings';
import type { Slot } from './connection';

export class Playback {
  /** The browser wants a click before it plays. */
  readonly blocked = signal(false);
  private elements: HTMLAudioElement[] = [];
  private readonly stopFollowing: () => void;

  constructor() {
    this.stopFollowing = effect(() => {
      const sink = speaker.value;
      for (const element of this.elements) void setSink(element, sink);
    });
  }

  use(slots: readonly Slot[]): void {
    this.drop();
    for (const slot of slots) {
      if (slot.kind !== 'voice' && slot.kind !== 'screen_audio') continue;
      const element = document.createElement('audio');
      element.autoplay = true;
      element.srcObject = slot.stream;
      element.dataset.slot = slot.mid;
      element.hidden = true;
      document.body.append(element);
      this.elements.push(element);
      void setSink(element, speaker.peek());
    }
    this.play();
  }

  play(): void {
    this.blocked.value = false;
    for (const element of this.elements) {
      element.play().catch((error: unknown) => {
        if (error instanceof DOMException && error.name === 'NotAllowedError')
          this.blocked.value = true;
      });
    }
  }

  close(): void {
    this.stopFollowing();
    this.drop();
  }

  private drop(): void {
    for (const element of this.elements) {
      element.srcObject = null;
      element.remove();
    }
    this.elements = [];
  }
}

async function setSink(element: HTMLMediaElement, id: string): Promise<void> {
  const settable = element as HTMLMediaElement & { setSinkId?(id: string): Promise<void> };
  // A speaker that is gone leaves the system's choice.
  await settable.setSinkId?.(id).catch(() => settable.setSinkId?.('').catch(() => undefined));
}

/** A short tone on the chosen speaker, to find out which one it is. */
export async function testSpeaker(): Promise<void> {
  const context = new AudioContext();
  const target = context.createMediaStreamDestination();
  const gain = context.createGain();
  gain.gain.setValueAtTime(0, context.currentTime);
  [523.25, 659.25, 783.99].forEach((frequency, i) => {
    const tone = context.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(gain);
    tone.start(context.currentTime + i * 0.16);
    tone.stop(context.currentTime + i * 0.16 + 0.3);
  });
  gain.gain.linearRampToValueAtTime(0.25, context.currentTime + 0.03);
  gain.gain.linearRampToValueAtTime(0, context.currentTime + 0.75);
  gain.connect(target);
  const element = new Audio();
  element.srcObject = target.stream;
  await setSink(element, speaker.peek());
  await element.play();
  await new Promise((done) => setTimeout(done, 900));
  await context.close();
}
