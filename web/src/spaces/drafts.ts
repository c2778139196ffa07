// What stands in a composer outlives the page, and is on this person's other devices too: kept in
// this browser at once, and on the server when the writer rests.
import { effect } from '@preact/signals';
import type { Chat } from '../chat/chat';
import { load, save } from '../util/store';
import { type DraftText, setDraft } from './rest';

const REST_MS = 1200;

export class SyncedDraft {
  /** What the server has; undefined: not known yet. */
  private theirs: string | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly undo: () => void;

  constructor(
    private readonly chat: Chat,
    private readonly space: string,
    private readonly thread: string | undefined,
    key: string,
  ) {
    chat.written.value = load(key, '');
    this.undo = effect(() => {
      const words = chat.written.value;
      if (chat.composing.value?.kind === 'edit') return; // a message again, no new one
      save(key, words || null);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.push(), REST_MS);
    });
  }

  /** What the server has of this space. Words written here meanwhile are not lost to it. */
  told(drafts: readonly DraftText[]): void {
    const { written, composing } = this.chat;
    const next = drafts.find((draft) => draft.thread === this.thread)?.text ?? '';
    const untouched = written.peek() === (this.theirs ?? '') || written.peek() === '';
    const first = this.theirs === undefined;
    this.theirs = next;
    if (composing.peek()?.kind === 'edit' || written.peek() === next) return;
    if (untouched && (next !== '' || !first)) written.value = next;
    else this.push();
  }

  dispose(): void {
    this.undo();
    if (this.timer) clearTimeout(this.timer);
    this.push();
  }

  private push(): void {
    const words = this.chat.written.peek();
    if (this.theirs === undefined || words === this.theirs || this.chat.composing.peek()?.kind === 'edit') return;
    const before = this.theirs;
    this.theirs = words;
    setDraft(this.space, this.thread, words).catch(() => {
      this.theirs = before;
    });
  }
}
