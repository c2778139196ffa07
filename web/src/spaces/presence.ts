// Who is there now, of those with whom one shares a space; and whether one is there oneself.
import { signal } from '@preact/signals';
import { session, took } from '../account';
import { isQuiet } from '../util/quiet';

export type State = 'online' | 'away' | 'offline';

export interface Person {
  id: string;
  state?: State;
  /** Do not disturb until then, ms since 1970. */
  quiet_until: number;
  /** Version of the picture; 0: none. */
  picture: number;
}

const people = signal<ReadonlyMap<string, Person>>(new Map());

export function learn(told: readonly Person[]): void {
  if (told.length === 0) return;
  const next = new Map(people.peek());
  for (const person of told) if (person.id) next.set(person.id, person);
  people.value = next;
  learnOwn(told);
}

/** What was said of oneself on another device. */
function learnOwn(told: readonly Person[]): void {
  const user = session.peek()?.user;
  const own = told.find(({ id }) => id === user?.id);
  if (user && own && (own.quiet_until !== user.quiet_until || own.picture !== user.picture))
    took({ ...user, quiet_until: own.quiet_until, picture: own.picture });
}

/** All who are there, but what is known better of `known`: whoever is not named is not there. */
export function meet(there: readonly Person[], known: ReadonlySet<string>): void {
  const gone = [...people.peek().values()].filter(({ id, state }) => state && state !== 'offline' && !known.has(id));
  learn([...gone.map((person) => ({ ...person, state: 'offline' as const })), ...there.filter(({ id }) => !known.has(id))]);
}

/** Of oneself what one's account says. */
export function personOf(id: string): Person | undefined {
  const own = session.value?.user;
  return own?.id === id ? { id, state: 'online', quiet_until: own.quiet_until, picture: own.picture } : people.value.get(id);
}

/** What the dot says; nobody is disturbed by being offline. */
export function shownState(person: Person): State | 'quiet' {
  const state = person.state ?? 'offline';
  return state !== 'offline' && isQuiet(person.quiet_until) ? 'quiet' : state;
}
