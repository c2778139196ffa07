// Who is in the meeting. One signal per person, so that one change draws one row or tile again,
// not five hundred.
import { batch, computed, signal, type Signal } from '@preact/signals';
import type { Dispatches, Participant } from '../gateway/frames';

export class People {
  /** Ids in order of joining. */
  readonly ids = signal<readonly string[]>([]);
  /** Ids with a raised hand, first raised first. */
  readonly raised = signal<readonly string[]>([]);
  readonly count = computed(() => this.ids.value.length);
  /** Loudest first. */
  readonly speaking = signal<readonly string[]>([]);
  readonly presenter = signal<string | null>(null);
  /** Goes up whenever anybody changed: for what looks at all of them at once. */
  readonly version = signal(0);
  private readonly byId = new Map<string, Signal<Participant>>();
  private readonly levels = new Map<string, Signal<number>>();
  private readonly spoke = new Map<string, number>();
  private readonly names = new Map<string, string>(); // of those who left too: chat needs them

  /** Null when nobody has this id (any more). Reading the signal follows the person. */
  get(id: string): Signal<Participant> | null {
    return this.byId.get(id) ?? null;
  }

  peek(id: string): Participant | null {
    return this.byId.get(id)?.peek() ?? null;
  }

  nameOf(id: string): string {
    return this.byId.get(id)?.value.name ?? this.names.get(id) ?? '';
  }

  /** 0..1, 0 when silent. */
  levelOf(id: string): Signal<number> {
    let level = this.levels.get(id);
    if (!level) {
      level = signal(0);
      this.levels.set(id, level);
    }
    return level;
  }

  /** When this person last spoke, by performance.now(); 0: never. */
  spokeAt(id: string): number {
    return this.spoke.get(id) ?? 0;
  }

  snapshot(participants: readonly Participant[], presenter: string | null): void {
    batch(() => {
      const here = new Set(participants.map((p) => p.id));
      for (const id of this.byId.keys()) if (!here.has(id)) this.byId.delete(id);
      for (const participant of participants) this.put(participant);
      this.ids.value = participants
        .slice()
        .sort((a, b) => a.joined - b.joined)
        .map((p) => p.id);
      this.orderHands();
      this.presenter.value = presenter;
      this.version.value += 1;
      this.hear([]);
    });
  }

  delta(d: Dispatches['roster']): void {
    batch(() => {
      const gone = new Set((d.left ?? []).map((entry) => entry.id));
      const fresh: string[] = [];
      for (const participant of d.joined ?? []) {
        if (!this.byId.has(participant.id)) fresh.push(participant.id);
        this.put(participant);
      }
      for (const participant of d.updated ?? []) {
        if (this.byId.has(participant.id)) this.put(participant);
      }
      for (const id of gone) {
        this.byId.delete(id);
        this.levels.delete(id);
        this.spoke.delete(id);
      }
      if (fresh.length > 0 || gone.size > 0)
        this.ids.value = [...this.ids.value.filter((id) => !gone.has(id)), ...fresh];
      this.version.value += 1;
      this.orderHands();
    });
  }

  hear(speakers: Dispatches['speakers']['speakers']): void {
    batch(() => {
      const now = performance.now();
      const loud = new Set(speakers.map((speaker) => speaker.id));
      for (const id of this.speaking.value) if (!loud.has(id)) this.levelOf(id).value = 0;
      for (const { id, level } of speakers) {
        this.levelOf(id).value = Math.max(0.15, Math.min(1, 1 - level / 70));
        this.spoke.set(id, now);
      }
      this.speaking.value = speakers.map((speaker) => speaker.id);
    });
  }

  private put(participant: Participant): void {
    this.names.set(participant.id, participant.name);
    const known = this.byId.get(participant.id);
    if (known) known.value = participant;
    else this.byId.set(participant.id, signal(participant));
  }

  private orderHands(): void {
    const hands = this.ids.value
      .map((id) => ({ id, since: this.peek(id)?.hand ?? 0 }))
      .filter((hand) => hand.since > 0)
      .sort((a, b) => a.since - b.since)
      .map((hand) => hand.id);
    const before = this.raised.value;
    if (hands.length !== before.length || hands.some((id, i) => id !== before[i]))
      this.raised.value = hands;
  }
}
