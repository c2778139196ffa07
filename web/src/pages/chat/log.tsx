// The messages of a chat, newest at the end, older ones on request.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Chat } from '../../chat/chat';
import type { SoughtMessage } from '../../route';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { Icon } from '../../ui/icons';
import { toast } from '../../ui/toast';
import { Message, Unsent } from './message';
import type { ChatSeat } from './panel';
import { render } from './words';

const END_PX = 48; // closer than this to the end counts as at the end

export function Log({ chat, seat, blank, sought }: { chat: Chat; seat: ChatSeat; blank: string; sought?: SoughtMessage | null }) {
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

  // Somebody came here for one message: it is shown, also when it is far back.
  useEffect(() => {
    if (!sought) return;
    let current = true;
    void chat.seek(sought.id).then((found) => {
      if (!current) return;
      if (!found) return toast({ id: 'not-found', words: text.peek().chat.notFound, icon: 'info' });
      requestAnimationFrame(() => {
        const element = box.current?.querySelector(`[data-testid="message-${sought.id}"]`);
        element?.scrollIntoView({ block: 'center' });
        look();
      });
    }, () => undefined);
    return () => {
      current = false;
    };
  }, [chat, sought]);

  const ownLast = [...messages].reverse().find((message) => message.author === seat.self && !message.deleted);
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
          <Message key={message.id} chat={chat} seat={seat} message={message} before={messages[i - 1] ?? null} last={message === ownLast} sought={message.id === sought?.id} />
        ))}
        {drafts.map((draft) => (
          <Unsent key={draft.nonce} chat={chat} draft={draft} />
        ))}
      </div>
      {chat.apart.value && (
        <Button size="small" variant="primary" class="chat-below" icon="down" data-testid="chat-newest" onClick={() => void chat.toNewest()}>
          {text.value.search.toNewest}
        </Button>
      )}
      {below && !chat.apart.value && (
        <Button size="small" variant="primary" class="chat-below" icon="down" onClick={toEnd}>
          {t.newMessages}
        </Button>
      )}
    </div>
  );
}
