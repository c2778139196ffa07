// A space: its chat, and beside it who is in it.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { leaveAsGuest, session } from '../../account';
import { filesPath, follow, go, meetingPath, messagePath, path, showsFiles, soughtMessage, spacePath } from '../../route';
import type { ChatMessage } from '../../gateway/frames';
import { later } from '../../chat/chat';
import { current } from '../../spaces/live';
import { type OpenChat, OpenSpace } from '../../spaces/open';
import { changeMine, contentUrl, type Space, startMeeting } from '../../spaces/rest';
import { may } from '../../spaces/rights';
import { drop, find, folders, put, spaces } from '../../spaces/spaces';
import { text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Icon } from '../../ui/icons';
import { Item, Popup, Rule } from '../../ui/menu';
import { Face } from '../../ui/face';
import { Avatar, Caption } from '../../ui/parts';
import { excerpt } from '../../util/excerpt';
import { HistoryDialog } from '../chat/history';
import { ChatPanel, type ChatSeat } from '../chat/panel';
import { FilesView } from './files';
import { InviteDialog } from './invite';
import { leaveSpace, MembersPanel } from './members';
import { FolderDialog } from './folder';
import { LaterDialog } from './later';
import { PinsPanel } from './pins';
import { Preview, type Shown } from './preview';
import { SettingsDialog } from './settings';
import { Blank, DrawerButton } from './shell';
import { told } from './told';

const ROOMY_PX = 1120; // room for the rail, the chat and the members

const beside = signal<'members' | 'pins' | null>(window.innerWidth >= ROOMY_PX ? 'members' : null);
const dialog = signal<'invite' | 'settings' | 'folder' | null>(null);
const shown = signal<Shown | null>(null); // a file of a message
const edited = signal<ChatMessage | null>(null);
const writtenLater = signal<OpenChat | null>(null); // whose message it is

export function SpacePage({ id }: { id: string }) {
  const t = text.value.spaces;
  const space = find(id);
  const [open] = useState(() => new OpenSpace(id, (error) => void told(Promise.reject(error))));
  useEffect(() => {
    current.value = open;
    void open.refresh();
    return () => {
      current.value = null;
      open.dispose();
      dialog.value = null;
      shown.value = null;
      edited.value = null;
      writtenLater.value = null;
    };
  }, [open]);
  useEffect(() => {
    document.title = space ? `${space.name} · Parley` : 'Parley';
  }, [space?.name]);

  if (!space)
    return (
      <main class="space">
        <header class="space-head">
          <DrawerButton />
        </header>
        {spaces.value && (
          <Blank icon="search" heading={t.gone} words={t.goneText}>
            <Button onClick={() => go('/')}>{t.toHome}</Button>
          </Blank>
        )}
      </main>
    );
  return (
    <>
      <main class="space" data-testid="space">
        <Head space={space} open={open} />
        {showsFiles(path.value) ? (
          <FilesView space={space} files={open.files} nameOf={(who) => open.members.nameOf(who)} />
        ) : (
          <SpaceChat space={space} open={open} />
        )}
      </main>
      <Beside space={space} open={open} />
      {shown.value && <Preview file={shown.value} onClose={() => (shown.value = null)} />}
      {writtenLater.value && <LaterDialog open={open} chat={writtenLater.value} onClose={() => (writtenLater.value = null)} />}
      {edited.value && <HistoryDialog space={space.id} message={edited.value} onClose={() => (edited.value = null)} />}
      {dialog.value === 'folder' && <FolderDialog space={space} known={folders.value} onClose={() => (dialog.value = null)} />}
      {dialog.value === 'invite' && may(space, 'invite') && (
        <InviteDialog space={space} members={open.members} onClose={() => (dialog.value = null)} />
      )}
      {dialog.value === 'settings' && may(space, 'archive') && (
        <SettingsDialog space={space} onClose={() => (dialog.value = null)} />
      )}
    </>
  );
}

/** A thread while one is open, else the members or what is pinned. */
function Beside({ space, open }: { space: Space; open: OpenSpace }) {
  const t = text.value.spaces;
  const thread = open.thread.value;
  const which = thread ? 'thread' : beside.value;
  if (!which) return null;
  const heading = { thread: text.value.chat.thread, members: t.memberHeading, pins: text.value.chat.pins }[which];
  const close = () => (thread ? open.closeThread() : (beside.value = null));
  return (
    <aside class={which === 'thread' ? 'space-beside wide' : 'space-beside'} aria-label={heading}>
      <div class="panel-head">
        <h2>{heading}</h2>
        <IconButton icon="close" tip="none" label={text.value.common.close} data-testid="close-panel" onClick={close} />
      </div>
      {thread ? (
        <Thread key={thread.thread} space={space} open={open} thread={thread} />
      ) : which === 'pins' ? (
        <PinsPanel space={space} open={open} />
      ) : (
        <MembersPanel space={space} members={open.members} guests={open.guests} invite={() => (dialog.value = 'invite')} />
      )}
    </aside>
  );
}

function Thread({ space, open, thread }: { space: Space; open: OpenSpace; thread: OpenChat }) {
  const t = text.value.chat;
  const root = open.chat.find(thread.thread ?? '');
  const seat = seatOf(space, open, true);
  return (
    <div class="thread" data-testid="thread">
      {root && (
        <button type="button" class="thread-root" onClick={() => go(messagePath(space.id, root.id))}>
          <span class="chat-author ellipsis">{root.author_name}</span>
          <span class="thread-words">{root.deleted ? t.deleted : excerpt(root.text) || root.attachments?.map(({ name }) => name).join(', ') || t.meeting}</span>
          {root.meeting && <small class="quiet">{t.guestsRead}</small>}
        </button>
      )}
      <ChatPanel chat={thread.chat} seat={seat} blank={t.threadEmpty} people={open.named.value} outgoing={may(space, 'write') ? thread.outgoing : undefined} later={() => (writtenLater.value = thread)} locked={<Archived />} />
    </div>
  );
}

function Head({ space, open }: { space: Space; open: OpenSpace }) {
  const t = text.value.spaces;
  return (
    <header class="space-head">
      <DrawerButton />
      {space.kind === 'direct' && space.with ? (
        <Face name={space.name} id={space.with} />
      ) : (
        <Avatar name={space.name} seed={space.id} class="square" />
      )}
      <span class="person-words grow">
        <h1 class="ellipsis" data-testid="space-title">
          {space.name}
        </h1>
        <small class="quiet ellipsis">{`${t.members(space.members)} · ${session.value?.guest ? text.value.chat.guest : t.roles[space.role]}`}</small>
      </span>
      <Meet space={space} open={open} />
      <nav class="space-tabs" aria-label={t.views}>
        <Tab to={spacePath(space.id)} on={!showsFiles(path.value)} icon="chat" words={text.value.chat.heading} />
        <Tab to={filesPath(space.id)} on={showsFiles(path.value)} icon="folder" words={text.value.files.heading} />
      </nav>
      <IconButton
        icon="people"
        label={t.showMembers}
        tip="below"
        aria-pressed={beside.value === 'members'}
        data-testid="members-toggle"
        onClick={() => (beside.value = beside.value === 'members' ? null : 'members')}
      />
      <IconButton
        class="pins-toggle"
        icon="pin"
        label={text.value.chat.pins}
        tip="below"
        aria-pressed={beside.value === 'pins'}
        data-testid="pins-toggle"
        onClick={() => (beside.value = beside.value === 'pins' ? null : 'pins')}
      />
      <More space={space} open={open} />
    </header>
  );
}

/** Into the meeting that goes on, or into a new one. */
function Meet({ space, open }: { space: Space; open: OpenSpace }) {
  const t = text.value.spaces;
  const [busy, setBusy] = useState(false);
  const on = open.meetings.value[0];
  if (!on && !may(space, 'meet')) return null;
  const press = async () => {
    if (on) return go(meetingPath(on.id));
    setBusy(true);
    await told(startMeeting(space.id, space.name).then(({ id }) => go(meetingPath(id))));
    setBusy(false);
  };
  return (
    <Button
      variant={on ? 'primary' : 'secondary'}
      icon="camera"
      class="meet-button"
      busy={busy}
      disabled={busy}
      aria-label={on ? t.join : t.meet}
      data-testid={on ? 'join-meeting' : 'start-meeting'}
      onClick={() => void press()}
    >
      <span>{on ? t.join : t.meet}</span>
    </Button>
  );
}

function Tab({ to, on, icon, words }: { to: string; on: boolean; icon: 'chat' | 'folder'; words: string }) {
  return (
    <a href={to} aria-current={on ? 'page' : undefined} aria-label={words} data-testid={`view-${icon}`} onClick={follow}>
      <Icon name={icon} size={18} />
      <span>{words}</span>
    </a>
  );
}

function More({ space, open }: { space: Space; open: OpenSpace }) {
  const t = text.value.spaces;
  const leave = async () => {
    if (!(await leaveSpace(space, open.members))) return;
    drop(space.id);
    go('/');
  };
  const guestLeaves = () => void told(leaveAsGuest().then(() => go('/')));
  if (session.value?.guest) return <IconButton icon="leave" label={t.leave} tip="below-end" data-testid="guest-leave" onClick={guestLeaves} />;
  const mine = (change: Parameters<typeof changeMine>[1]) => void told(changeMine(space.id, change).then(put));
  return (
    <Popup
      label={t.details}
      trigger={(props) => <IconButton {...props} icon="more" label={t.details} tip="below-end" data-testid="space-more" />}
    >
      {(close) => {
        const then = (run: () => void) => () => {
          close();
          run();
        };
        return (
          <>
            <Item icon="star" testid="favourite" onSelect={then(() => mine({ favourite: !space.favourite }))}>
              {space.favourite ? t.unfavourite : t.favourite}
            </Item>
            <Item icon={space.muted ? 'bell' : 'bellOff'} testid="mute-space" onSelect={then(() => mine({ muted: !space.muted }))}>
              {space.muted ? t.unmute : t.mute}
            </Item>
            <Item icon="pin" testid="show-pins" onSelect={then(() => (beside.value = 'pins'))}>
              {text.value.chat.pins}
            </Item>
            {open.scheduled.value.length > 0 && (
              <Item icon="clock" testid="show-scheduled" tail={String(open.scheduled.value.length)} onSelect={then(() => (writtenLater.value = open.main))}>
                {text.value.chat.scheduled}
              </Item>
            )}
            <Item icon="folder" testid="move-space" onSelect={then(() => (dialog.value = 'folder'))}>
              {t.intoFolder}
            </Item>
            {may(space, 'invite') && (
              <Item icon="personPlus" onSelect={then(() => (dialog.value = 'invite'))}>
                {t.inviteTitle}
              </Item>
            )}
            {may(space, 'archive') && (
              <Item icon="settings" testid="open-space-settings" onSelect={then(() => (dialog.value = 'settings'))}>
                {t.settings}
              </Item>
            )}
            {space.kind !== 'direct' && (
              <>
                <Rule />
                <Item icon="leave" danger testid="leave-space" onSelect={then(() => void leave())}>
                  {t.leave}
                </Item>
              </>
            )}
          </>
        );
      }}
    </Popup>
  );
}

/** Who looks at the chats of this space, and what they may do there. */
function seatOf(space: Space, open: OpenSpace, inThread = false): ChatSeat {
  const self = session.value?.user.id ?? '';
  const receipts = open.receipts.value;
  return {
    self,
    nameOf: (id: string) => open.members.nameOf(id),
    writes: may(space, 'comment'),
    moderates: may(space, 'manage'),
    open: ({ file, name, type, size, version }) => {
      shown.value = { name, type, size, url: contentUrl(file, version) };
    },
    pin: may(space, 'write') ? (message: ChatMessage, pinned: boolean) => void told(open.pin(message, pinned)) : undefined,
    history: may(space, 'history') ? (message: ChatMessage) => (edited.value = message) : undefined,
    link: (id: string) => new URL(messagePath(space.id, id), window.location.href).href,
    join: (meeting: string) => (open.meetings.value.some(({ id }) => id === meeting) ? meetingPath(meeting) : null),
    // In a thread there are no threads, and nobody says how far they have read.
    ...(inThread
      ? {}
      : {
          thread: (root: string) => open.openThread(root),
          seenBy: (message: ChatMessage) =>
            [...receipts].filter(([who, to]) => who !== self && !later(message.id, to)).map(([who]) => open.members.nameOf(who)).filter(Boolean),
        }),
  };
}

const Archived = () => (
  <div class="composer">
    <Caption>
      <Icon name="archive" size={16} /> {text.value.spaces.isArchived}
    </Caption>
  </div>
);

function SpaceChat({ space, open }: { space: Space; open: OpenSpace }) {
  return (
    <section class="space-chat" aria-label={text.value.chat.heading}>
      <ChatPanel
        chat={open.chat}
        seat={seatOf(space, open)}
        blank={text.value.spaces.chatEmptyText}
        people={open.named.value}
        outgoing={may(space, 'write') ? open.main.outgoing : undefined}
        later={() => (writtenLater.value = open.main)}
        locked={<Archived />}
        sought={soughtMessage.value}
      />
    </section>
  );
}
