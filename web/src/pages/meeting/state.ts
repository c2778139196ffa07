// What the meeting page shows; not part of the call.
import { signal } from '@preact/signals';

export type Panel = 'people' | 'chat' | null;
export type Overlay = 'settings' | 'shortcuts' | 'statistics' | 'call-out' | 'dial-in' | 'polls' | null;

export const panel = signal<Panel>(null);
export const overlay = signal<Overlay>(null);
/** A participant, or their screen, that this person wants large. */
export const pinned = signal<string | null>(null);
export const page = signal(0);
/** The shared screen at its own size rather than fitted. */
export const actualSize = signal(false);

export function resetMeetingState(): void {
  panel.value = null;
  overlay.value = null;
  pinned.value = null;
  page.value = 0;
  actualSize.value = false;
}

export const togglePanel = (which: Panel): void => {
  panel.value = panel.peek() === which ? null : which;
};
