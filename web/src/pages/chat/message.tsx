// One message, and what one can do with it.
import type { Chat, Draft } from '../../chat/chat';
import type { ChatMessage } from '../../gateway/frames';
import { clockTime, dayName, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { confirm } from '../../ui/dialog';
import { EmojiRow } from '../../ui/emoji';
import { Item, Popup, Rule } from '../../ui/menu';
import { Avatar } from '../../ui/parts';
import { toast } from '../../ui/toast';
import type { ChatSeat } from './panel';
import { Words } from './words';

const GROUP_MS = 5 * 60_000;

export function Message({ chat, seat, message, before }: {
  chat: Chat;
  seat: ChatSeat;
  message: ChatMessage;
  before: ChatMessage | null;
}) {
  const t = text.value.chat;
  const own = message.author === seat.self;
  const day = dayName(message.created);
  const newDay = !before || dayName(before.created) !== day;
  const grouped =
    !newDay && before?.author === message.author && message.created - before.created < GROUP_MS && !message.reply_to;
  const quoted = message.reply_to ? chat.find(message.reply_to) : null;
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
          <Reactions chat={chat} seat={seat} message={message} />
        </div>
        {!message.deleted && seat.writes && <Actions chat={chat} seat={seat} message={message} own={own} />}
      </article>
    </>
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

function Reactions({ chat, seat, message }: { chat: Chat; seat: ChatSeat; message: ChatMessage }) {
  const self = seat.self;
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
            disabled={!seat.writes}
            aria-pressed={mine}
            aria-label={text.value.chat.reaction(emoji, by.length)}
            title={by.map((id) => seat.nameOf(id)).filter(Boolean).join(', ')}
            onClick={() => void chat.react(message.id, emoji, !mine)}
          >
            <span class="emoji-glyph">{emoji}</span> {by.length}
          </button>
        );
      })}
    </div>
  );
}

function Actions({ chat, seat, message, own }: { chat: Chat; seat: ChatSeat; message: ChatMessage; own: boolean }) {
  const t = text.value.chat;
  const remove = async () => {
    const yes = await confirm({ title: t.deleteConfirm, body: t.deleteText, action: t.delete, danger: true });
    if (yes !== null) void chat.remove(message.id);
  };
  return (
    <div class="chat-actions">
      <IconButton small iconSize={17} icon="reply" label={t.reply} tip="none" onClick={() => (chat.composing.value = { kind: 'reply', message })} />
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
              <EmojiRow choose={(emoji) => then(() => void chat.react(message.id, emoji, true))()} />
              <Rule />
              <Item icon="reply" onSelect={then(() => (chat.composing.value = { kind: 'reply', message }))}>
                {t.reply}
              </Item>
              <Item icon="copy" onSelect={then(() => void navigator.clipboard?.writeText(message.text).then(() => toast({ id: 'copied', words: text.peek().common.copied, icon: 'check' }), () => undefined))}>
                {t.copyText}
              </Item>
              {own && (
                <Item icon="edit" testid="chat-edit" onSelect={then(() => (chat.composing.value = { kind: 'edit', message }))}>
                  {t.edit}
                </Item>
              )}
              {(own || seat.moderates) && (
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

export function Unsent({ chat, draft }: { chat: Chat; draft: Draft }) {
  const t = text.value.chat;
  return (
    <article class="chat-message unsent">
      <span class="avatar ghost" />
      <div class="chat-body">
        <Words source={draft.text} />
        {draft.failed ? (
          <p class="chat-failed">
            {t.failed}
            <Button size="small" variant="ghost" onClick={() => chat.again(draft).catch(() => undefined)}>
              {text.value.common.retry}
            </Button>
            <Button size="small" variant="ghost" onClick={() => chat.discard(draft)}>
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
