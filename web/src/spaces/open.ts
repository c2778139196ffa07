// The space that is open.
import { HttpError } from '../api';
import { Members } from './members';
import { getSpace } from './rest';
import { drop, put } from './spaces';

export class OpenSpace {
  readonly members: Members;

  constructor(readonly id: string) {
    this.members = new Members(id);
  }

  /** Asks for everything anew; errors but "not here" are for the next time. */
  async refresh(): Promise<void> {
    try {
      put(await getSpace(this.id));
      await this.members.load();
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) drop(this.id);
    }
  }
}
