// The spaces this person is in.
import { computed, signal } from '@preact/signals';
import { keep, keepOnly, recall } from '../pwa/kept';
import { listSpaces, type Space } from './rest';

/** undefined: not asked yet. */
export const spaces = signal<readonly Space[] | undefined>(undefined);

export const byName = computed(() =>
  [...(spaces.value ?? [])].sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1)),
);

/** The folders of one's list, by name. */
export const folders = computed(() =>
  [...new Set((spaces.value ?? []).flatMap(({ folder }) => (folder ? [folder] : [])))].sort((a, b) => a.localeCompare(b)),
);

export const find = (id: string): Space | null => spaces.value?.find((space) => space.id === id) ?? null;

/** What is not asked for yet comes with the rest. */
export function put(space: Space): void {
  const known = spaces.peek();
  if (!known) return;
  spaces.value = known.some((other) => other.id === space.id)
    ? known.map((other) => (other.id === space.id ? space : other))
    : [...known, space];
}

export function drop(id: string): void {
  spaces.value = spaces.peek()?.filter((space) => space.id !== id);
  remember();
}

export async function load(): Promise<void> {
  spaces.value = await listSpaces();
  remember();
}

/** What was kept, until the server has told. */
export async function restore(): Promise<void> {
  const kept = await recall<Space[]>('spaces');
  if (kept && spaces.peek() === undefined) spaces.value = kept;
}

/** For a start without a network; of a space that is out of reach nothing stays. */
function remember(): void {
  const now = spaces.peek();
  if (!now) return;
  void keep('spaces', now);
  void keepOnly(now.map(({ id }) => id));
}

export function forget(): void {
  spaces.value = undefined;
}
