// The space that is open: its chat, a thread of it, and who is in it.
import { computed, effect, signal } from '@preact/signals';
import { session } from '../account';
import { HttpError } from '../api';
import { Chat, type Draft, later } from '../chat/chat';
import { mentionsIn, type Named } from '../chat/mentions';
import { Outgoing } from '../chat/outgoing';
import type { ChatMessage } from '../gateway/frames';
import { keepChat, recallChat } from '../pwa/kept';
import { text } from '../text';
import { load, save } from '../util/store';
import { restChat } from './chat';
import { SyncedDraft } from './drafts';
import { Files } from './files';
import { listen, sayTyping } from './hub';
import { Guests } from './guests';
import { Members } from './members';
import * as rest from './rest';
import type { Member, SpaceEvent, SpaceMeeting } from './rest';
import { drop, put } from './spaces';
import { Upload } from './uploads';

const KEPT_MAX = 50; // messages, for a start without a network
const KEPT_AFTER_MS = 500;

/** Of a space, for a start without a network. */
interface KeptChat {
  messages: readonly ChatMessage[];
  members: readonly Member[];
}

/** A chat with what is being written in it. */
export interface OpenChat {
  chat: Chat;
  outgoing: Outgoing;
  /** The message whose thread it is. */
  thread?: string;
  draft: SyncedDraft;
}

export class OpenSpace {
  private draftsAsked = 0;
  readonly main: OpenChat;
  readonly chat: Chat;
  readonly members: Members;
  readonly guests: Guests;
  readonly files: Files;
  /** The one beside the chat. */
  readonly thread = signal<OpenChat | null>(null);
  /** Those that go on, newest first. */
  readonly meetings = signal<readonly SpaceMeeting[]>([]);
  /** How far each member has read. */
  readonly receipts = signal<ReadonlyMap<string, string>>(new Map());
  /** Those that are pinned, newest first; undefined: not asked. */
  readonly pins = signal<readonly ChatMessage[] | undefined>(undefined);
  /** One's own that are written later, the next first. */
  readonly scheduled = signal<readonly rest.Scheduled[]>([]);
  /** Who can be named: the others, and everybody. */
  readonly named = computed<Named[]>(() => [
    ...this.members.all.value.filter(({ id }) => id !== session.value?.user.id),
    { id: 'all', name: text.value.chat.everybody },
  ]);
  private readonly cleanup: (() => void)[] = [];
  private readonly stop = new AbortController();
  private readonly account = session.peek()?.user.id ?? '';

  constructor(
    readonly id: string,
    /** What the server did not take, and why. */
    private readonly refused: (error: unknown) => void,
  ) {
    this.members = new Members(id);
    this.guests = new Guests(id);
    this.files = new Files(id);
    this.main = this.makeChat(undefined);
    this.chat = this.main.chat;
    this.cleanup.push(() => this.stop.abort(), listen((t, d) => this.heard(t, d as never)));
    this.keepOutbox(`outbox.${this.account}.${id}`);
    void this.remember();
  }

  /** Asks for everything anew; errors but "not here" are for the next time. */
  async refresh(): Promise<void> {
    try {
      put(await rest.getSpace(this.id));
      await Promise.all([
        this.members.load(),
        this.guests.load(),
        this.chat.refresh(),
        this.thread.peek()?.chat.refresh(),
        this.loadMeetings(),
        // Guests have nothing of their own.
        ...(session.peek()?.guest ? [] : [this.loadDrafts(), this.loadReceipts(), this.loadScheduled()]),
      ]);
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) drop(this.id);
    }
  }

  happened({ type, messages }: SpaceEvent): void {
    for (const message of messages ?? []) this.message(message, type === 'message.added');
    if (type.startsWith('file.')) {
      if (this.files.items.peek()) void this.files.load().catch(() => undefined);
    }
    if (type.startsWith('meeting.')) void this.loadMeetings().catch(() => undefined);
    if (type.startsWith('member.')) void this.members.load().catch(() => undefined);
    // A link or a policy that ends takes its guests with it.
    if (/^(guest|link)\.|^space\.updated$/.test(type)) void this.guests.load().catch(() => undefined);
  }

  openThread(root: string): void {
    if (this.thread.peek()?.thread === root) return;
    this.closeThread();
    const opened = this.makeChat(root);
    this.thread.value = opened;
    void opened.chat.refresh();
    void this.loadDrafts();
  }

  closeThread(): void {
    const open = this.thread.peek();
    if (!open) return;
    this.thread.value = null;
    open.draft.dispose();
    open.outgoing.dispose();
  }

  async pin(message: ChatMessage, pinned: boolean): Promise<void> {
    this.message(await rest.changeMessage(this.id, message.id, { pinned }), false);
  }

  async loadPins(): Promise<void> {
    this.pins.value = (await rest.listMessages(this.id, null, 100, { pinned: true })).items;
  }

  /** Of two that were asked for at once the later question's answer counts. */
  async loadDrafts(): Promise<void> {
    const asked = ++this.draftsAsked;
    const drafts = await rest.listDrafts(this.id).catch(() => null);
    if (!drafts || asked !== this.draftsAsked) return;
    this.main.draft.told(drafts);
    this.thread.peek()?.draft.told(drafts);
  }

  async loadScheduled(): Promise<void> {
    this.scheduled.value = await rest.listScheduled(this.id).catch(() => this.scheduled.peek());
  }

  dispose(): void {
    this.closeThread();
    this.main.draft.dispose();
    this.main.outgoing.dispose();
    for (const undo of this.cleanup) undo();
  }

  /** One as it is now, wherever it is shown. */
  private message(message: ChatMessage, added: boolean): void {
    const thread = this.thread.peek();
    if (added) {
      if (message.thread && !this.chat.find(message.id)) this.chat.answered(message.thread);
      this.chat.arrived(message);
      if (message.thread && message.thread === thread?.thread) thread.chat.arrived(message);
      // Who writes has read.
      this.sawRead(message.author, message.id);
    } else {
      this.chat.changed(message);
      thread?.chat.changed(message);
    }
    const pins = this.pins.peek();
    if (!pins || added) return;
    const others = pins.filter(({ id }) => id !== message.id);
    this.pins.value = message.pinned && !message.deleted ? [message, ...others].sort((a, b) => (later(a.id, b.id) ? -1 : 1)) : others;
  }

  private heard(t: string, d: { space: string; thread?: string; account: string; name?: string; read_to: string }): void {
    if (d.space !== this.id) return;
    if (t === 'space.typing') {
      const thread = this.thread.peek();
      if (d.name) this.members.met(d.account, d.name);
      if (!d.thread) this.chat.sawTyping(d.account);
      else if (d.thread === thread?.thread) thread.chat.sawTyping(d.account);
    }
    if (t === 'space.read') this.sawRead(d.account, d.read_to);
  }

  private sawRead(account: string, to: string): void {
    const known = this.receipts.peek().get(account);
    if (known === undefined || !later(to, known)) return;
    this.receipts.value = new Map(this.receipts.peek()).set(account, to);
  }

  private makeChat(thread: string | undefined): OpenChat {
    const mentions = (words: string) => mentionsIn(words, this.named.peek());
    const wire = restChat(this.id, {
      stop: this.stop.signal,
      refused: this.refused,
      mentions,
      typing: () => sayTyping(this.id, thread),
      ...(thread ? { thread } : {}),
    });
    const chat = new Chat(wire, () => this.account);
    const outgoing = new Outgoing(async (file, stop, progress) => {
      const upload = new Upload({ space: this.id, folder: null }, file);
      stop.addEventListener('abort', () => upload.cancel());
      const undo = upload.done.subscribe(progress);
      const there = await upload.run().then(rest.getFile).finally(undo);
      return { file: there.id, name: there.name, type: there.type ?? '', size: there.size, version: there.version };
    }, this.refused);
    const key = `written.${this.account}.${this.id}${thread ? `.${thread}` : ''}`;
    return { chat, outgoing, draft: new SyncedDraft(chat, this.id, thread, key), ...(thread ? { thread } : {}) };
  }

  private async loadMeetings(): Promise<void> {
    this.meetings.value = await rest.listMeetings(this.id);
  }

  private async loadReceipts(): Promise<void> {
    const items = await rest.listReceipts(this.id);
    this.receipts.value = new Map(items.map(({ account, read_to }) => [account, read_to]));
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
      if (this.chat.apart.value) return;
      const now: KeptChat = { messages: this.chat.messages.value.slice(-KEPT_MAX), members: this.members.all.value };
      clearTimeout(timer);
      if (now.members.length > 0) timer = setTimeout(() => void keepChat(this.id, now), KEPT_AFTER_MS);
    });
    this.cleanup.push(() => {
      undo();
      clearTimeout(timer);
    });
  }

  /** What was sent and is not acknowledged outlives the page. */
  private keepOutbox(outbox: string): void {
    const { chat } = this;
    void chat.restore(load<Draft[]>(outbox, []));
    this.cleanup.push(effect(() => save(outbox, chat.drafts.value.length > 0 ? chat.drafts.value : null)));
  }
}
