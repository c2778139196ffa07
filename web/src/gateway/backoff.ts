// How long to wait before the next attempt. Short at first, because most breaks are
// short and a meeting is going on; longer when the server stays away.

const FIRST_MS = 150;
const FACTOR = 1.6;
const EARLY_MAX_MS = 1500; // within the first minute
const LATE_MAX_MS = 6000;
const EARLY_MS = 60_000;

export class Backoff {
  private attempt = 0;

  constructor(private readonly random: () => number = Math.random) {}

  /** Half of the wait is by chance, so that a room does not return in step. */
  next(awayMs: number): number {
    const cap = awayMs < EARLY_MS ? EARLY_MAX_MS : LATE_MAX_MS;
    const whole = Math.min(cap, FIRST_MS * FACTOR ** this.attempt);
    this.attempt += 1;
    return Math.round(whole / 2 + (this.random() * whole) / 2);
  }

  /** How long one attempt to open a socket may take. */
  patience(): number {
    return Math.min(10_000, 2000 + Math.max(0, this.attempt - 4) * 500);
  }

  reset(): void {
    this.attempt = 0;
  }
}
