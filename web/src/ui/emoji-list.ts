// Every emoji with its names, fetched when first asked for (scripts/emoji.mjs makes the file).
import { signal } from '@preact/signals';

export interface Emoji {
  emoji: string;
  /** Unicode's: 0 faces … 9 flags. */
  group: number;
  /** What stands between colons. */
  codes: string[];
  /** English and Chinese. */
  words: string;
}

/** undefined: not here yet. */
export const emojis = signal<readonly Emoji[] | undefined>(undefined);

let asked = false;

export function loadEmojis(): void {
  if (asked) return;
  asked = true;
  fetch('/emoji.json')
    .then((reply) => reply.json() as Promise<[string, number, string, string][]>)
    .then((rows) => {
      emojis.value = rows.map(([emoji, group, codes, words]) => ({ emoji, group, codes: codes.split(' '), words: words.toLowerCase() }));
    })
    .catch(() => (asked = false));
}

/** Those whose code begins so first, then those a word of which does. */
export function findEmojis(all: readonly Emoji[], sought: string, max: number): Emoji[] {
  const wanted = sought.trim().toLowerCase();
  if (!wanted) return all.slice(0, max);
  const rank = ({ codes, words }: Emoji): number => {
    if (codes.includes(wanted)) return 0;
    if (codes.some((code) => code.startsWith(wanted))) return 1;
    if (words.split(' ').some((word) => word.startsWith(wanted))) return 2;
    return words.includes(wanted) || codes.some((code) => code.includes(wanted)) ? 3 : 4;
  };
  return all
    .map((emoji, at) => ({ emoji, at, rank: rank(emoji) }))
    .filter((row) => row.rank < 4)
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .slice(0, max)
    .map((row) => row.emoji);
}
