// The people this person shares a space with: whom a conversation can be begun with.
import { session } from '../account';
import { listMembers, type Member } from './rest';
import { spaces } from './spaces';

const SPACES_ASKED = 40; // of more, only the first: the largest lists are seldom what is sought

export async function knownPeople(): Promise<Member[]> {
  const self = session.peek()?.user.id;
  const ids = (spaces.peek() ?? []).slice(0, SPACES_ASKED).map(({ id }) => id);
  const lists = await Promise.all(ids.map((id) => listMembers(id).catch(() => [])));
  const known = new Map(lists.flat().map((member) => [member.id, member]));
  known.delete(self ?? '');
  known.delete(''); // addresses that have no account yet
  return [...known.values()].sort((a, b) => a.name.localeCompare(b.name));
}
