// A chat as this client knows it: the newest messages, older ones page by page. What carries it is
// passed in: a meeting's gateway session, or the REST of a space.
import { batch, signal } from '@preact/signals';
import type { Attachment, ChatMessage } from '../gateway/frames';

/** A message of ours that is not acknowledged yet, or failed. */
export interface Draft {
  nonce: string;
  text: string;
  replyTo: string | null;
  failed: boolean;
  /** Files that are there already and go with it. */
  attachments?: readonly Attachment[];
}

/** A run of messages, oldest first. */
export interface ChatPage {
  messages: readonly ChatMessage[];
  more: boolean;
  /** As whom one writes here, and whether one may delete what others wrote; absent: as the caller says. */
  self?: string;
  moderates?: boolean;
}

/** Each rejects when the server did not take it. A message that is answered is the one as it is now. */
export interface ChatWire {
  /** The newest before the message `before` (null: the newest of all). */
  history(before: string | null, limit: number): Promise<ChatPage>;
  send(draft: Draft): Promise<ChatMessage>;
  edit(id: string, text: string): Promise<ChatMessage | void>;
  remove(id: string): Promise<ChatMessage | void>;
  react(id: string, emoji: string, on: boolean): Promise<ChatMessage | void>;
  /** Takes a link's card away. */
  dropPreview(id: string, preview: string): Promise<ChatMessage | void>;
  typing(): void;
  /** Everything up to this message has been seen. */
  read?(id: string): void;
}

/** What the next press of Send does, when it is not a new message. */
export interface Composing {
  kind: 'reply' | 'edit';
  message: ChatMessage;
}

const PAGE = 50;
const PAGE_MAX = 100;
const AROUND = 20; // newer ones beside the one looked for
const TYPING_EVERY_MS = 3000;
const TYPING_SHOWN_MS = 4500;

export class Chat {
  readonly messages = signal<readonly ChatMessage[]>([]);
  readonly drafts = signal<readonly Draft[]>([]);
  readonly typing = signal<readonly string[]>([]);
  readonly unread = signal(0);
  readonly more = signal(false);
  readonly loading = signal(false);
  /** An older stretch is shown: newer ones are missing between it and what comes. */
  readonly apart = signal(false);
  /** What stands in the composer. */
  readonly written = signal('');
  readonly composing = signal<Composing | null>(null);
  /** What the server said of oneself here; null: nothing. */
  readonly place = signal<{ self: string; moderates: boolean } | null>(null);
  /** The panel is open and at its end: what comes is read. */
  reading = false;
  private loaded = false;
  private recalled = false; // what is shown is of the last time
  private seen = ''; // up to here it is known that all was read
  private typingSent = -Infinity;
  private readonly typingTimers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly wire: ChatWire,
    readonly self: () => string,
  ) {}

  /** The newest page, after every `ready`; messages that came meanwhile are kept. */
  async refresh(): Promise<void> {
    try {
      const page = await this.wire.history(null, PAGE);
      if (page.self) this.place.value = { self: page.self, moderates: page.moderates ?? false };
      if (!this.apart.peek()) this.merge(page.messages, page.more);
    } catch {
      // Lost with the session; the next `ready` asks again.
    }
  }

  /** Brings the message and what stands around it. False: it is not there. */
  async seek(id: string): Promise<boolean> {
    // What is only recalled goes when the newest page does not meet it.
    if (!this.loaded || this.recalled) await this.refresh();
    if (!this.find(id)) {
      const page = await this.wire.history(behind(id, AROUND), PAGE);
      if (!page.messages.some((m) => m.id === id)) return false;
      batch(() => {
        this.messages.value = page.messages;
        this.more.value = page.more;
        this.apart.value = this.loaded = true;
      });
    }
    return true;
  }

  /** Back from an older stretch. */
  async toNewest(): Promise<void> {
    const page = await this.wire.history(null, PAGE);
    batch(() => {
      this.apart.value = false;
      this.messages.value = page.messages;
      this.more.value = page.more;
    });
  }

  /** What was here the last time, until the newest page comes. */
  remember(messages: readonly ChatMessage[]): void {
    if (this.loaded || messages.length === 0) return;
    batch(() => {
      this.messages.value = messages;
      this.more.value = true;
    });
    this.loaded = true;
    this.recalled = true;
  }

  /** Every message there is, page by page. */
  async all(): Promise<ChatMessage[]> {
    let messages: ChatMessage[] = [];
    for (;;) {
      const page = await this.wire.history(messages[0]?.id ?? null, PAGE_MAX);
      messages = [...page.messages, ...messages];
      if (!page.more || page.messages.length === 0) return messages;
    }
  }

  private merge(latest: readonly ChatMessage[], more: boolean): void {
    this.recalled = false;
    const known = this.messages.value;
    const first = latest[0];
    // Older pages already here stay only when nothing is missing between them and the newest.
    const meets = first === undefined || known.some((m) => m.id === first.id) || !this.loaded;
    const ids = new Set(latest.map((m) => m.id));
    const kept = known.filter((m) => !ids.has(m.id) && (meets || !first || later(m.id, first.id)));
    const seen = new Set(known.map((m) => m.id));
    const fresh = latest.filter((m) => !seen.has(m.id) && m.author !== this.me()).length;
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
    if (this.apart.value) {
      if (message.author !== this.me()) this.unread.value += 1;
      return;
    }
    batch(() => {
      const at = known.findIndex((m) => later(m.id, message.id));
      this.messages.value = at < 0 ? [...known, message] : [...known.slice(0, at), message, ...known.slice(at)];
      this.stopTyping(message.author);
      if (!this.reading && message.author !== this.me()) this.unread.value += 1;
    });
  }

  changed(message: ChatMessage): void {
    this.messages.value = this.messages.value.map((m) => (m.id === message.id ? message : m));
  }

  read(): void {
    if (this.apart.value) return;
    this.unread.value = 0;
    const last = this.messages.value[this.messages.value.length - 1]?.id;
    if (!last || last === this.seen) return;
    this.seen = last;
    this.wire.read?.(last);
  }

  /** The author that this person is. */
  me(): string {
    return this.place.peek()?.self ?? this.self();
  }

  /** Under which name somebody has written here. */
  nameOf(id: string): string {
    return this.messages.peek().find((message) => message.author === id)?.author_name ?? '';
  }

  find(id: string): ChatMessage | null {
    return this.messages.value.find((m) => m.id === id) ?? null;
  }

  /** Resolves when the server has it for good; rejects when it did not take it. */
  async say(text: string, replyTo: string | null, attachments: readonly Attachment[] = []): Promise<void> {
    const draft: Draft = { nonce: nonce(), text, replyTo, failed: false, attachments };
    this.drafts.value = [...this.drafts.value, draft];
    this.typingSent = -Infinity;
    if (this.apart.peek()) await this.toNewest().catch(() => undefined);
    await this.deliver(draft);
  }

  /** What an earlier page left unsent goes out now. */
  async restore(drafts: readonly Draft[]): Promise<void> {
    this.drafts.value = [...drafts, ...this.drafts.value];
    const waiting = drafts.filter((draft) => !draft.failed);
    await Promise.all(waiting.map((draft) => this.deliver(draft).catch(() => undefined)));
  }

  async again(draft: Draft): Promise<void> {
    const retry = { ...draft, failed: false };
    this.drafts.value = this.drafts.value.map((d) => (d.nonce === draft.nonce ? retry : d));
    await this.deliver(retry);
  }

  discard(draft: Draft): void {
    this.drafts.value = this.drafts.value.filter((d) => d.nonce !== draft.nonce);
  }

  /** A half-edited message is not left behind as a new one. */
  stopComposing(): void {
    batch(() => {
      if (this.composing.value?.kind === 'edit') this.written.value = '';
      this.composing.value = null;
    });
  }

  edit(id: string, text: string): Promise<void> {
    return this.settle(this.wire.edit(id, text));
  }

  remove(id: string): Promise<void> {
    return this.settle(this.wire.remove(id));
  }

  react(id: string, emoji: string, on: boolean): Promise<void> {
    return this.settle(this.wire.react(id, emoji, on));
  }

  dropPreview(id: string, preview: string): Promise<void> {
    return this.settle(this.wire.dropPreview(id, preview));
  }

  /** One more in its thread. */
  answered(id: string): void {
    const root = this.find(id);
    if (root) this.changed({ ...root, replies: (root.replies ?? 0) + 1 });
  }

  typed(): void {
    const now = performance.now();
    if (now - this.typingSent < TYPING_EVERY_MS) return;
    this.typingSent = now;
    this.wire.typing();
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

  async older(limit = PAGE): Promise<void> {
    const first = this.messages.value[0];
    if (!first || this.loading.value || !this.more.value) return;
    this.loading.value = true;
    try {
      const page = await this.wire.history(first.id, limit);
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
      const message = await this.wire.send(draft);
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

  /** A refusal has been told to the person by the wire. */
  private async settle(answer: Promise<ChatMessage | void>): Promise<void> {
    const message = await answer.catch(() => undefined);
    if (message) this.changed(message);
  }

  private stopTyping(id: string): void {
    const timer = this.typingTimers.get(id);
    if (!timer) return;
    clearTimeout(timer);
    this.typingTimers.delete(id);
    this.typing.value = this.typing.value.filter((other) => other !== id);
  }
}

/** The number `steps` above an id: a history before it ends around the message. */
const behind = (id: string, steps: number): string => String(BigInt(id) + BigInt(steps));

/** Ids are decimal numbers that grow; too large for a double. */
export function later(a: string, b: string): boolean {
  return a.length !== b.length ? a.length > b.length : a > b;
}

function nonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
