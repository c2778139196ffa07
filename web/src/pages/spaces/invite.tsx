// Bringing people in: by address, or by a link for whoever has it.
import { useEffect, useState } from 'preact/hooks';
import { HttpError } from '../../api';
import { invitationPath } from '../../route';
import type { Members } from '../../spaces/members';
import {
  type Invitation,
  listInvitations,
  makeInvitation,
  removeInvitation,
  type Role,
  type Space,
} from '../../spaces/rest';
import { atMost, roles } from '../../spaces/rights';
import { dateTime, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { Caption, Segments, Switch } from '../../ui/parts';
import { toast } from '../../ui/toast';
import { faultOf, told } from './told';

const DAY_MS = 86_400_000;
const DAYS = [1, 7, 30, 90];

export function InviteDialog({ space, members, onClose }: { space: Space; members: Members; onClose(): void }) {
  const t = text.value.spaces;
  const [way, setWay] = useState<'email' | 'link'>('email');
  return (
    <Dialog title={t.inviteTitle} onClose={onClose} testid="invite-dialog">
      <Segments<'email' | 'link'>
        label={t.inviteTitle}
        value={way}
        options={[
          { value: 'email', label: t.byEmail, icon: 'person' },
          { value: 'link', label: t.byLink, icon: 'link' },
        ]}
        onChange={(next) => setWay(next)}
      />
      {way === 'email' ? <ByEmail space={space} members={members} /> : <ByLink space={space} />}
    </Dialog>
  );
}

function RoleChoice({ value, limit, onChange }: { value: Role; limit: Role; onChange(role: Role): void }) {
  const t = text.value.spaces;
  const offered = [...roles].reverse().filter((role) => atMost(role, limit));
  return (
    <label class="field">
      <span class="label">{t.role}</span>
      <span class="select">
        <select value={value} data-testid="invite-role" onChange={(event) => onChange(event.currentTarget.value as Role)}>
          {offered.map((role) => (
            <option key={role} value={role}>
              {t.roles[role]}
            </option>
          ))}
        </select>
        <Icon name="down" size={18} />
      </span>
      <span class="quiet small">{t.roleText[value]}</span>
    </label>
  );
}

function ByEmail({ space, members }: { space: Space; members: Members }) {
  const t = text.value.spaces;
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('editor');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || !email.trim()) return;
    setBusy(true);
    setFault('');
    try {
      const member = await members.invite(email.trim(), role);
      toast({ id: 'invited', words: member.id ? t.invited(member.name) : t.invitedLater(member.email), icon: 'check' });
      setEmail('');
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 0;
      setFault(status === 409 ? t.alreadyIn : status === 400 || status === 422 ? t.badEmail : faultOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="stack" noValidate onSubmit={(event) => void submit(event)}>
      <label class="field">
        <span class="label">{t.email}</span>
        <input
          class="input"
          type="email"
          value={email}
          placeholder={t.emailPlaceholder}
          autoComplete="off"
          autoFocus
          aria-invalid={fault !== ''}
          data-testid="invite-email"
          onInput={(event) => setEmail(event.currentTarget.value)}
        />
      </label>
      <RoleChoice value={role} limit={space.role} onChange={setRole} />
      {fault && <Caption tone="danger">{fault}</Caption>}
      <Button variant="primary" type="submit" busy={busy} disabled={busy || !email.trim()} data-testid="invite-send">
        {t.inviteAction}
      </Button>
    </form>
  );
}

function ByLink({ space }: { space: Space }) {
  const t = text.value.spaces;
  const [role, setRole] = useState<Role>('viewer');
  const [guests, setGuests] = useState(false);
  const [days, setDays] = useState(7);
  const [made, setMade] = useState('');
  const [links, setLinks] = useState<readonly Invitation[]>([]);
  const load = () => void listInvitations(space.id).then(setLinks, () => undefined);
  useEffect(load, []);
  if (space.links === 'none') return <Caption>{t.linkOff}</Caption>;

  const limit = atMost(space.links, space.role) ? space.links : space.role;
  const make = async () => {
    const done = await told(
      makeInvitation(space.id, { role, guests: guests && role === 'viewer', expires: Date.now() + days * DAY_MS }).then((link) =>
        setMade(new URL(invitationPath(link.token ?? ''), window.location.href).href),
      ),
    );
    if (done) load();
  };
  const copy = () =>
    void navigator.clipboard?.writeText(made).then(
      () => toast({ id: 'copied', words: text.peek().common.copied, icon: 'check' }),
      () => undefined,
    );
  return (
    <div class="stack">
      <p class="quiet">{t.linkText}</p>
      <div class="two-fields">
        <RoleChoice value={role} limit={limit} onChange={setRole} />
        <label class="field">
          <span class="label">{t.expires}</span>
          <span class="select">
            <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
              {DAYS.map((n) => (
                <option key={n} value={n}>
                  {t.days(n)}
                </option>
              ))}
            </select>
            <Icon name="down" size={18} />
          </span>
        </label>
      </div>
      {role === 'viewer' && <Switch label={t.linkGuests} checked={guests} onChange={setGuests} testid="link-guests" />}
      <Button variant="primary" icon="link" onClick={() => void make()} data-testid="make-link">
        {t.makeLink}
      </Button>
      {made && (
        <div class="made-link">
          <input
            class="input"
            readOnly
            value={made}
            aria-label={t.link}
            data-testid="made-link"
            onFocus={(event) => event.currentTarget.select()}
          />
          <Button icon="copy" onClick={copy}>
            {text.value.common.copy}
          </Button>
          <p class="quiet small">{t.linkOnce}</p>
        </div>
      )}
      {links.length > 0 && <InUse space={space} links={links} changed={load} />}
    </div>
  );
}

function InUse({ space, links, changed }: { space: Space; links: readonly Invitation[]; changed(): void }) {
  const t = text.value.spaces;
  return (
    <section class="links-in-use">
      <h3>{t.links}</h3>
      <ul>
        {links.map((link) => (
          <li key={link.id}>
            <Icon name="link" size={16} />
            <span class="grow small">{t.linkLine(link.guests ? t.guests : t.roles[link.role], dateTime(link.expires))}</span>
            <IconButton
              small
              icon="trash"
              iconSize={16}
              tip="none"
              label={t.revoke}
              data-testid="revoke-link"
              onClick={() => void told(removeInvitation(space.id, link.id)).then(changed)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}
