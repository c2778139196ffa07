// Telephones of the meeting: how to call in, and calls that are being made out of it.
import { computed, signal } from '@preact/signals';
import type { Commands, Dial, Dispatches, PhoneInfo } from '../gateway/frames';

/** What goes on; all other states are ends. */
const GOING: readonly Dial['state'][] = ['calling', 'ringing', 'early', 'answered'];

type Ask = <T extends 'phone.info' | 'phone.dial' | 'phone.cancel' | 'host.pin'>(
  t: T,
  d: Commands[T][0],
) => Promise<Commands[T][1]>;

export class Phones {
  readonly info = signal<PhoneInfo>({ pin: '', numbers: [], dial: false });
  readonly dials = signal<readonly Dial[]>([]);
  /** One may call in: there is a number and a PIN. */
  readonly reachable = computed(() => this.info.value.pin !== '' && this.info.value.numbers.length > 0);

  constructor(private readonly ask: Ask) {}

  async refresh(): Promise<void> {
    const info = await this.ask('phone.info', {}).catch(() => null);
    if (info) this.took(info);
  }

  took(info: PhoneInfo): void {
    this.info.value = { pin: info.pin, numbers: info.numbers ?? [], dial: info.dial };
  }

  changed(d: Dispatches['dials']): void {
    this.dials.value = d.dials ?? [];
  }

  dial(number: string, name: string): Promise<{ id: string }> {
    return this.ask('phone.dial', name ? { number, name } : { number });
  }

  cancel(id: string): void {
    this.ask('phone.cancel', { id }).catch(() => undefined); // it has ended by itself
  }

  async choosePin(pin: string): Promise<void> {
    this.took(await this.ask('host.pin', { pin }));
  }

  static going(dial: Dial): boolean {
    return GOING.includes(dial.state);
  }
}
