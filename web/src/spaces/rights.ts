// Who may do what in a space, as the server's table says (modules/spaces/rights.c). Here it only
// decides what is offered; the server decides what is done.
import type { Role, Space } from './rest';

export type Right = 'comment' | 'history' | 'write' | 'meet' | 'invite' | 'link' | 'manage' | 'archive' | 'delete';

const ranks: Record<Role, number> = { viewer: 0, editor: 1, owner: 2 };

const needed: Record<Right, { role: Role; direct: boolean; archived: boolean }> = {
  comment: { role: 'viewer', direct: true, archived: false },
  history: { role: 'editor', direct: true, archived: true },
  write: { role: 'editor', direct: true, archived: false },
  meet: { role: 'editor', direct: true, archived: false },
  invite: { role: 'editor', direct: false, archived: false },
  link: { role: 'editor', direct: false, archived: false },
  manage: { role: 'owner', direct: false, archived: false },
  archive: { role: 'owner', direct: false, archived: true },
  delete: { role: 'owner', direct: false, archived: true },
};

export function may(space: Pick<Space, 'role' | 'kind' | 'archived'>, right: Right): boolean {
  const { role, direct, archived } = needed[right];
  return atMost(role, space.role) && (direct || space.kind !== 'direct') && (archived || !space.archived);
}

/** Whether `role` gives no more than `limit`. */
export const atMost = (role: Role, limit: Role): boolean => ranks[role] <= ranks[limit];

export const roles: readonly Role[] = ['owner', 'editor', 'viewer'];
