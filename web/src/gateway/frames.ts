// The frames of docs/design/gateway.md, typed. Names are those on the wire.
import type { Person } from '../spaces/presence';
import type { EventPage } from '../spaces/rest';

export type Role = 'host' | 'cohost' | 'participant';

export interface Participant {
  id: string;
  name: string;
  role: Role;
  muted: boolean;
  camera: boolean;
  screen: boolean;
  /** False while their connection is away. */
  online: boolean;
  /** When the hand went up, ms since 1970; 0: down. */
  hand: number;
  kind: 'browser' | 'whip' | 'phone';
  joined: number;
  /** Who is signed in: their picture, and whether they are there, are known by it. */
  account?: string;
}

export interface Meeting {
  id: string;
  title?: string;
  locked: boolean;
  lobby: boolean;
  /** Path of the meeting's page. */
  link: string;
}

/** A file that a message carries. */
export interface Attachment {
  file: string;
  kind: 'file' | 'voice';
  name: string;
  type: string;
  /** Of a recording: its levels, a digit 0-f each. */
  wave?: string;
  size: number;
  version: number;
  /** Pixels; 0: unknown. */
  width?: number;
  height?: number;
  /** ms; 0: unknown. */
  duration?: number;
  /** The file was deleted. */
  gone?: boolean;
}

/** Fields after `reactions` are of messages of spaces. */
/** What a page that a message links to says of itself. */
export interface Preview {
  id: string;
  url: string;
  title: string;
  /** Either may be empty. */
  about: string;
  site: string;
}

export interface ChatMessage {
  id: string;
  author: string;
  author_name: string;
  text: string;
  reply_to?: string;
  created: number;
  edited?: number;
  deleted?: number;
  reactions: { emoji: string; by: string[] }[];
  /** The message its thread hangs on. */
  thread?: string;
  /** In the thread that hangs on it. */
  replies?: number;
  /** Whose thread it begins or is in. */
  meeting?: string;
  /** The author is in the meeting only. */
  guest?: boolean;
  attachments?: Attachment[];
  /** Some time after it was written. */
  previews?: Preview[];
  pinned?: number;
}

export type SourceKind = 'camera' | 'screen' | 'screen_audio';
export type SlotKind = 'voice' | 'screen_audio' | 'tile' | 'screen';
export type SlotState = 'empty' | 'waiting' | 'live' | 'unsupported' | 'paused';
/** Why a slot is paused, or smaller or slower than asked for. */
export type SlotReason = 'link';

export interface Identify {
  meeting?: string;
  name?: string;
  /** No meeting: what happens in one's spaces. */
  spaces?: boolean;
  token?: string;
  account?: string;
  client?: string;
  audio?: boolean;
  video?: boolean;
}

export interface Waiting {
  session: string;
  secret: string;
  self: string;
  token: string;
  meeting: Meeting;
}

export interface Ready extends Waiting {
  role: Role;
  participants: Participant[];
  slots: { voices: number; tiles: number };
  presenter?: string | null;
}

/** A call that is being made out of the meeting, or has just come to nothing. */
export interface Dial {
  id: string;
  /** Participant; '' the REST interface. */
  by: string;
  number: string;
  name: string;
  state:
    | 'calling'
    | 'ringing'
    | 'early'
    | 'answered'
    | 'joined'
    | 'busy'
    | 'no_answer'
    | 'declined'
    | 'refused'
    | 'unknown'
    | 'media'
    | 'redirected'
    | 'network'
    | 'failed'
    | 'machine'
    | 'cancelled'
    | 'length'
    | 'removed'
    | 'meeting_ended'
    | 'silent'
    | 'phone_down'
    | 'shutdown'
    | 'hung_up';
  /** SIP status; 0: none. */
  code: number;
}

/** A number to call in; `language` of its menu, '' when it is not told. */
export interface DialIn {
  number: string;
  language: string;
}

/** Who takes part by telephone; `attestation`: what vouches for the number, '' nothing. */
export interface Caller {
  id: string;
  number: string;
  attestation: '' | 'A' | 'B' | 'C' | 'valid' | 'failed';
}

export interface PhoneInfo {
  /** '' when nobody can call in. */
  pin: string;
  numbers: DialIn[];
  /** I may call others. */
  dial: boolean;
}

export interface Poll {
  id: string;
  question: string;
  options: { text: string; votes: number }[];
  anonymous: boolean;
  open: boolean;
  revision: number;
  created: number;
  closed: number;
  /** My choice, from 1; absent or 0: none. */
  mine?: number;
  /** To hosts, unless anonymous. */
  voters?: { participant: string; choice: number }[];
}

export interface Knock {
  id: string;
  name: string;
  since: number;
}

/** What a command takes and what its reply carries. */
export interface Commands {
  'media.offer': [
    { sdp: string; tracks: { mid: string; source: string }[] },
    { sdp: string; slots: { mid: string; kind: SlotKind; index: number }[] },
  ];
  'media.close': [Record<string, never>, void];
  'media.view': [
    { tiles: { source: { id: string; kind: 'camera' | 'screen' }; height: number; priority: number }[] },
    void,
  ];
  'self.update': [
    { muted?: boolean; camera?: boolean; name?: string },
    void,
  ];
  'self.stats': [
    {
      rtt: number;
      available: number;
      sent: number;
      received: number;
      sent_bytes: number;
      received_bytes: number;
      loss_out: number;
      loss_in: number;
      concealed: number;
      freezes: number;
      streams: { mid: string; height: number; fps: number; freezes: number }[];
    },
    void,
  ];
  hand: [{ raised: boolean }, void];
  reaction: [{ emoji: string }, void];
  'screen.start': [{ audio: boolean }, void];
  'screen.stop': [Record<string, never>, void];
  'chat.send': [{ text: string; reply_to?: string; nonce: string }, { message: ChatMessage }];
  'chat.edit': [{ id: string; text: string }, void];
  'chat.delete': [{ id: string }, void];
  'chat.react': [{ id: string; emoji: string; on: boolean }, void];
  'chat.drop_preview': [{ id: string; preview: string }, void];
  'chat.typing': [Record<string, never>, void];
  'space.typing': [{ space: string; thread?: string }, void];
  'space.events': [{ after: number }, EventPage];
  'space.here': [{ idle: boolean }, void];
  'space.people': [Record<string, never>, { people: Person[] }];
  'chat.history': [{ before?: string; limit?: number }, { messages: ChatMessage[]; more: boolean; self?: string; moderates?: boolean }];
  'phone.info': [Record<string, never>, PhoneInfo];
  'phone.dial': [{ number: string; name?: string }, { id: string }];
  'phone.cancel': [{ id: string }, void];
  'poll.open': [{ question: string; options: string[]; anonymous: boolean }, Poll];
  'poll.vote': [{ id: string; choice: number }, Poll];
  'poll.close': [{ id: string }, Poll];
  'poll.list': [Record<string, never>, { polls: Poll[] }];
  'host.pin': [{ pin: string }, PhoneInfo];
  'host.mute': [{ id: string } | { all: true }, void];
  'host.ask_unmute': [{ id: string }, void];
  'host.stop': [{ id: string; what: 'camera' | 'screen' }, void];
  'host.remove': [{ id: string }, void];
  'host.rename': [{ id: string; name: string }, void];
  'host.role': [{ id: string; role: Role }, void];
  'host.admit': [{ id: string } | { all: true }, void];
  'host.refuse': [{ id: string } | { all: true }, void];
  'host.set': [{ locked?: boolean; lobby?: boolean; title?: string }, void];
  'host.lower_hand': [{ id: string } | { all: true }, void];
  'host.end': [Record<string, never>, void];
  leave: [Record<string, never>, void];
}

export interface Dispatches {
  ready: Ready;
  waiting: Waiting;
  roster: { joined: Participant[]; updated: Participant[]; left: { id: string }[] };
  meeting: Meeting;
  lobby: { waiting: Knock[] };
  callers: { callers: Caller[] };
  dials: { dials: Dial[] };
  poll: Poll;
  slots: { slots: { mid: string; source?: { id?: string; kind?: SourceKind } }[] };
  slot: { mid: string; state: SlotState; layer: number; reason?: SlotReason };
  speakers: { speakers: { id: string; level: number }[] };
  presenter: { id?: string | null };
  layers: { camera: boolean; screen: boolean; camera_height: number; active: string[] };
  'media.state': { state: 'connected' | 'lost' | 'restored' | 'failed'; tcp: boolean };
  'media.need_offer': { reason: string };
  'chat.message': { message: ChatMessage };
  'chat.update': { message: ChatMessage };
  'chat.typing': { id: string };
  'spaces.ready': { session: string; secret: string };
  'space.typing': { space: string; thread?: string; account: string; name?: string };
  'space.read': { space: string; account: string; read_to: string };
  'space.events': EventPage;
  'space.people': { people: Person[] };
  reaction: { id: string; emoji: string };
  asked_unmute: { by: string };
  muted: { by: string };
  stopped: { by: string; what: 'camera' | 'screen' };
  removed: { reason: 'removed' | 'refused' | 'ended' | 'left' | 'elsewhere' | 'lost' };
}

export type CommandName = keyof Commands;
export type DispatchName = keyof Dispatches;
/** Those of a session for spaces. */
export type SpaceDispatch = 'spaces.ready' | 'space.typing' | 'space.read' | 'space.events';

export interface Reply {
  command: number;
  ok: boolean;
  result?: unknown;
  error?: { code: string; text: string; field?: string };
}

export interface Frame {
  op: string;
  s?: number;
  t?: string;
  d?: unknown;
}

/** A command the server refused, or one that was lost with its session (code "lost"). */
export class CommandError extends Error {
  constructor(
    readonly code: string,
    text: string,
    readonly field?: string,
  ) {
    super(text);
    this.name = 'CommandError';
  }
}
