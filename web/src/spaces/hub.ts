// What open clients of a space tell each other and nobody keeps: who types, who has read, that there
// is news. A gateway session for spaces, beside the events that are asked for by REST.
import { signal } from '@preact/signals';
import { ticket } from '../account';
import { browser, GatewaySession } from '../gateway/session';
import type { DispatchName, Dispatches } from '../gateway/frames';

type Told = 'space.typing' | 'space.read' | 'space.news';

type Listener = <T extends Told>(t: T, d: Dispatches[T]) => void;

const listeners = new Set<Listener>();
let session: GatewaySession | null = null;
/** How often it was said that there is something new. */
export const news = signal(0);

/** Until the function it answers with is called. */
export function openHub(): () => void {
  const url = new URL('/gateway', window.location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const opened = new GatewaySession(
    url.href,
    {
      state: () => undefined,
      refused: () => undefined, // signed out: whatever is asked by REST says so
      resumed: () => (news.value += 1),
      pending: () => undefined,
      dispatch: <T extends DispatchName>(t: T, d: Dispatches[T]) => {
        if (t === 'space.news') news.value += 1;
        for (const listener of listeners) listener(t as Told, d as never);
      },
    },
    browser,
  );
  session = opened;
  opened.identify({ spaces: true, client: navigator.userAgent.slice(0, 200) }, ticket);
  const nudge = () => opened.nudge();
  window.addEventListener('online', nudge);
  return () => {
    window.removeEventListener('online', nudge);
    if (session === opened) session = null;
    opened.close();
  };
}

export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function sayTyping(space: string, thread: string | undefined): void {
  void session?.command('space.typing', { space, ...(thread ? { thread } : {}) }).catch(() => undefined);
}
