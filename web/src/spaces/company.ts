// Who is there, as the gateway tells it: asked for once in a session, then told by it.
import type { Person } from './presence';
import { learn, meet } from './presence';

export class Company {
  private told: Set<string> | null = null;

  /** `ask` is the command space.people of a session that has just begun. */
  async begin(ask: () => Promise<{ people: Person[] }>): Promise<void> {
    // What is told while the answer is on its way is newer than the answer.
    const told = new Set<string>();
    this.told = told;
    try {
      const { people } = await ask();
      if (this.told === told) meet(people, told);
    } catch {
      // The session is over; the next one asks again.
    } finally {
      if (this.told === told) this.told = null;
    }
  }

  hear(people: readonly Person[]): void {
    for (const { id } of people) this.told?.add(id);
    learn(people);
  }
}

const SAY_MS = 60_000; // while somebody is there; the server takes ten minutes of silence for away
const HIDDEN_MS = 5000; // a look at another page is no absence

/** Says whether somebody sits before the page, when they do something and when it is hidden. */
export class Sitter {
  private saidAt = 0;
  private idle = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly kinds = ['pointermove', 'pointerdown', 'keydown'];

  constructor(private readonly say: (idle: boolean) => void) {
    for (const kind of this.kinds) document.addEventListener(kind, this.moved, { passive: true, capture: true });
    document.addEventListener('visibilitychange', this.looked);
  }

  close(): void {
    clearTimeout(this.timer);
    for (const kind of this.kinds) document.removeEventListener(kind, this.moved, { capture: true });
    document.removeEventListener('visibilitychange', this.looked);
  }

  /** A new session takes everybody for there. */
  begin(): void {
    this.saidAt = Date.now();
    this.idle = false;
    this.looked();
  }

  private readonly moved = (): void => {
    if (this.idle || Date.now() - this.saidAt > SAY_MS) this.tell(false);
  };

  private readonly looked = (): void => {
    clearTimeout(this.timer);
    if (!document.hidden) this.moved();
    else if (!this.idle) this.timer = setTimeout(() => this.tell(true), HIDDEN_MS);
  };

  private tell(idle: boolean): void {
    this.idle = idle;
    this.saidAt = Date.now();
    this.say(idle);
  }
}
