// What happens in one's spaces, as it happens: the gateway tells it, from a number on. Without the
// gateway GET /events is asked again and again, more slowly while the page is hidden. After a gap
// that the server cannot fill all is loaded anew.
import { signal } from '@preact/signals';
import { renew as renewSession, session } from '../account';
import { HttpError } from '../api';
import { CommandError } from '../gateway/frames';
import { askEvents, following, news, reachable, takePushed } from './hub';
import type { OpenSpace } from './open';
import { passing, whenBack } from './patience';
import { type EventPage, getSpace, listEvents, type SpaceEvent } from './rest';
import { drop, find, load, put, restore } from './spaces';

const SHOWN_MS = 1500;
const HIDDEN_MS = 10_000;
/** What is about oneself and changes no list of spaces. */
const OF_THE_WRITER = new Set(['draft.updated', 'scheduled.updated']);

/** The space on screen. */
export const current = signal<OpenSpace | null>(null);
/** False while the server does not answer. */
export const connected = signal(true);

/** Follows until `stop`; rejects when nobody is signed in any more. */
export async function follow(stop: AbortSignal): Promise<void> {
  let after = -1;
  await restore();
  for (let failed = 0; !stop.aborted; ) {
    try {
      if (session.peek()?.csrf === '') await renewSession();
      const heard = news.peek();
      for (const page of await nextPages(after)) {
        // The number first, then what there is: what comes between is told once more, not lost.
        if (after < 0) await reload();
        else await take(page.items.filter(({ seq }) => seq > after));
        after = Math.max(after, page.last);
        if (page.more) news.value += 1;
      }
      failed = 0;
      connected.value = true;
      await pause(stop, heard);
    } catch (error) {
      if (stop.aborted) return;
      if (tooLongAgo(error)) after = -1;
      else if (error instanceof CommandError || passing(error)) {
        if (!(error instanceof CommandError)) connected.value = false; // else there is REST
        await whenBack(failed++, stop).catch(() => undefined);
      } else throw error;
    }
  }
}

const tooLongAgo = (error: unknown): boolean =>
  error instanceof HttpError ? error.status === 410 : error instanceof CommandError && error.code === 'limited';

async function nextPages(after: number): Promise<EventPage[]> {
  if (after >= 0 && following()) return takePushed();
  return [reachable() ? await askEvents(after) : await listEvents(after)];
}

async function reload(): Promise<void> {
  await load();
  await current.peek()?.refresh();
}

async function take(events: readonly SpaceEvent[]): Promise<void> {
  const changed = new Set<string>();
  for (const event of events) {
    if (event.space) changed.add(event.space);
    if (event.space && event.space === current.peek()?.id) current.peek()?.happened(event);
  }
  if (events.some(({ type, id }) => type === 'draft.updated' && id === current.peek()?.id)) void current.peek()?.loadDrafts();
  if (events.some(({ type, id }) => type === 'scheduled.updated' && id === current.peek()?.id)) void current.peek()?.loadScheduled();
  // About oneself: one has come into a space, or is out of it.
  if (events.some(({ type, space }) => (space ? !find(space) : !OF_THE_WRITER.has(type)))) await load();
  else await Promise.all([...changed].map(renew));
}

async function renew(id: string): Promise<void> {
  try {
    put(await getSpace(id));
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 404) throw error;
    drop(id);
  }
}

/** Until there is something new since `heard`; when it has to be asked for, until it is time to. At
 * once when the page is looked at or the network is back. */
function pause(stop: AbortSignal, heard: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      undo();
      document.removeEventListener('visibilitychange', looked);
      window.removeEventListener('online', done);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const looked = () => !document.hidden && done();
    const wait = document.hidden ? HIDDEN_MS : SHOWN_MS;
    const timer = following() ? undefined : setTimeout(done, wait);
    const undo = news.subscribe((now) => {
      if (now !== heard) queueMicrotask(done);
    });
    document.addEventListener('visibilitychange', looked);
    window.addEventListener('online', done);
    stop.addEventListener('abort', done);
  });
}
