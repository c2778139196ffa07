// One message, and what one can do with it.
import type { Chat, Draft } from '../../chat/chat';
import type { ChatMessage } from '../../gateway/frames';
import { follow } from '../../route';
import { clockTime, dayName, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { confirm } from '../../ui/dialog';
import { EmojiRow } from '../../ui/emoji';
import { EmojiPicker } from '../../ui/emoji-picker';
import { Icon } from '../../ui/icons';
import { Item, Popup, Rule } from '../../ui/menu';
import { Face } from '../../ui/face';
import { toast } from '../../ui/toast';
import { excerpt } from '../../util/excerpt';
import { Attachments } from './attachments';
import type { ChatSeat } from './panel';
import { Previews } from './previews';
import { Words } from './words';

const GROUP_MS = 5 * 60_000;

export function Message({ chat, seat, message, before, last = false, sought = false }: {
  chat: Chat;
  seat: ChatSeat;
  message: ChatMessage;
  before: ChatMessage | null;
  /** The newest of one's own: it says who has seen it. */
  last?: boolean;
  /** Somebody came here for it. */
  sought?: boolean;
}) {
  const t = text.value.chat;
  const own = message.author === seat.self;
  const day = dayName(message.created);
  const newDay = !before || dayName(before.created) !== day;
  const grouped =
    !newDay && before?.author === message.author && message.created - before.created < GROUP_MS && !message.reply_to && !isStart(message) && !isStart(before) && before.thread === message.thread;
  const quoted = message.reply_to ? chat.find(message.reply_to) : null;
  return (
    <>
      {newDay && (
        <div class="chat-day">
          <span>{day}</span>
        </div>
      )}
      <article class={['chat-message', grouped && 'grouped', sought && 'sought'].filter(Boolean).join(' ')} data-testid={`message-${message.id}`}>
        {!grouped && <Face name={message.author_name} id={message.author} />}
        <div class="chat-body">
          {!grouped && (
            <header>
              <span class="chat-author ellipsis">{own ? text.value.common.selfSuffix(message.author_name) : message.author_name}</span>
              {message.guest && <span class="tag">{t.guest}</span>}
              <time class="numbers" dateTime={new Date(message.created).toISOString()}>
                {clockTime(message.created)}
              </time>
            </header>
          )}
          {message.reply_to && (seat.thread || message.reply_to !== message.thread) && <Quote message={quoted} />}
          {!message.reply_to && message.thread && seat.thread && !grouped && <Within chat={chat} seat={seat} message={message} />}
          {message.deleted ? (
            <p class="chat-deleted">{t.deleted}</p>
          ) : isStart(message) ? (
            <Started seat={seat} message={message} />
          ) : message.text ? (
            <Words source={message.text} />
          ) : null}
          <Attachments message={message} seat={seat} />
          <Previews chat={chat} seat={seat} message={message} />
          <Marks seat={seat} message={message} />
          <Reactions chat={chat} seat={seat} message={message} />
          {(message.replies ?? 0) > 0 && seat.thread && (
            <button type="button" class="thread-button" data-testid={`thread-${message.id}`} onClick={() => seat.thread?.(message.id)}>
              <Icon name="thread" size={15} /> {t.replies(message.replies ?? 0)}
            </button>
          )}
          {last && <Seen names={seat.seenBy?.(message) ?? []} />}
        </div>
        {!message.deleted && seat.writes && <Actions chat={chat} seat={seat} message={message} own={own} />}
      </article>
    </>
  );
}

/** What a meeting's thread hangs on. */
const isStart = (message: ChatMessage): boolean => message.meeting !== undefined && !message.thread;

/** A meeting was started here. */
function Started({ seat, message }: { seat: ChatSeat; message: ChatMessage }) {
  const t = text.value.chat;
  const to = seat.join?.(message.meeting ?? '');
  return (
    <div class="chat-meeting" data-testid="meeting-card">
      <Icon name="camera" size={20} />
      <span class="person-words grow">
        <span class="ellipsis">{message.text || t.meeting}</span>
        <small class="quiet">{to ? t.meetingOn : t.meetingOver}</small>
      </span>
      {to && (
        <a class="button primary small" href={to} onClick={follow}>
          {text.value.spaces.join}
        </a>
      )}
    </div>
  );
}

/** In the space's chat: which thread it was written in. */
function Within({ chat, seat, message }: { chat: Chat; seat: ChatSeat; message: ChatMessage }) {
  const t = text.value.chat;
  const root = chat.find(message.thread ?? '');
  return (
    <button type="button" class="chat-within" onClick={() => seat.thread?.(message.thread ?? '')}>
      <Icon name={message.meeting ? 'camera' : 'thread'} size={14} />
      <span class="ellipsis">{message.meeting ? t.inMeeting(excerpt(root?.text ?? '')) : t.inThread(excerpt(root?.text ?? ''))}</span>
    </button>
  );
}

function Marks({ seat, message }: { seat: ChatSeat; message: ChatMessage }) {
  const t = text.value.chat;
  if (message.deleted || (!message.edited && !message.pinned)) return null;
  return (
    <span class="chat-marks">
      {message.pinned ? (
        <small>
          <Icon name="pin" size={13} /> {t.pinned}
        </small>
      ) : null}
      {message.edited ? (
        seat.history ? (
          <button type="button" data-testid="edited" onClick={() => seat.history?.(message)}>
            {t.edited}
          </button>
        ) : (
          <small>{t.edited}</small>
        )
      ) : null}
    </span>
  );
}

function Seen({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <small class="chat-seen" data-testid="seen-by">
      <Icon name="check" size={13} /> {text.value.chat.seenBy(names)}
    </small>
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
      {!isStart(message) && (
        <IconButton small iconSize={17} icon="reply" label={t.reply} tip="none" onClick={() => (chat.composing.value = { kind: 'reply', message })} />
      )}
      <Popup kind="dialog" label={t.react} trigger={(props) => <IconButton {...props} small iconSize={17} icon="smile" label={t.react} tip="none" data-testid="react" />}>
        {(close) => (
          <EmojiPicker
            choose={(emoji) => {
              close();
              void chat.react(message.id, emoji, true);
            }}
          />
        )}
      </Popup>
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
              {seat.thread && !message.thread && (
                <Item icon="thread" testid="open-thread" onSelect={then(() => seat.thread?.(message.id))}>
                  {t.openThread}
                </Item>
              )}
              {seat.link && (
                <Item icon="link" testid="copy-link" onSelect={then(() => copy(seat.link?.(message.id) ?? ''))}>
                  {t.copyLink}
                </Item>
              )}
              {seat.pin && (
                <Item icon={message.pinned ? 'unpin' : 'pin'} testid="pin" onSelect={then(() => seat.pin?.(message, !message.pinned))}>
                  {message.pinned ? t.unpin : t.pin}
                </Item>
              )}
              <Item icon="copy" onSelect={then(() => copy(message.text))}>
                {t.copyText}
              </Item>
              {own && !isStart(message) && (
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

function copy(words: string): void {
  void navigator.clipboard?.writeText(words).then(
    () => toast({ id: 'copied', words: text.peek().common.copied, icon: 'check' }),
    () => undefined,
  );
}

export function Unsent({ chat, draft }: { chat: Chat; draft: Draft }) {
  const t = text.value.chat;
  return (
    <article class="chat-message unsent">
      <span class="avatar ghost" />
      <div class="chat-body">
        {draft.text && <Words source={draft.text} />}
        {draft.attachments?.map(({ file, name }) => <small key={file} class="quiet">{name}</small>)}
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
