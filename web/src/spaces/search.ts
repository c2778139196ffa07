// What somebody looks for, and what was found: over all one's spaces, or in one.
import { batch, signal } from '@preact/signals';
import { ask } from '../account';

export type Kind = 'message' | 'file' | 'person';

export interface Hit {
  kind: Kind;
  /** Of the message, file or account. */
  id: string;
  space: string;
  /** Of a message that answers one: that one's. */
  thread?: string;
  author?: string;
  author_name?: string;
  type?: string;
  /** Of the text or name. */
  snippet: { text: string; hit?: boolean }[];
  created: number;
}

export interface Filters {
  space: string | null;
  kind: Kind | null;
  /** Who wrote it. */
  from: { id: string; name: string } | null;
  has: 'link' | 'mention' | null;
  /** Days back; null: any time. */
  days: number | null;
  order: 'newest' | 'relevance';
}

const PAGE = 20;
const PAUSE_MS = 150; // of somebody typing
const DAY_MS = 86_400_000;

/** The last word may go on while somebody types it, outside of quotes. */
export function typed(words: string): string {
  const quotes = words.split('"').length - 1;
  return quotes % 2 === 0 && /[\p{L}\p{N}]$/u.test(words) ? `${words}*` : words;
}

export class Search {
  readonly words = signal('');
  readonly filters = signal<Filters>({ space: null, kind: null, from: null, has: null, days: null, order: 'newest' });
  /** Null: nothing was looked for yet. */
  readonly hits = signal<readonly Hit[] | null>(null);
  readonly more = signal(false);
  readonly busy = signal(false);
  readonly failed = signal(false);
  private cursor: string | undefined;
  private asked = 0; // answers to earlier questions are not shown
  private timer: ReturnType<typeof setTimeout> | undefined;

  type(words: string): void {
    this.words.value = words;
    this.again(PAUSE_MS);
  }

  filter(change: Partial<Filters>): void {
    this.filters.value = { ...this.filters.value, ...change };
    this.again(0);
  }

  /** The next page. */
  async next(): Promise<void> {
    if (this.more.value && !this.busy.value) await this.load(this.cursor);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.asked++;
  }

  private again(pause: number): void {
    clearTimeout(this.timer);
    this.asked++;
    if (!/[\p{L}\p{N}]/u.test(this.words.value)) {
      batch(() => {
        this.hits.value = null;
        this.more.value = this.busy.value = this.failed.value = false;
      });
      return;
    }
    this.timer = setTimeout(() => void this.load(undefined), pause);
  }

  private async load(cursor: string | undefined): Promise<void> {
    const mine = ++this.asked;
    this.busy.value = true;
    try {
      const page = await ask<{ items: Hit[]; next_cursor?: string }>('GET', `search?${this.query(cursor)}`);
      if (mine !== this.asked) return;
      batch(() => {
        this.hits.value = cursor ? [...(this.hits.value ?? []), ...page.items] : page.items;
        this.cursor = page.next_cursor;
        this.more.value = page.next_cursor !== undefined;
        this.busy.value = this.failed.value = false;
      });
    } catch {
      if (mine !== this.asked) return;
      batch(() => {
        this.busy.value = false;
        this.failed.value = true;
      });
    }
  }

  private query(cursor: string | undefined): URLSearchParams {
    const { space, kind, from, has, days, order } = this.filters.value;
    return new URLSearchParams({
      q: typed(this.words.value.trim()),
      limit: String(PAGE),
      ...(space ? { space } : {}),
      ...(kind ? { kind } : {}),
      ...(from ? { from: from.id } : {}),
      ...(has ? { has } : {}),
      ...(days ? { after: String(Date.now() - days * DAY_MS) } : {}),
      ...(order === 'relevance' ? { order } : {}),
      ...(cursor ? { cursor } : {}),
    });
  }
}

/** The file that a hit leads to, until the page that shows it has it. */
export const soughtFile = signal<{ space: string; file: string } | null>(null);
