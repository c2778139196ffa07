// Polls of the meeting. What everybody is told has no choice of mine: that is kept here.
import { computed, signal } from '@preact/signals';
import type { Commands, Poll } from '../gateway/frames';

type Name = 'poll.open' | 'poll.vote' | 'poll.close' | 'poll.list';
type Ask = <T extends Name>(t: T, d: Commands[T][0]) => Promise<Commands[T][1]>;

export class Polls {
  /** Newest first. */
  readonly all = signal<readonly Poll[]>([]);
  readonly open = computed(() => this.all.value.find((poll) => poll.open) ?? null);
  /** One is open and I have not chosen. */
  readonly waiting = computed(() => this.open.value !== null && !this.open.value.mine);

  constructor(private readonly ask: Ask) {}

  async refresh(): Promise<void> {
    const list = await this.ask('poll.list', {}).catch(() => null);
    if (list) this.all.value = list.polls ?? [];
  }

  /** True when it is one we did not know. */
  changed(poll: Poll): boolean {
    const known = this.all.peek().find((other) => other.id === poll.id);
    if (!known) {
      this.all.value = [poll, ...this.all.peek()];
      return true;
    }
    if (known.revision >= poll.revision) return false;
    const merged = { ...poll, ...(known.mine && !poll.mine ? { mine: known.mine } : {}), ...(known.voters && !poll.voters ? { voters: known.voters } : {}) };
    this.all.value = this.all.peek().map((other) => (other.id === poll.id ? merged : other));
    return false;
  }

  async start(question: string, options: string[], anonymous: boolean): Promise<void> {
    this.changed(await this.ask('poll.open', { question, options, anonymous }));
  }

  async vote(poll: Poll, choice: number): Promise<void> {
    const answer = await this.ask('poll.vote', { id: poll.id, choice });
    this.changed(answer);
    this.all.value = this.all.peek().map((other) => (other.id === poll.id ? { ...other, mine: choice } : other));
  }

  async close(poll: Poll): Promise<void> {
    this.changed(await this.ask('poll.close', { id: poll.id }));
    await this.refresh(); // who voted, for hosts
  }
}
