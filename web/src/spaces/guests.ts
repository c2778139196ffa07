// Who is in a space without an account.
import { signal } from '@preact/signals';
import * as rest from './rest';
import type { Guest } from './rest';

export class Guests {
  readonly all = signal<readonly Guest[]>([]);

  constructor(readonly space: string) {}

  async load(): Promise<void> {
    this.all.value = await rest.listGuests(this.space);
  }

  async remove(guest: Guest): Promise<void> {
    await rest.removeGuest(this.space, guest.id);
    this.all.value = this.all.value.filter(({ id }) => id !== guest.id);
  }
}
