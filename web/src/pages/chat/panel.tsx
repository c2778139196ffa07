// A chat: its log, who is typing, the composer. The same beside a meeting and in a space.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Chat } from '../../chat/chat';
import type { Named } from '../../chat/mentions';
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
}

const NOBODY: readonly Named[] = [];

export function ChatPanel({ chat, seat, blank, people = NOBODY, tools, locked }: {
  chat: Chat;
  seat: ChatSeat;
  /** What is said while there are no messages. */
  blank: string;
  /** Who can be named in a message. */
  people?: readonly Named[];
  /** Beside the composer's text. */
  tools?: ComponentChildren;
  /** In the composer's place for who may not write. */
  locked?: ComponentChildren;
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
      <Log chat={chat} seat={seat} blank={blank} />
      <Typing chat={chat} seat={seat} />
      {seat.writes ? <Composer chat={chat} people={people} tools={tools} /> : locked}
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
