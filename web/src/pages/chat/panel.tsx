// A chat: its log, who is typing, the composer. The same beside a meeting and in a space.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Chat } from '../../chat/chat';
import type { Named } from '../../chat/mentions';
import type { Outgoing } from '../../chat/outgoing';
import type { Attachment, ChatMessage } from '../../gateway/frames';
import type { SoughtMessage } from '../../route';
import { text } from '../../text';
import { Composer } from './composer';
import { Log } from './log';
import { loadMarkdown } from './words';

/** Who looks at the chat, and what they may do in it. */
export interface ChatSeat {
  /** The id under which this person writes and reacts. */
  self: string;
  nameOf(id: string): string;
  /** May write, reply and react. */
  writes: boolean;
  /** May delete what others wrote. */
  moderates: boolean;
  /** What more there is in a space; absent: not here. */
  open?(attachment: Attachment): void;
  thread?(root: string): void;
  pin?: ((message: ChatMessage, pinned: boolean) => void) | undefined;
  history?: ((message: ChatMessage) => void) | undefined;
  /** Where a message is, for others to come to. */
  link?(id: string): string;
  /** Where one joins the meeting, if it goes on. */
  join?(meeting: string): string | null;
  /** The names of those who have read this far. */
  seenBy?(message: ChatMessage): readonly string[];
}

const NOBODY: readonly Named[] = [];

export function ChatPanel({ chat, seat, blank, people = NOBODY, outgoing, later, tools, locked, sought }: {
  chat: Chat;
  seat: ChatSeat;
  /** What is said while there are no messages. */
  blank: string;
  /** Who can be named in a message. */
  people?: readonly Named[];
  /** Where files go; absent: none may be added. */
  outgoing?: Outgoing | undefined;
  /** Asks when to write what stands in the composer; absent: there is no later. */
  later?: (() => void) | undefined;
  /** Beside the composer's text. */
  tools?: ComponentChildren;
  /** In the composer's place for who may not write. */
  locked?: ComponentChildren;
  /** The message somebody came for. */
  sought?: SoughtMessage | null;
}) {
  useEffect(() => {
    loadMarkdown();
    return () => {
      chat.reading = false;
      chat.stopComposing();
    };
  }, [chat]);
  return (
    <>
      <Log chat={chat} seat={seat} blank={blank} sought={sought ?? null} />
      <Typing chat={chat} seat={seat} />
      {seat.writes ? <Composer chat={chat} people={people} outgoing={outgoing} later={later} tools={tools} /> : locked}
    </>
  );
}

function Typing({ chat, seat }: { chat: Chat; seat: ChatSeat }) {
  const names = chat.typing.value.map(seat.nameOf).filter(Boolean);
  return (
    <p class="chat-typing" aria-live="polite">
      {names.length > 0 ? text.value.chat.typing(names) : ''}
    </p>
  );
}
