// The meeting's chat.
import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Call } from '../../call/call';
import type { Draft } from '../../call/chat';
import type { ChatMessage } from '../../gateway/frames';
import { clockTime, dayName, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { confirm } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { Item, Popup, Rule } from '../../ui/menu';
import { Avatar } from '../../ui/parts';
import { toast } from '../../ui/toast';
import { clip } from '../../util/bytes';
import { EmojiRow } from './controls';

const TEXT_MAX = 8000; // bytes
const GROUP_MS = 5 * 60_000;
const END_PX = 48; // closer than this to the end counts as at the end

interface Composing {
  kind: 'reply' | 'edit';
  message: ChatMessage;
}

const composing = signal<Composing | null>(null);
const render = signal<((source: string) => string) | null>(null);

export function ChatPanel({ call }: { call: Call }) {
  useEffect(() => {
    if (!render.peek()) void import('../../ui/markdown').then((module) => (render.value = module.toHtml));
    return () => {
      call.chat.reading = false;
      composing.value = null;
    };
  }, [call]);
  return (
    <>
      <Log call={call} />
      <Typing call={call} />
      <Composer call={call} />
    </>
  );
}

function Log({ call }: { call: Call }) {
  const t = text.value.chat;
  const box = useRef<HTMLDivElement>(null);
  const [below, setBelow] = useState(false);
  const messages = call.chat.messages.value;
  const drafts = call.chat.drafts.value;
  const anchor = useRef<{ first: string | undefined; height: number }>({ first: undefined, height: 0 });
  const atEnd = useRef(true);

  const look = () => {
    const element = box.current;
    if (!element) return;
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < END_PX;
    call.chat.reading = atEnd.current && !document.hidden;
    if (atEnd.current) {
      call.chat.read();
      setBelow(false);
    }
    anchor.current.height = element.scrollHeight;
  };

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const first = messages[0]?.id;
    const own = messages[messages.length - 1]?.author === call.self.peek() || drafts.length > 0;
    if (anchor.current.first !== undefined && anchor.current.first !== first) {
      // Older ones came in above: stay where the reader was.
      element.scrollTop += element.scrollHeight - anchor.current.height;
    } else if (atEnd.current || own) element.scrollTop = element.scrollHeight;
    else setBelow(true);
    anchor.current = { first, height: element.scrollHeight };
    look();
  }, [messages, drafts, render.value]);

  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };

  return (
    <div class="chat-log-box">
      <div class="chat-log scroll" ref={box} onScroll={look} role="log" aria-label={t.heading} tabIndex={0} data-testid="chat-list">
        {call.chat.more.value && (
          <Button variant="ghost" size="small" class="chat-older" busy={call.chat.loading.value} onClick={() => void call.chat.older()} data-testid="chat-older">
            {t.older}
          </Button>
        )}
        {messages.length === 0 && drafts.length === 0 && (
          <div class="panel-blank">
            <Icon name="chat" size={32} />
            <span class="chat-author">{t.empty}</span>
            <p>{t.emptyText}</p>
          </div>
        )}
        {messages.map((message, i) => (
          <Message key={message.id} call={call} message={message} before={messages[i - 1] ?? null} />
        ))}
        {drafts.map((draft) => (
          <Unsent key={draft.nonce} call={call} draft={draft} />
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

function Message({ call, message, before }: { call: Call; message: ChatMessage; before: ChatMessage | null }) {
  const t = text.value.chat;
  const own = message.author === call.self.value;
  const day = dayName(message.created);
  const newDay = !before || dayName(before.created) !== day;
  const grouped =
    !newDay && before?.author === message.author && message.created - before.created < GROUP_MS && !message.reply_to;
  const quoted = message.reply_to ? call.chat.find(message.reply_to) : null;
  return (
    <>
      {newDay && (
        <div class="chat-day">
          <span>{day}</span>
        </div>
      )}
      <article class={grouped ? 'chat-message grouped' : 'chat-message'} data-testid={`message-${message.id}`}>
        {!grouped && <Avatar name={message.author_name} seed={message.author} />}
        <div class="chat-body">
          {!grouped && (
            <header>
              <span class="chat-author ellipsis">{own ? text.value.common.selfSuffix(message.author_name) : message.author_name}</span>
              <time class="numbers" dateTime={new Date(message.created).toISOString()}>
                {clockTime(message.created)}
              </time>
            </header>
          )}
          {message.reply_to && <Quote message={quoted} />}
          {message.deleted ? <p class="chat-deleted">{t.deleted}</p> : <Words source={message.text} />}
          {message.edited && !message.deleted ? <small class="quiet">{t.edited}</small> : null}
          <Reactions call={call} message={message} />
        </div>
        {!message.deleted && <Actions call={call} message={message} own={own} />}
      </article>
    </>
  );
}

function Words({ source }: { source: string }) {
  const toHtml = render.value;
  const html = useMemo(() => (toHtml ? { __html: toHtml(source) } : null), [toHtml, source]);
  return html ? (
    <div class="chat-text" data-testid="chat-text" dangerouslySetInnerHTML={html} />
  ) : (
    <div class="chat-text plain" data-testid="chat-text">{source}</div>
  );
}

function Quote({ message }: { message: ChatMessage | null }) {
  const t = text.value.chat;
  return (
    <div class="chat-quote">
      {message ? (
        <>
          <span class="chat-author ellipsis">{message.author_name}</span>
          <span class="ellipsis">{message.deleted ? t.deleted : message.text}</span>
        </>
      ) : (
        <span class="ellipsis">{t.quoteGone}</span>
      )}
    </div>
  );
}

function Reactions({ call, message }: { call: Call; message: ChatMessage }) {
  const self = call.self.value;
  const shown = (message.reactions ?? []).filter((reaction) => reaction.by.length > 0);
  if (shown.length === 0 || message.deleted) return null;
  return (
    <div class="chat-reactions">
      {shown.map(({ emoji, by }) => {
        const mine = by.includes(self);
        return (
          <button
            key={emoji}
            type="button"
            aria-pressed={mine}
            aria-label={text.value.chat.reaction(emoji, by.length)}
            title={by.map((id) => call.people.nameOf(id)).filter(Boolean).join(', ')}
            onClick={() => void call.ask('chat.react', { id: message.id, emoji, on: !mine })}
          >
            <span class="emoji-glyph">{emoji}</span> {by.length}
          </button>
        );
      })}
    </div>
  );
}

function Actions({ call, message, own }: { call: Call; message: ChatMessage; own: boolean }) {
  const t = text.value.chat;
  const remove = async () => {
    const yes = await confirm({ title: t.deleteConfirm, body: t.deleteText, action: t.delete, danger: true });
    if (yes !== null) void call.ask('chat.delete', { id: message.id });
  };
  return (
    <div class="chat-actions">
      <IconButton small iconSize={17} icon="reply" label={t.reply} tip="none" onClick={() => (composing.value = { kind: 'reply', message })} />
      <Popup
        label={t.actions}
        trigger={(props) => <IconButton {...props} small iconSize={17} icon="more" label={t.actions} tip="none" />}
      >
        {(close) => {
          const then = (run: () => void) => () => {
            close();
            run();
          };
          return (
            <>
              <EmojiRow choose={(emoji) => then(() => void call.ask('chat.react', { id: message.id, emoji, on: true }))()} />
              <Rule />
              <Item icon="reply" onSelect={then(() => (composing.value = { kind: 'reply', message }))}>
                {t.reply}
              </Item>
              <Item icon="copy" onSelect={then(() => void navigator.clipboard?.writeText(message.text).then(() => toast({ id: 'copied', words: text.peek().common.copied, icon: 'check' }), () => undefined))}>
                {t.copyText}
              </Item>
              {own && (
                <Item icon="edit" testid="chat-edit" onSelect={then(() => (composing.value = { kind: 'edit', message }))}>
                  {t.edit}
                </Item>
              )}
              {(own || call.hosting.value) && (
                <Item icon="trash" danger testid="chat-delete" onSelect={then(() => void remove())}>
                  {t.delete}
                </Item>
              )}
            </>
          );
        }}
      </Popup>
    </div>
  );
}

function Unsent({ call, draft }: { call: Call; draft: Draft }) {
  const t = text.value.chat;
  return (
    <article class="chat-message unsent">
      <span class="avatar ghost" />
      <div class="chat-body">
        <Words source={draft.text} />
        {draft.failed ? (
          <p class="chat-failed">
            {t.failed}
            <Button size="small" variant="ghost" onClick={() => call.chat.again(draft).catch(() => undefined)}>
              {text.value.common.retry}
            </Button>
            <Button size="small" variant="ghost" onClick={() => call.chat.discard(draft)}>
              {t.discard}
            </Button>
          </p>
        ) : (
          <small class="quiet">{t.sending}</small>
        )}
      </div>
    </article>
  );
}

function Typing({ call }: { call: Call }) {
  const names = call.chat.typing.value.map((id) => call.people.nameOf(id)).filter(Boolean);
  return (
    <p class="chat-typing" aria-live="polite">
      {names.length > 0 ? text.value.chat.typing(names) : ''}
    </p>
  );
}

function Composer({ call }: { call: Call }) {
  const t = text.value.chat;
  const [typed, setTyped] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);
  const mode = composing.value;

  useEffect(() => {
    if (mode?.kind === 'edit') setTyped(mode.message.text);
    area.current?.focus();
  }, [mode]);

  // As tall as its text, up to a limit the style sheet sets.
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.setProperty('height', 'auto');
    element.style.setProperty('height', `${element.scrollHeight + 2}px`);
  }, [typed]);

  const cancel = () => {
    if (mode?.kind === 'edit') setTyped('');
    composing.value = null;
  };
  const send = () => {
    const words = typed.trim();
    if (!words) return;
    setTyped('');
    composing.value = null;
    if (mode?.kind === 'edit') {
      if (words !== mode.message.text) void call.ask('chat.edit', { id: mode.message.id, text: words });
    } else call.chat.say(words, mode?.message.id ?? null).catch(() => undefined);
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {mode && (
        <div class="composer-mode">
          <Icon name={mode.kind} size={16} />
          <span class="ellipsis">{mode.kind === 'edit' ? t.editing : t.replyTo(mode.message.author_name)}</span>
          <IconButton small icon="close" iconSize={16} tip="none" label={mode.kind === 'edit' ? t.cancelEdit : t.cancelReply} onClick={cancel} />
        </div>
      )}
      <div class="composer-box">
        <textarea
          ref={area}
          rows={1}
          value={typed}
          placeholder={t.placeholder}
          aria-label={t.placeholder}
          aria-description={t.hint}
          data-testid="chat-input"
          onInput={(event) => {
            setTyped((event.currentTarget.value = clip(event.currentTarget.value, TEXT_MAX)));
            if (event.currentTarget.value) call.chat.typed();
          }}
          onKeyDown={(event) => {
            event.stopPropagation();
            // An input method composing Chinese uses Enter for itself.
            if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
              event.preventDefault();
              send();
            } else if (event.key === 'Escape' && mode) {
              event.preventDefault();
              cancel();
            }
          }}
        />
        <IconButton
          type="submit"
          class="send"
          icon="send"
          label={t.send}
          tip="none"
          disabled={typed.trim() === ''}
          data-testid="chat-send"
        />
      </div>
    </form>
  );
}
