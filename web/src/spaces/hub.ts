// A gateway session for spaces: who is there, who types and who has read, which nobody keeps, and
// events as they come. When it is not there, events are asked for by REST (live.ts).
import { signal } from '@preact/signals';
import { ticket } from '../account';
import { browser, GatewaySession } from '../gateway/session';
import { CommandError, type DispatchName, type Dispatches } from '../gateway/frames';
import { Company, Sitter } from './company';
import type { EventPage } from './rest';

type Told = 'space.typing' | 'space.read';

type Listener = <T extends Told>(t: T, d: Dispatches[T]) => void;

const listeners = new Set<Listener>();
let session: GatewaySession | null = null;
/** Pages that came by themselves and nobody has taken. */
let pushed: EventPage[] = [];
/** A session that was asked for events up to now, and tells of those that come. */
let follows = false;
/** How often something happened to the above. */
export const news = signal(0);

/** Until the function it answers with is called. */
export function openHub(): () => void {
  const company = new Company();
  const sitter = new Sitter((idle) => void opened.command('space.here', { idle }).catch(() => undefined));
  const url = new URL('/gateway', window.location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const opened = new GatewaySession(
    url.href,
    {
      state: () => (news.value += 1),
      refused: () => undefined, // signed out: whatever is asked by REST says so
      resumed: () => undefined,
      pending: () => undefined,
      dispatch: <T extends DispatchName>(t: T, d: Dispatches[T]) => {
        if (t === 'space.events') pushed.push(d as EventPage);
        else if (t === 'space.people') company.hear((d as Dispatches['space.people']).people);
        else if (t === 'spaces.ready') {
          forget();
          void company.begin(() => opened.command('space.people', {}));
          sitter.begin();
        } else for (const listener of listeners) listener(t as Told, d as never);
        if (t === 'space.events' || t === 'spaces.ready') news.value += 1;
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
    sitter.close();
    if (session === opened) session = null;
    opened.close();
    forget();
  };
}

/** A new session knows nothing of what the last one was told. */
function forget(): void {
  pushed = [];
  follows = false;
}

/** Whether events come by themselves. */
export const following = (): boolean => follows && session?.state === 'live';

/** Whether they can be asked for here. */
export const reachable = (): boolean => session?.state === 'live';

/** A page; after the one that says there is no more, they come by themselves. */
export async function askEvents(after: number): Promise<EventPage> {
  const asked = session;
  if (!asked) throw new TypeError('no session');
  const page = await unlessBroken(asked, asked.command('space.events', { after }));
  if (asked === session && !page.more) follows = true;
  return page;
}

/** Rejects when the session's socket is gone: nobody waits for it, there is REST. */
function unlessBroken<T>(asked: GatewaySession, answer: Promise<T>): Promise<T> {
  let undo: (() => void) | undefined;
  const broken = new Promise<never>((_, reject) => {
    undo = news.subscribe(() => {
      if (asked !== session || asked.state !== 'live') reject(new CommandError('lost', 'the session broke'));
    });
  });
  return Promise.race([answer, broken]).finally(() => undo?.());
}

/** What came by itself since the last time. */
export function takePushed(): EventPage[] {
  const pages = pushed;
  pushed = [];
  return pages;
}

export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function sayTyping(space: string, thread: string | undefined): void {
  void session?.command('space.typing', { space, ...(thread ? { thread } : {}) }).catch(() => undefined);
}
