// The messages of a chat, newest at the end, older ones on request.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Chat } from '../../chat/chat';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { Icon } from '../../ui/icons';
import { Message, Unsent } from './message';
import type { ChatSeat } from './panel';
import { render } from './words';

const END_PX = 48; // closer than this to the end counts as at the end

export function Log({ chat, seat, blank }: { chat: Chat; seat: ChatSeat; blank: string }) {
  const t = text.value.chat;
  const box = useRef<HTMLDivElement>(null);
  const [below, setBelow] = useState(false);
  const messages = chat.messages.value;
  const drafts = chat.drafts.value;
  const anchor = useRef<{ first: string | undefined; height: number }>({ first: undefined, height: 0 });
  const atEnd = useRef(true);

  const look = () => {
    const element = box.current;
    if (!element) return;
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < END_PX;
    chat.reading = atEnd.current && !document.hidden;
    if (atEnd.current) {
      chat.read();
      setBelow(false);
    }
    anchor.current.height = element.scrollHeight;
  };

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const first = messages[0]?.id;
    const own = messages[messages.length - 1]?.author === seat.self || drafts.length > 0;
    if (anchor.current.first !== undefined && anchor.current.first !== first) {
      // Older ones came in above: stay where the reader was.
      element.scrollTop += element.scrollHeight - anchor.current.height;
    } else if (atEnd.current || own) element.scrollTop = element.scrollHeight;
    else setBelow(true);
    anchor.current = { first, height: element.scrollHeight };
    look();
  }, [messages, drafts, render.value]);

  // What came while nobody looked is read when somebody does.
  useEffect(() => {
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [chat]);

  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };

  return (
    <div class="chat-log-box">
      <div class="chat-log scroll" ref={box} onScroll={look} role="log" aria-label={t.heading} tabIndex={0} data-testid="chat-list">
        {chat.more.value && (
          <Button variant="ghost" size="small" class="chat-older" busy={chat.loading.value} onClick={() => void chat.older()} data-testid="chat-older">
            {t.older}
          </Button>
        )}
        {messages.length === 0 && drafts.length === 0 && (
          <div class="panel-blank">
            <Icon name="chat" size={32} />
            <span class="chat-author">{t.empty}</span>
            <p>{blank}</p>
          </div>
        )}
        {messages.map((message, i) => (
          <Message key={message.id} chat={chat} seat={seat} message={message} before={messages[i - 1] ?? null} />
        ))}
        {drafts.map((draft) => (
          <Unsent key={draft.nonce} chat={chat} draft={draft} />
        ))}
      </div>
      {below && (
        <Button size="small" variant="primary" class="chat-below" icon="down" onClick={toEnd}>
          {t.newMessages}
        </Button>
      )}
    </div>
  );
}
