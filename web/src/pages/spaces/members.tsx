// Who is in the space, and what they may do.
import { useState } from 'preact/hooks';
import { session } from '../../account';
import type { Guests } from '../../spaces/guests';
import { type Guest, type Member, removeMember, type Space } from '../../spaces/rest';
import { may, roles } from '../../spaces/rights';
import type { Members } from '../../spaces/members';
import { moment, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { confirm } from '../../ui/dialog';
import { Face } from '../../ui/face';
import { Icon } from '../../ui/icons';
import { Item, Popup, Rule } from '../../ui/menu';
import { Avatar } from '../../ui/parts';
import { told } from './told';

const SEARCH_FROM = 8; // fewer are seen at a glance

export function MembersPanel({ space, members, guests, invite }: { space: Space; members: Members; guests: Guests; invite(): void }) {
  const t = text.value.spaces;
  const [wanted, setWanted] = useState('');
  const all = members.all.value;
  const sought = wanted.trim().toLocaleLowerCase();
  const shown = all
    .filter((member) => `${member.name} ${member.email}`.toLocaleLowerCase().includes(sought))
    .sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role) || a.name.localeCompare(b.name));
  return (
    <>
      {may(space, 'invite') && (
        <div class="members-invite">
          <Button wide icon="personPlus" onClick={invite} data-testid="invite">
            {t.invite}
          </Button>
        </div>
      )}
      {all.length >= SEARCH_FROM && (
        <div class="panel-search">
          <Icon name="search" size={16} />
          <input
            class="input"
            type="search"
            value={wanted}
            placeholder={t.findMember}
            aria-label={t.findMember}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        </div>
      )}
      <div class="members-list scroll">
        <ul aria-label={t.memberHeading} data-testid="members">
          {shown.map((member) => (
            <Row key={member.id} space={space} members={members} member={member} />
          ))}
          {shown.length === 0 && all.length > 0 && <li class="rail-note">{t.noMember}</li>}
        </ul>
        <GuestList space={space} members={members} guests={guests} />
      </div>
    </>
  );
}

function Row({ space, members, member }: { space: Space; members: Members; member: Member }) {
  const t = text.value.spaces;
  const self = member.id === session.value?.user.id;
  const owners = members.all.value.filter((other) => other.role === 'owner').length;
  // A space is never without an owner.
  const last = member.role === 'owner' && owners === 1;
  return (
    <li class="members-row" data-testid={`member-${member.email}`}>
      <Face name={member.name} id={member.id} />
      <span class="person-words grow">
        <span class="ellipsis">{self ? text.value.common.selfSuffix(member.name) : member.name}</span>
        <small class="quiet ellipsis">{member.email}</small>
      </span>
      {may(space, 'manage') && !last ? (
        <Manage members={members} member={member} self={self} />
      ) : (
        <span class="badge">{t.roles[member.role]}</span>
      )}
    </li>
  );
}

/** Those without an account; owners see how they came, and can put them out. */
function GuestList({ space, members, guests }: { space: Space; members: Members; guests: Guests }) {
  const t = text.value.spaces;
  const all = guests.all.value;
  if (all.length === 0) return null;
  const putOut = async (guest: Guest) => {
    const yes = await confirm({ title: t.guestOutConfirm(guest.name), body: t.guestOutText, action: t.guestOutAction, danger: true });
    if (yes !== null) void told(guests.remove(guest));
  };
  return (
    <section class="guest-list" aria-labelledby="guest-heading">
      <h3 id="guest-heading">{t.guestHeading(all.length)}</h3>
      <ul data-testid="guests">
        {all.map((guest) => (
          <li key={guest.id} class="members-row" data-testid={`guest-${guest.name}`}>
            <Avatar name={guest.name} seed={guest.id} />
            <span class="person-words grow">
              <span class="ellipsis">{guest.name}</span>
              {guest.link && <small class="quiet">{t.guestCame(members.nameOf(guest.link_maker ?? ''), moment(guest.link_created))}</small>}
              <small class="quiet">
                {t.guestSince(moment(guest.created))}
                {guest.seen > 0 && ` · ${t.guestSeen(moment(guest.seen))}`}
              </small>
            </span>
            {may(space, 'manage') && (
              <IconButton small icon="personOff" tip="none" label={t.guestOut(guest.name)} data-testid={`guest-out-${guest.name}`} onClick={() => void putOut(guest)} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Manage({ members, member, self }: { members: Members; member: Member; self: boolean }) {
  const t = text.value.spaces;
  const handOver = async () => {
    const yes = await confirm({ title: t.handOverConfirm(member.name), body: t.handOverText, action: t.handOverAction });
    if (yes !== null) void told(members.setRole(member, 'owner', true));
  };
  const remove = async () => {
    const yes = await confirm({ title: t.removeConfirm(member.name), body: t.removeText, action: t.removeAction, danger: true });
    if (yes !== null) void told(members.remove(member));
  };
  return (
    <Popup
      label={t.manage(member.name)}
      trigger={({ ref, ...props }) => (
        <button
          {...props}
          ref={ref}
          type="button"
          class="role-button"
          aria-label={`${t.manage(member.name)}: ${t.roles[member.role]}`}
          data-testid={`manage-${member.email}`}
        >
          {t.roles[member.role]}
          <Icon name="down" size={14} />
        </button>
      )}
    >
      {(close) => {
        const then = (run: () => void) => () => {
          close();
          run();
        };
        return (
          <>
            {roles.map((role) => (
              <Item
                key={role}
                checked={role === member.role}
                testid={`role-${role}`}
                onSelect={then(() => role !== member.role && void told(members.setRole(member, role)))}
              >
                <span class="role-words">
                  {t.roles[role]}
                  <small>{t.roleText[role]}</small>
                </span>
              </Item>
            ))}
            {!self && (
              <>
                <Rule />
                <Item icon="star" onSelect={then(() => void handOver())}>
                  {t.handOver}
                </Item>
                <Item icon="personOff" danger testid="remove-member" onSelect={then(() => void remove())}>
                  {t.remove}
                </Item>
              </>
            )}
          </>
        );
      }}
    </Popup>
  );
}

/** Asks, and leaves; whether it happened. */
export async function leaveSpace(space: Space, members: Members): Promise<boolean> {
  const t = text.peek().spaces;
  const owners = members.all.peek().filter((member) => member.role === 'owner').length;
  const only = space.role === 'owner' && owners <= 1;
  const yes = await confirm({
    title: t.leaveConfirm(space.name),
    body: only ? t.leaveOwner : t.leaveText,
    action: only ? text.peek().common.done : t.leave,
    danger: !only,
  });
  return yes !== null && !only && told(removeMember(space.id, 'me'));
}
