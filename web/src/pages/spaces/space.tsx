// A space: its chat, and beside it who is in it.
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { session } from '../../account';
import { filesPath, follow, go, meetingPath, path, showsFiles, spacePath } from '../../route';
import { current } from '../../spaces/live';
import { OpenSpace } from '../../spaces/open';
import { changeMine, type Space, startMeeting } from '../../spaces/rest';
import { may } from '../../spaces/rights';
import { drop, find, put, spaces } from '../../spaces/spaces';
import { text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Icon } from '../../ui/icons';
import { Item, Popup, Rule } from '../../ui/menu';
import { Avatar, Caption } from '../../ui/parts';
import { ChatPanel } from '../chat/panel';
import { FilesView } from './files';
import { InviteDialog } from './invite';
import { leaveSpace, MembersPanel } from './members';
import { SettingsDialog } from './settings';
import { Blank, DrawerButton } from './shell';
import { told } from './told';

const ROOMY_PX = 1120; // room for the rail, the chat and the members

const beside = signal<'members' | null>(window.innerWidth >= ROOMY_PX ? 'members' : null);
const dialog = signal<'invite' | 'settings' | null>(null);

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
      {beside.value === 'members' && (
        <aside class="space-beside" aria-label={t.memberHeading}>
          <div class="panel-head">
            <h2>{t.memberHeading}</h2>
            <IconButton icon="close" tip="none" label={text.value.common.close} data-testid="close-panel" onClick={() => (beside.value = null)} />
          </div>
          <MembersPanel space={space} members={open.members} invite={() => (dialog.value = 'invite')} />
        </aside>
      )}
      {dialog.value === 'invite' && may(space, 'invite') && (
        <InviteDialog space={space} members={open.members} onClose={() => (dialog.value = null)} />
      )}
      {dialog.value === 'settings' && may(space, 'archive') && (
        <SettingsDialog space={space} onClose={() => (dialog.value = null)} />
      )}
    </>
  );
}

function Head({ space, open }: { space: Space; open: OpenSpace }) {
  const t = text.value.spaces;
  return (
    <header class="space-head">
      <DrawerButton />
      <Avatar name={space.name} seed={space.id} class={space.kind === 'direct' ? '' : 'square'} />
      <span class="person-words grow">
        <h1 class="ellipsis" data-testid="space-title">
          {space.name}
        </h1>
        <small class="quiet ellipsis">{`${t.members(space.members)} · ${t.roles[space.role]}`}</small>
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

function SpaceChat({ space, open }: { space: Space; open: OpenSpace }) {
  const t = text.value.spaces;
  const seat = {
    self: session.value?.user.id ?? '',
    nameOf: (id: string) => open.members.nameOf(id),
    writes: may(space, 'comment'),
    moderates: may(space, 'manage'),
  };
  return (
    <section class="space-chat" aria-label={text.value.chat.heading}>
      <ChatPanel
        chat={open.chat}
        seat={seat}
        blank={t.chatEmptyText}
        people={open.named.value}
        locked={
          <div class="composer">
            <Caption>
              <Icon name="archive" size={16} /> {t.isArchived}
            </Caption>
          </div>
        }
      />
    </section>
  );
}
