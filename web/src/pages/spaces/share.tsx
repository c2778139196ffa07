// Links that show contents to whoever has them: made for what is chosen, looked after, revoked.
import { useEffect, useState } from 'preact/hooks';
import { HttpError } from '../../api';
import { sharePath } from '../../route';
import { listShares, makeShare, removeShare, type Share, type Space, type SpaceFile } from '../../spaces/rest';
import { dateTime, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { Caption, Switch } from '../../ui/parts';
import { toast } from '../../ui/toast';
import { faultOf, told } from './told';

const DAY_MS = 86_400_000;
const DAYS = [1, 7, 30, 90, 365];
const PASSWORD_MIN = 6; // characters, as the server has it

/** `chosen`: files and folders; null: the whole space. */
export function ShareDialog({ space, chosen, onClose }: {
  space: Space;
  chosen: readonly SpaceFile[] | null;
  onClose(): void;
}) {
  const t = text.value.shares;
  const [shares, setShares] = useState<readonly Share[]>([]);
  const load = () => void listShares(space.id).then(setShares, () => undefined);
  useEffect(load, []);
  return (
    <Dialog title={chosen ? t.titleOf(chosen.map(({ name }) => name)) : t.title} onClose={onClose} testid="share-dialog">
      {space.links === 'none' ? <Caption>{text.value.spaces.linkOff}</Caption> : <Make space={space} chosen={chosen} made={load} />}
      {shares.length > 0 && <InUse space={space} shares={shares} changed={load} />}
    </Dialog>
  );
}

function Make({ space, chosen, made }: { space: Space; chosen: readonly SpaceFile[] | null; made(): void }) {
  const t = text.value.shares;
  const [name, setName] = useState(chosen?.length === 1 ? (chosen[0]?.name ?? '') : '');
  const [days, setDays] = useState(7);
  const [messages, setMessages] = useState(false);
  const [password, setPassword] = useState('');
  const [link, setLink] = useState('');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const short = password !== '' && password.length < PASSWORD_MIN;
  const make = async (event: Event) => {
    event.preventDefault();
    if (busy || short) return;
    setBusy(true);
    setFault('');
    try {
      const share = await makeShare(space.id, {
        name: name.trim(),
        ...(chosen ? { files: chosen.map(({ id }) => id) } : { everything: true, messages }),
        ...(password ? { password } : {}),
        expires: Date.now() + days * DAY_MS,
      });
      setLink(new URL(sharePath(share.token ?? ''), window.location.href).href);
      made();
    } catch (error) {
      setFault(error instanceof HttpError && error.status === 403 ? t.notAllowed : faultOf(error));
    } finally {
      setBusy(false);
    }
  };
  const copy = () =>
    void navigator.clipboard?.writeText(link).then(
      () => toast({ id: 'copied', words: text.peek().common.copied, icon: 'check' }),
      () => undefined,
    );
  return (
    <form class="stack" noValidate onSubmit={(event) => void make(event)}>
      <p class="quiet">{t.lead}</p>
      <label class="field">
        <span class="label">{t.name}</span>
        <input class="input" value={name} maxLength={100} data-testid="share-name" onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <div class="two-fields">
        <label class="field">
          <span class="label">{text.value.spaces.expires}</span>
          <span class="select">
            <select value={days} data-testid="share-days" onChange={(event) => setDays(Number(event.currentTarget.value))}>
              {DAYS.map((n) => (
                <option key={n} value={n}>
                  {text.value.spaces.days(n)}
                </option>
              ))}
            </select>
            <Icon name="down" size={18} />
          </span>
        </label>
        <label class="field">
          <span class="label">{t.password}</span>
          <input
            class="input"
            type="password"
            autoComplete="new-password"
            value={password}
            placeholder={t.noPassword}
            aria-invalid={short}
            data-testid="share-password"
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
      </div>
      {short && <Caption tone="danger">{t.passwordShort(PASSWORD_MIN)}</Caption>}
      {!chosen && <Switch label={t.messages} hint={t.messagesText} checked={messages} onChange={setMessages} testid="share-messages" />}
      {fault && <Caption tone="danger">{fault}</Caption>}
      <Button variant="primary" icon="link" type="submit" busy={busy} disabled={busy || short} data-testid="make-share">
        {t.make}
      </Button>
      {link && (
        <div class="made-link">
          <input class="input" readOnly value={link} aria-label={text.value.spaces.link} data-testid="made-share" onFocus={(event) => event.currentTarget.select()} />
          <Button icon="copy" onClick={copy}>
            {text.value.common.copy}
          </Button>
          <p class="quiet small">{text.value.spaces.linkOnce}</p>
        </div>
      )}
    </form>
  );
}

function InUse({ space, shares, changed }: { space: Space; shares: readonly Share[]; changed(): void }) {
  const t = text.value.shares;
  const what = (share: Share) => (share.everything ? (share.messages ? t.allAndMessages : t.all) : t.some(share.files.length));
  return (
    <section class="links-in-use" data-testid="shares">
      <h3>{t.inUse}</h3>
      <ul>
        {shares.map((share) => (
          <li key={share.id} data-testid="share">
            <Icon name={share.locked ? 'lock' : 'link'} size={16} />
            <span class="person-words grow">
              <span class="ellipsis">{share.name || what(share)}</span>
              <small class="ellipsis">{[what(share), t.views(share.views), t.until(dateTime(share.expires))].join(' · ')}</small>
            </span>
            <IconButton
              small
              icon="trash"
              iconSize={16}
              tip="none"
              label={text.value.spaces.revoke}
              data-testid="revoke-share"
              onClick={() => void told(removeShare(space.id, share.id)).then(changed)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}
