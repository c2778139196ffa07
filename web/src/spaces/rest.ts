// Spaces over REST: what goes over the wire, typed. Names are those of docs/protocol.md.
import { ask, session } from '../account';
import type { Attachment, ChatMessage } from '../gateway/frames';
import type { Person } from './presence';

export type Role = 'viewer' | 'editor' | 'owner';
export type LinkPolicy = 'none' | 'viewer' | 'editor';

/** As its member sees it. */
export interface Space {
  id: string;
  kind: 'space' | 'group' | 'direct';
  /** Of a direct one: the other's. May be empty. */
  name: string;
  with?: string;
  role: Role;
  links: LinkPolicy;
  folder?: string;
  archived: boolean;
  favourite: boolean;
  muted: boolean;
  members: number;
  /** Others' messages one has not read, and those of them that name one; 100 stands for more. */
  unread: number;
  mentions: number;
  version: number;
  created: number;
}

export interface Member extends Person {
  /** Of the account; empty while the address has none. */
  id: string;
  name: string;
  email: string;
  role: Role;
  joined: number;
}

export interface Invitation {
  id: string;
  role: Role;
  maker: string;
  /** When it is made, and never again. */
  token?: string;
  /** How many more; -1: any number. */
  uses: number;
  /** Who has no account comes in by a name. */
  guests: boolean;
  expires: number;
  created: number;
}

const at = (id: string, below = ''): string => `spaces/${encodeURIComponent(id)}${below}`;

export async function listSpaces(): Promise<Space[]> {
  const only = session.peek()?.guest;
  return only ? [await getSpace(only)] : (await ask<{ items: Space[] }>('GET', 'spaces')).items;
}

export const createSpace = (wish: { name?: string; kind?: Space['kind']; with?: string }): Promise<Space> =>
  ask('POST', 'spaces', wish);

export const getSpace = (id: string): Promise<Space> => ask('GET', at(id));

export const changeSpace = (
  id: string,
  change: { name?: string; links?: LinkPolicy; archived?: boolean },
): Promise<Space> => ask('PATCH', at(id), change);

export const deleteSpace = (id: string): Promise<void> => ask('DELETE', at(id));

/** What is one's own of a space. */
export const changeMine = (
  id: string,
  change: { folder?: string; favourite?: boolean; muted?: boolean },
): Promise<Space> => ask('PATCH', at(id, '/me'), change);

export async function listMembers(id: string): Promise<Member[]> {
  const members: Member[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page: { items: Member[]; next_cursor?: string } = await ask(
      'GET',
      at(id, `/members${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ''}`),
    );
    members.push(...page.items);
    cursor = page.next_cursor;
  }
  return members;
}

export const invite = (id: string, email: string, role: Role): Promise<Member> =>
  ask('POST', at(id, '/members'), { email, role });

/** Somebody known by their account. */
export const bring = (id: string, user: string, role: Role): Promise<Member> =>
  ask('POST', at(id, '/members'), { user, role });

export const setRole = (id: string, user: string, role: Role, transfer = false): Promise<Member> =>
  ask('PATCH', at(id, `/members/${encodeURIComponent(user)}`), transfer ? { role, transfer } : { role });

/** `user` may be "me": one leaves. */
export const removeMember = (id: string, user: string): Promise<void> =>
  ask('DELETE', at(id, `/members/${encodeURIComponent(user)}`));

export const listInvitations = async (id: string): Promise<Invitation[]> =>
  (await ask<{ items: Invitation[] }>('GET', at(id, '/links'))).items;

export const makeInvitation = (id: string, wish: { role: Role; guests?: boolean; uses?: number; expires?: number }): Promise<Invitation> =>
  ask('POST', at(id, '/links'), wish);

export const removeInvitation = (id: string, link: string): Promise<void> =>
  ask('DELETE', at(id, `/links/${encodeURIComponent(link)}`));

/** Enters the space that an invitation is for. */
export const takeInvitation = (token: string): Promise<Space> =>
  ask('POST', `links/${encodeURIComponent(token)}/members`);

// ---- guests ----

/** Who is in a space by a link and a name. */
export interface Guest {
  id: string;
  name: string;
  /** Ms since 1970. */
  created: number;
  /** For owners, else absent or 0: the link they came by, who made it and when; last request. */
  link?: string;
  link_maker?: string;
  link_created: number;
  seen: number;
}

export const listGuests = async (id: string): Promise<Guest[]> => (await ask<{ items: Guest[] }>('GET', at(id, '/guests'))).items;

export const removeGuest = (id: string, guest: string): Promise<void> =>
  ask('DELETE', at(id, `/guests/${encodeURIComponent(guest)}`));

// ---- messages ----

export interface Message extends ChatMessage {
  mentions: string[];
}

/** A file that a message is to carry. */
export type Attach = Pick<Attachment, 'file' | 'kind' | 'wave' | 'width' | 'height' | 'duration'>;

export interface NewMessage {
  text: string;
  nonce: string;
  thread?: string | undefined;
  reply_to?: string | undefined;
  mentions: string[];
  attachments?: readonly Attach[] | undefined;
}

const message = (id: string, which: string, below = ''): string =>
  at(id, `/messages/${encodeURIComponent(which)}${below}`);

/** Newest first. */
export function listMessages(
  id: string,
  cursor: string | null,
  limit: number,
  only: { thread?: string | undefined; pinned?: boolean } = {},
): Promise<{ items: Message[]; next_cursor?: string }> {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(cursor ? { cursor } : {}),
    ...(only.thread ? { thread: only.thread } : {}),
    ...(only.pinned ? { pinned: 'true' } : {}),
  });
  return ask('GET', at(id, `/messages?${query}`));
}

/** Twice the same nonce is one message. */
export const postMessage = (id: string, { nonce, ...wish }: NewMessage): Promise<Message> =>
  ask('POST', at(id, '/messages'), wish, { 'Idempotency-Key': nonce }); // what is undefined is left out

export const getMessage = (id: string, which: string): Promise<Message> => ask('GET', message(id, which));

export const changeMessage = (id: string, which: string, change: { text?: string; pinned?: boolean }): Promise<Message> =>
  ask('PATCH', message(id, which), change);

export const deleteMessage = (id: string, which: string): Promise<void> => ask('DELETE', message(id, which));

export const react = (id: string, which: string, emoji: string, on: boolean): Promise<Message> =>
  ask('POST', message(id, which, '/reactions'), { emoji, on });

/** Takes a link's card away; it stays away. */
export const dropPreview = (id: string, which: string, preview: string): Promise<Message> =>
  ask('DELETE', message(id, which, `/previews/${encodeURIComponent(preview)}`));

/** One has read up to here; it never goes back. */
export const markRead = (id: string, which: string): Promise<void> => ask('POST', message(id, which, '/read'));

/** Its earlier texts, oldest first. */
export const listEdits = async (id: string, which: string): Promise<{ text: string; replaced: number }[]> =>
  (await ask<{ items: { text: string; replaced: number }[] }>('GET', message(id, which, '/edits'))).items;

/** Who has read up to where. */
export const listReceipts = async (id: string): Promise<{ account: string; read_to: string }[]> =>
  (await ask<{ items: { account: string; read_to: string }[] }>('GET', at(id, '/receipts'))).items;

/** What one has begun to write; without a thread: in the space itself. */
export interface DraftText {
  thread?: string;
  text: string;
}

export const listDrafts = async (id: string): Promise<DraftText[]> =>
  (await ask<{ items: DraftText[] }>('GET', at(id, '/drafts'))).items;

/** Empty: there is none any more. */
export const setDraft = (id: string, thread: string | undefined, words: string): Promise<void> =>
  ask('PUT', at(id, '/drafts'), { text: words, ...(thread ? { thread } : {}) });

/** A message that is written when its time comes. */
export interface Scheduled {
  id: string;
  thread?: string;
  text: string;
  /** ms since 1970 */
  send_at: number;
  /** When it could not be written; 0: it was not tried. */
  failed?: number;
}

export const listScheduled = async (id: string): Promise<Scheduled[]> =>
  (await ask<{ items: Scheduled[] }>('GET', at(id, '/scheduled'))).items;

export const schedule = (
  id: string,
  wish: { text: string; thread?: string; mentions: string[]; send_at: number },
): Promise<Scheduled> => ask('POST', at(id, '/scheduled'), wish);

export const changeScheduled = (id: string, which: string, change: { send_at: number }): Promise<Scheduled> =>
  ask('PATCH', at(id, `/scheduled/${encodeURIComponent(which)}`), change);

export const cancelScheduled = (id: string, which: string): Promise<void> =>
  ask('DELETE', at(id, `/scheduled/${encodeURIComponent(which)}`));

// ---- what happened ----

export interface SpaceEvent {
  seq: number;
  /** message.added, member.removed, ... */
  type: string;
  /** Absent: it is about oneself. */
  space?: string;
  id: string;
  /** Of message.*: the message as it is now. */
  messages?: Message[];
}

export interface EventPage {
  items: SpaceEvent[];
  /** What to ask after next. */
  last: number;
  more: boolean;
}

/** After `after`; -1: only where it is now. 410: too long ago, reload. */
export const listEvents = (after: number): Promise<EventPage> =>
  ask('GET', `events?after=${after}`);

// ---- files ----

export interface SpaceFile {
  id: string;
  space: string;
  name: string;
  /** The folder it is in; absent: the space's top. */
  folder?: string;
  kind: 'file' | 'folder';
  /** Media type as it was uploaded; absent of a folder. */
  type?: string;
  author: string;
  /** Bytes. */
  size: number;
  version: number;
  created: number;
  changed: number;
  /** When it went into the bin; 0: it is not there. */
  deleted: number;
}

export interface FileVersion {
  version: number;
  size: number;
  author: string;
  created: number;
}

const file = (id: string, below = ''): string => `files/${encodeURIComponent(id)}${below}`;

/** All pages of a list. */
async function pages<T>(path: string, query: Record<string, string>): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const asked = new URLSearchParams({ ...query, ...(cursor ? { cursor } : {}) });
    const page: { items: T[]; next_cursor?: string } = await ask('GET', `${path}?${asked}`);
    all.push(...page.items);
    cursor = page.next_cursor;
  }
  return all;
}

export const listFiles = (id: string, folder: string | null): Promise<SpaceFile[]> =>
  pages(at(id, '/files'), folder ? { folder } : {});

/** What can be brought back, of all folders. */
export const listBin = (id: string): Promise<SpaceFile[]> => pages(at(id, '/files'), { deleted: 'true' });

export const listVersions = async (id: string): Promise<FileVersion[]> =>
  (await ask<{ items: FileVersion[] }>('GET', file(id, '/versions'))).items;

/** Bytes that the space keeps, and may. */
export const getQuota = (id: string): Promise<{ bytes: number; max: number }> => ask('GET', at(id, '/quota'));

export const getFile = (id: string): Promise<SpaceFile> => ask('GET', file(id));

export const makeFolder = (id: string, name: string, folder: string | null): Promise<SpaceFile> =>
  ask('POST', at(id, '/folders'), { name, ...(folder ? { folder } : {}) });

/** Folder "": the top. `deleted` false brings it back; `version`: an earlier content is the newest again. */
export const changeFile = (
  id: string,
  change: { name?: string; folder?: string; deleted?: boolean; version?: number },
): Promise<SpaceFile> => ask('PATCH', file(id), change);

/** It can be brought back. */
export const deleteFile = (id: string): Promise<void> => ask('DELETE', file(id));

/** Where the content is, for the browser to show or save. */
export const contentUrl = (id: string, version: number): string => `/api/v1/${file(id, `/content?version=${version}`)}`;

// ---- links that show contents ----

export interface Share {
  id: string;
  name: string;
  maker: string;
  /** When it is made, and never again. */
  token?: string;
  everything: boolean;
  messages: boolean;
  /** It has a password. */
  locked: boolean;
  /** Ids of files and folders. */
  files: string[];
  views: number;
  expires: number;
  created: number;
}

export interface ShareWish {
  name: string;
  everything?: boolean;
  messages?: boolean;
  files?: string[];
  password?: string;
  expires: number;
}

export const listShares = async (id: string): Promise<Share[]> => (await ask<{ items: Share[] }>('GET', at(id, '/shares'))).items;

export const makeShare = (id: string, wish: ShareWish): Promise<Share> => ask('POST', at(id, '/shares'), wish);

export const removeShare = (id: string, share: string): Promise<void> =>
  ask('DELETE', at(id, `/shares/${encodeURIComponent(share)}`));

export interface ShareView {
  name: string;
  everything: boolean;
  messages: boolean;
  expires: number;
}

export interface SharedFile {
  id: string;
  name: string;
  kind: 'file' | 'folder';
  type?: string;
  size: number;
  changed: number;
}

export interface SharedMessage {
  id: string;
  author: string;
  text: string;
  thread?: string;
  created: number;
  edited?: number;
  deleted?: number;
}

/** What a link shows to whoever has it; `pass` of one with a password, else ''. */
export class Shared {
  constructor(
    readonly token: string,
    readonly pass: string,
  ) {}

  private path(below: string): string {
    return `shares/${encodeURIComponent(this.token)}${below}`;
  }

  private get query(): Record<string, string> {
    return this.pass ? { pass: this.pass } : {};
  }

  look(): Promise<ShareView> {
    return ask('GET', `${this.path('')}?${new URLSearchParams(this.query)}`);
  }

  files(folder: string | null): Promise<SharedFile[]> {
    return pages(this.path('/files'), { ...this.query, ...(folder ? { folder } : {}) });
  }

  messages(cursor: string | null): Promise<{ items: SharedMessage[]; next_cursor?: string }> {
    return ask('GET', `${this.path('/messages')}?${new URLSearchParams({ ...this.query, ...(cursor ? { cursor } : {}) })}`);
  }

  contentUrl(file: string): string {
    return `/api/v1/${this.path(`/files/${encodeURIComponent(file)}/content`)}?${new URLSearchParams(this.query)}`;
  }

  /** With the pass for this password. */
  async unlocked(password: string): Promise<Shared> {
    const { pass } = await ask<{ pass: string }>('POST', this.path('/pass'), { password });
    return new Shared(this.token, pass);
  }
}

// ---- meetings ----

export interface SpaceMeeting {
  id: string;
  title: string;
  /** In it now. */
  participants: number;
}

/** Those that have not ended, newest first. */
export const listMeetings = async (id: string): Promise<SpaceMeeting[]> =>
  (await ask<{ items: SpaceMeeting[] }>('GET', at(id, '/meetings'))).items;

export const startMeeting = (id: string, title: string): Promise<{ id: string }> =>
  ask('POST', at(id, '/meetings'), { title });
