// Who is in a space.
import { signal } from '@preact/signals';
import { HttpError } from '../api';
import { learn } from './presence';
import * as rest from './rest';
import type { Member, Role } from './rest';
import { drop, put } from './spaces';

export class Members {
  readonly all = signal<readonly Member[]>([]);
  private readonly names = new Map<string, string>(); // of those who left too: chat needs them

  constructor(readonly space: string) {}

  async load(): Promise<void> {
    const all = await rest.listMembers(this.space);
    for (const member of all) this.names.set(member.id, member.name);
    learn(all);
    this.all.value = all;
  }

  /** As they were, while the server has not told. */
  remember(kept: readonly Member[]): void {
    if (this.all.peek().length > 0) return;
    for (const member of kept) this.names.set(member.id, member.name);
    this.all.value = kept;
  }

  /** A guest, who is in no list of members. */
  met(id: string, name: string): void {
    this.names.set(id, name);
  }

  nameOf(id: string): string {
    return this.all.value.find((member) => member.id === id)?.name ?? this.names.get(id) ?? '';
  }

  async invite(email: string, role: Role): Promise<Member> {
    const member = await rest.invite(this.space, email, role);
    if (member.id) await this.refresh();
    return member;
  }

  async setRole(member: Member, role: Role, transfer = false): Promise<void> {
    await rest.setRole(this.space, member.id, role, transfer);
    await this.refresh();
  }

  async remove(member: Member): Promise<void> {
    await rest.removeMember(this.space, member.id);
    await this.refresh();
  }

  /** After a change: the list, and the space's own row, which counts and says one's role. */
  async refresh(): Promise<void> {
    try {
      const [space] = await Promise.all([rest.getSpace(this.space), this.load()]);
      put(space);
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) drop(this.space);
      else throw error;
    }
  }
}
