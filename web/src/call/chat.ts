// The meeting's chat as this client knows it: the newest messages, older ones page by page.
import { batch, signal } from '@preact/signals';
import type { ChatMessage, Commands, CommandName } from '../gateway/frames';

/** A message of ours that is not acknowledged yet, or failed. */
export interface Draft {
  nonce: string;
  text: string;
  replyTo: string | null;
  failed: boolean;
}

type Send = <T extends CommandName>(t: T, d: Commands[T][0]) => Promise<Commands[T][1]>;

const PAGE = 50;
const PAGE_MAX = 100;
const TYPING_EVERY_MS = 3000;
const TYPING_SHOWN_MS = 4500;

export class Chat {
  readonly messages = signal<readonly ChatMessage[]>([]);
  readonly drafts = signal<readonly Draft[]>([]);
  readonly typing = signal<readonly string[]>([]);
  readonly unread = signal(0);
  readonly more = signal(false);
  readonly loading = signal(false);
  /** The panel is open and at its end: what comes is read. */
  reading = false;
  private loaded = false;
  private typingSent = -Infinity;
  private readonly typingTimers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly send: Send,
    private readonly self: () => string,
  ) {}

  /** The newest page, after every `ready`; messages that came meanwhile are kept. */
  async refresh(): Promise<void> {
    try {
      const page = await this.send('chat.history', {});
      this.merge(page.messages, page.more);
    } catch {
      // Lost with the session; the next `ready` asks again.
    }
  }

  /** Every message there is, page by page. */
  async all(): Promise<ChatMessage[]> {
    let messages: ChatMessage[] = [];
    for (;;) {
      const before = messages[0]?.id;
      const page = await this.send('chat.history', { limit: PAGE_MAX, ...(before ? { before } : {}) });
      messages = [...page.messages, ...messages];
      if (!page.more || page.messages.length === 0) return messages;
    }
  }

  private merge(latest: readonly ChatMessage[], more: boolean): void {
    const known = this.messages.value;
    const first = latest[0];
    // Older pages already here stay only when nothing is missing between them and the newest.
    const meets = first === undefined || known.some((m) => m.id === first.id) || !this.loaded;
    const ids = new Set(latest.map((m) => m.id));
    const kept = known.filter((m) => !ids.has(m.id) && (meets || !first || later(m.id, first.id)));
    const seen = new Set(known.map((m) => m.id));
    const fresh = latest.filter((m) => !seen.has(m.id) && m.author !== this.self()).length;
    batch(() => {
      this.messages.value = [...latest, ...kept].sort((a, b) => (later(a.id, b.id) ? 1 : -1));
      if (!meets || !this.loaded) this.more.value = more;
      if (this.loaded && !this.reading) this.unread.value += fresh;
    });
    this.loaded = true;
  }

  arrived(message: ChatMessage): void {
    const known = this.messages.value;
    if (known.some((m) => m.id === message.id)) return;
    batch(() => {
      const at = known.findIndex((m) => later(m.id, message.id));
      this.messages.value = at < 0 ? [...known, message] : [...known.slice(0, at), message, ...known.slice(at)];
      this.stopTyping(message.author);
      if (!this.reading && message.author !== this.self()) this.unread.value += 1;
    });
  }

  changed(message: ChatMessage): void {
    this.messages.value = this.messages.value.map((m) => (m.id === message.id ? message : m));
  }

  read(): void {
    this.unread.value = 0;
  }

  find(id: string): ChatMessage | null {
    return this.messages.value.find((m) => m.id === id) ?? null;
  }

  /** Resolves when the server has it for good; rejects when it did not take it. */
  async say(text: string, replyTo: string | null): Promise<void> {
    const draft: Draft = { nonce: nonce(), text, replyTo, failed: false };
    this.drafts.value = [...this.drafts.value, draft];
    this.typingSent = -Infinity;
    await this.deliver(draft);
  }

  async again(draft: Draft): Promise<void> {
    const retry = { ...draft, failed: false };
    this.drafts.value = this.drafts.value.map((d) => (d.nonce === draft.nonce ? retry : d));
    await this.deliver(retry);
  }

  discard(draft: Draft): void {
    this.drafts.value = this.drafts.value.filter((d) => d.nonce !== draft.nonce);
  }

  typed(): void {
    const now = performance.now();
    if (now - this.typingSent < TYPING_EVERY_MS) return;
    this.typingSent = now;
    this.send('chat.typing', {}).catch(() => undefined);
  }

  sawTyping(id: string): void {
    if (id === this.self()) return;
    const timer = this.typingTimers.get(id);
    if (timer) clearTimeout(timer);
    else this.typing.value = [...this.typing.value, id];
    this.typingTimers.set(
      id,
      setTimeout(() => this.stopTyping(id), TYPING_SHOWN_MS),
    );
  }

  async older(): Promise<void> {
    const first = this.messages.value[0];
    if (!first || this.loading.value || !this.more.value) return;
    this.loading.value = true;
    try {
      const page = await this.send('chat.history', { before: first.id, limit: PAGE });
      batch(() => {
        const known = new Set(this.messages.value.map((m) => m.id));
        this.messages.value = [
          ...page.messages.filter((m) => !known.has(m.id)),
          ...this.messages.value,
        ];
        this.more.value = page.more;
      });
    } catch {
      // The button stays and can be pressed again.
    } finally {
      this.loading.value = false;
    }
  }

  private async deliver(draft: Draft): Promise<void> {
    try {
      const { message } = await this.send('chat.send', {
        text: draft.text,
        nonce: draft.nonce,
        ...(draft.replyTo ? { reply_to: draft.replyTo } : {}),
      });
      batch(() => {
        this.discard(draft);
        this.arrived(message);
      });
    } catch (error) {
      this.drafts.value = this.drafts.value.map((d) =>
        d.nonce === draft.nonce ? { ...d, failed: true } : d,
      );
      throw error;
    }
  }

  private stopTyping(id: string): void {
    const timer = this.typingTimers.get(id);
    if (!timer) return;
    clearTimeout(timer);
    this.typingTimers.delete(id);
    this.typing.value = this.typing.value.filter((other) => other !== id);
  }
}

/** Ids are decimal numbers that grow; too large for a double. */
function later(a: string, b: string): boolean {
  return a.length !== b.length ? a.length > b.length : a > b;
}

function nonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
