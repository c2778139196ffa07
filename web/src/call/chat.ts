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
  private typingSent = -Infinity;
  private readonly typingTimers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly send: Send,
    private readonly self: () => string,
  ) {}

  /** What `ready` brought. Older pages already here are kept when they connect to it. */
  snapshot(latest: readonly ChatMessage[]): void {
    const known = this.messages.value;
    const first = latest[0];
    const meets = first !== undefined && known.some((m) => m.id === first.id);
    const fresh = known.length === 0 ? 0 : latest.filter((m) => !known.some((k) => k.id === m.id)).length;
    batch(() => {
      if (meets) {
        const byId = new Map(latest.map((m) => [m.id, m]));
        const at = known.findIndex((m) => m.id === first.id);
        this.messages.value = [...known.slice(0, at), ...byId.values()];
      } else {
        this.messages.value = latest;
        this.more.value = latest.length >= PAGE;
      }
      if (!this.reading) this.unread.value += fresh;
    });
  }

  arrived(message: ChatMessage): void {
    if (this.messages.value.some((m) => m.id === message.id)) return;
    batch(() => {
      this.messages.value = [...this.messages.value, message];
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
    } catch {
      this.drafts.value = this.drafts.value.map((d) =>
        d.nonce === draft.nonce ? { ...d, failed: true } : d,
      );
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

function nonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
