// What happens around the page: the network comes and goes, the page is hidden or left, and somebody
// speaks while muted.
import { effect, type ReadonlySignal } from '@preact/signals';

const HIDDEN_MS = 5000; // a look at another tab is no reason to stop the pictures
const TALKING_LEVEL = 0.55;
const TALKING_MS = 900;
const TALKING_AGAIN_MS = 20_000;

export interface Surroundings {
  online(online: boolean): void;
  /** Another network interface: addresses have changed. */
  moved(): void;
  /** Nobody looks at the page (after a while), or somebody does again. */
  hidden(hidden: boolean): void;
  /** The page is closed or left for another. */
  leaving(): void;
}

/** Returns what ends it. */
export function watchSurroundings(events: Surroundings): () => void {
  const online = () => events.online(true);
  const offline = () => events.online(false);
  const moved = () => events.moved();
  const leaving = () => events.leaving();
  let hiding: ReturnType<typeof setTimeout> | null = null;
  const visible = () => {
    if (hiding) clearTimeout(hiding);
    hiding = null;
    if (!document.hidden) events.hidden(false);
    else
      hiding = setTimeout(() => {
        if (!document.pictureInPictureElement) events.hidden(true);
      }, HIDDEN_MS);
  };
  const connection = (navigator as Navigator & { connection?: EventTarget }).connection;
  window.addEventListener('online', online);
  window.addEventListener('offline', offline);
  window.addEventListener('pagehide', leaving);
  document.addEventListener('visibilitychange', visible);
  connection?.addEventListener?.('change', moved);
  return () => {
    window.removeEventListener('online', online);
    window.removeEventListener('offline', offline);
    window.removeEventListener('pagehide', leaving);
    document.removeEventListener('visibilitychange', visible);
    connection?.removeEventListener?.('change', moved);
    if (hiding) clearTimeout(hiding);
  };
}

/** Tells, now and then, somebody who speaks while muted. */
export function watchTalking(
  level: ReadonlySignal<number>,
  muted: () => boolean,
  tell: () => void,
): () => void {
  let since = 0;
  let told = -Infinity;
  return effect(() => {
    const loud = level.value > TALKING_LEVEL;
    const silent = muted();
    const now = performance.now();
    if (!loud || !silent) since = 0;
    else if (since === 0) since = now;
    else if (now - since > TALKING_MS && now - told > TALKING_AGAIN_MS) {
      told = now;
      tell();
    }
  });
}
