// The space that is open: its chat and who is in it.
import { computed, effect, signal } from '@preact/signals';
import { session } from '../account';
import { HttpError } from '../api';
import { Chat, type Draft } from '../chat/chat';
import type { ChatMessage } from '../gateway/frames';
import { keepChat, recallChat } from '../pwa/kept';
import { mentionsIn, type Named } from '../chat/mentions';
import { text } from '../text';
import { load, save } from '../util/store';
import { restChat, shown } from './chat';
import { Files } from './files';
import { Members } from './members';
import { getSpace, listMeetings, type Member, type SpaceEvent, type SpaceMeeting } from './rest';
import { drop, put } from './spaces';

const KEPT_MAX = 50; // messages, for a start without a network
const KEPT_AFTER_MS = 500;

/** Of a space, for a start without a network. */
interface KeptChat {
  messages: readonly ChatMessage[];
  members: readonly Member[];
}

export class OpenSpace {
  readonly chat: Chat;
  readonly members: Members;
  readonly files: Files;
  /** Those that go on, newest first. */
  readonly meetings = signal<readonly SpaceMeeting[]>([]);
  /** Who can be named: the others, and everybody. */
  readonly named = computed<Named[]>(() => [
    ...this.members.all.value.filter(({ id }) => id !== session.value?.user.id),
    { id: 'all', name: text.value.chat.everybody },
  ]);
  private readonly cleanup: (() => void)[] = [];

  constructor(
    readonly id: string,
    /** What the server did not take, and why. */
    refused: (error: unknown) => void,
  ) {
    const account = session.peek()?.user.id ?? '';
    const stop = new AbortController();
    this.members = new Members(id);
    this.files = new Files(id);
    const root = (message: string) => this.chat.find(message)?.reply_to ?? message;
    const mentions = (words: string) => mentionsIn(words, this.named.peek());
    this.chat = new Chat(restChat(id, { stop: stop.signal, refused, root, mentions }), () => account);
    this.cleanup.push(() => stop.abort());
    this.keep(`written.${account}.${id}`, `outbox.${account}.${id}`);
    void this.remember();
  }

  /** Asks for everything anew; errors but "not here" are for the next time. */
  async refresh(): Promise<void> {
    try {
      put(await getSpace(this.id));
      await Promise.all([this.members.load(), this.chat.refresh(), this.loadMeetings()]);
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) drop(this.id);
    }
  }

  happened({ type, messages }: SpaceEvent): void {
    for (const message of messages ?? []) {
      if (type === 'message.added') this.chat.arrived(shown(message));
      else this.chat.changed(shown(message));
    }
    if (type.startsWith('file.') && this.files.items.peek()) void this.files.load().catch(() => undefined);
    if (type.startsWith('meeting.')) void this.loadMeetings().catch(() => undefined);
    if (type.startsWith('member.')) void this.members.load().catch(() => undefined);
  }

  dispose(): void {
    for (const undo of this.cleanup) undo();
  }

  private async loadMeetings(): Promise<void> {
    this.meetings.value = await listMeetings(this.id);
  }

  /** What was read is shown at once; what the server tells takes its place, and is kept. */
  private async remember(): Promise<void> {
    const kept = await recallChat<KeptChat>(this.id);
    if (kept) {
      this.members.remember(kept.members);
      this.chat.remember(kept.messages);
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const undo = effect(() => {
      const now: KeptChat = { messages: this.chat.messages.value.slice(-KEPT_MAX), members: this.members.all.value };
      clearTimeout(timer);
      if (now.members.length > 0) timer = setTimeout(() => void keepChat(this.id, now), KEPT_AFTER_MS);
    });
    this.cleanup.push(() => {
      undo();
      clearTimeout(timer);
    });
  }

  /** What is written but not sent outlives the page. */
  private keep(written: string, outbox: string): void {
    const { chat } = this;
    chat.written.value = load(written, '');
    void chat.restore(load<Draft[]>(outbox, []));
    this.cleanup.push(
      effect(() => {
        const editing = chat.composing.value?.kind === 'edit';
        if (!editing) save(written, chat.written.value || null);
      }),
      effect(() => save(outbox, chat.drafts.value.length > 0 ? chat.drafts.value : null)),
    );
  }
}
