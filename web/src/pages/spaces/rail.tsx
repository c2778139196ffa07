// The left rail: home, the spaces one is in, oneself.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { session } from '../../account';
import { follow, path, spaceOf, spacePath } from '../../route';
import type { Space } from '../../spaces/rest';
import { byName, folders, spaces } from '../../spaces/spaces';
import { text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Icon, Logo } from '../../ui/icons';
import { Face } from '../../ui/face';
import { Avatar, PagePreferences } from '../../ui/parts';
import { NewConversation } from './new-conversation';
import { SearchButton } from '../search/open';
import { NewSpace } from './new-space';
import { drawer } from './shell';

const UNREAD_MAX = 100; // the server counts no further

export function Rail() {
  const t = text.value.spaces;
  const [making, setMaking] = useState(false);
  const [conversing, setConversing] = useState(false);
  const guest = session.value?.guest !== undefined;
  const all = byName.value;
  const live = all.filter((space) => !space.archived);
  const filed = (folder: string) => live.filter((space) => !space.favourite && space.folder === folder);
  const rest = live.filter((space) => !space.favourite && !space.folder);
  return (
    <>
      <div class="rail-head">
        <a class="brand" href="/" onClick={follow}>
          <Logo size={26} /> Parley
        </a>
        <IconButton class="drawer-button" icon="close" label={t.closeMenu} tip="none" onClick={() => (drawer.value = false)} />
      </div>
      <nav class="rail-list scroll" aria-label={t.heading} data-testid="rail">
        <a class="rail-item" href="/" onClick={follow} aria-current={path.value === '/' ? 'page' : undefined}>
          <span class="rail-icon">
            <Icon name="home" size={18} />
          </span>
          <span class="ellipsis">{t.home}</span>
        </a>
        <SearchButton />
        <Group title={t.favourites} items={live.filter((space) => space.favourite)} />
        {folders.value.map((folder) => (
          <Group key={folder} title={folder} items={filed(folder)} />
        ))}
        <Group title={t.heading} items={rest.filter((space) => space.kind === 'space')}>
          {!guest && (
            <IconButton
              small
              icon="plus"
              iconSize={18}
              tip="none"
              label={t.make}
              data-testid="new-space"
              onClick={() => setMaking(true)}
            />
          )}
        </Group>
        {spaces.value === undefined && <p class="rail-note">{t.loading}</p>}
        {spaces.value?.length === 0 && !guest && (
          <div class="rail-note">
            <p>{t.noneText}</p>
            <Button size="small" icon="plus" onClick={() => setMaking(true)}>
              {t.make}
            </Button>
          </div>
        )}
        <Group title={t.direct} items={rest.filter((space) => space.kind !== 'space')}>
          {!guest && (
            <IconButton small icon="plus" iconSize={18} tip="none" label={t.converse} data-testid="new-conversation" onClick={() => setConversing(true)} />
          )}
        </Group>
        <Group title={t.archived} items={all.filter((space) => space.archived)} />
      </nav>
      <Oneself />
      {conversing && <NewConversation onClose={() => setConversing(false)} />}
      {making && <NewSpace onClose={() => setMaking(false)} />}
    </>
  );
}

function Group({ title, items, children }: { title: string; items: readonly Space[]; children?: ComponentChildren }) {
  if (items.length === 0 && !children) return null;
  return (
    <section class="rail-group">
      <div class="rail-title">
        <h2>{title}</h2>
        {children}
      </div>
      <ul>
        {items.map((space) => (
          <li key={space.id}>
            <Entry space={space} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Entry({ space }: { space: Space }) {
  const t = text.value.spaces;
  const here = spaceOf(path.value) === space.id; // what comes there is being read
  const unread = here ? 0 : space.muted ? space.mentions : space.unread;
  return (
    <a
      class={unread > 0 && !space.muted ? 'rail-item unread' : 'rail-item'}
      href={spacePath(space.id)}
      aria-current={here ? 'page' : undefined}
      data-testid={`space-${space.id}`}
      onClick={follow}
    >
      {space.kind === 'direct' && space.with ? (
        <Face name={space.name} id={space.with} class="rail-avatar" />
      ) : (
        <Avatar name={space.name} seed={space.id} class="rail-avatar square" />
      )}
      <span class="ellipsis grow">{space.name}</span>
      {space.muted && (
        <span class="rail-mark" role="img" aria-label={t.muted}>
          <Icon name="bellOff" size={15} />
        </span>
      )}
      {unread > 0 && <Unread space={space} count={unread} />}
    </a>
  );
}

/** Of a muted space only what names one is counted. */
function Unread({ space, count: n }: { space: Space; count: number }) {
  const t = text.value.spaces;
  const shown = n >= UNREAD_MAX ? `${UNREAD_MAX - 1}+` : String(n);
  return (
    <span class={space.mentions > 0 ? 'count' : 'count calm'} data-testid={`unread-${space.id}`}>
      <span aria-hidden="true">{space.mentions > 0 ? `@${shown}` : shown}</span>
      <span class="hidden-text">{t.unread(n)}</span>
    </span>
  );
}

function Oneself() {
  const user = session.value?.user;
  if (!user) return null;
  if (session.value?.guest)
    return (
      <div class="rail-foot">
        <span class="rail-item grow">
          <Avatar name={user.name} seed={user.id} class="rail-avatar" />
          <span class="ellipsis">{user.name}</span>
          <span class="tag">{text.value.chat.guest}</span>
        </span>
        <PagePreferences />
      </div>
    );
  return (
    <div class="rail-foot">
      <a
        class="rail-item grow"
        href="/account"
        onClick={follow}
        title={text.value.spaces.account}
        data-testid="account-link"
      >
        <Face name={user.name} id={user.id} class="rail-avatar" />
        <span class="ellipsis">{user.name}</span>
      </a>
      <PagePreferences />
    </div>
  );
}
