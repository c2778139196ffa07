import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { changeEmail, changePassword, type Device, devices, revoke, session, signOut } from '../account';
import { go } from '../route';
import { dateTime, text } from '../text';
import { Button } from '../ui/button';
import { Icon } from '../ui/icons';
import { Caption } from '../ui/parts';
import { Notifications } from './account/notifications';
import { Profile } from './account/profile';
import { Security } from './account/security';
import { Invitations } from './invitations';
import { Field, Form, FormPage, SignIn } from './sign_in';

/** Oneself: how others see one, how one signs in, and where one did. */
export function AccountPage() {
  const t = text.value.account;
  const user = session.value?.user;
  if (!user) return <SignIn />;
  return (
    <FormPage title={t.title} lead={user.email}>
      <Profile key={user.id} user={user} />
      <Notifications />
      <Security />
      <Fold title={t.email} words={t.emailText} testid="email-fold">
        <EmailForm />
      </Fold>
      <Fold title={t.password} words={t.passwordText} testid="password-fold">
        <PasswordForm />
      </Fold>
      {user.role === 'admin' && <Invitations />}
      <Devices />
      <Button icon="leave" size="large" data-testid="sign-out" onClick={() => void signOut().then(() => go('/'))}>
        {t.signOut}
      </Button>
    </FormPage>
  );
}

/** What is rarely changed shows its form when it is asked for. */
function Fold({ title, words, testid, children }: { title: string; words: string; testid: string; children: ComponentChildren }) {
  return (
    <details class="card fold">
      <summary data-testid={testid}>
        <span class="setting-words">
          <strong>{title}</strong>
          <small class="quiet ellipsis">{words}</small>
        </span>
        <Icon name="down" size={18} />
      </summary>
      {children}
    </details>
  );
}

function EmailForm() {
  const t = text.value.account;
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [sent, setSent] = useState<'mail' | 'admin' | null>(null);
  return (
    <Form
      plain
      action={t.changeEmail}
      testid="change-email"
      submit={async () => {
        setSent(null);
        const { mailed } = await changeEmail(email, password);
        setSent(mailed ? 'mail' : 'admin');
        setPassword('');
      }}
    >
      <Field label={t.newEmail} type="email" value={email} set={setEmail} complete="email" testid="new-email" />
      <Field
        label={t.password} type="password" value={password} set={setPassword}
        complete="current-password" testid="email-password"
      />
      {sent && <Caption testid="email-sent">{sent === 'mail' ? t.letterSent : t.letterByAdmin}</Caption>}
    </Form>
  );
}

function PasswordForm() {
  const t = text.value.account;
  const [old, setOld] = useState('');
  const [password, setPassword] = useState('');
  const [done, setDone] = useState(false);
  return (
    <Form
      plain
      action={t.changePassword}
      testid="change-password"
      submit={async () => {
        setDone(false);
        await changePassword(old, password);
        setOld('');
        setPassword('');
        setDone(true);
      }}
    >
      <Field
        label={t.oldPassword} type="password" value={old} set={setOld} complete="current-password" testid="old-password"
      />
      <Field
        label={t.newPassword} type="password" value={password} set={setPassword} complete="new-password"
        hint={t.passwordHint} testid="new-password"
      />
      {done && <Caption testid="password-changed">{t.passwordChanged}</Caption>}
    </Form>
  );
}

/** "Chrome, Linux" of a User-Agent; the whole of what says neither. */
function deviceName(agent: string): string {
  const browser = /Firefox|Edg|OPR|Chrome|Safari/.exec(agent)?.[0];
  const system = /Android|iPhone|iPad|Windows|Mac OS X|Linux/.exec(agent)?.[0];
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', 'Mac OS X': 'macOS' };
  const known = [browser, system].filter((part) => part !== undefined).map((part) => names[part] ?? part);
  return known.length > 0 ? known.join(', ') : agent || '?';
}

function Devices() {
  const t = text.value.account;
  const [list, setList] = useState<Device[]>([]);
  const reload = () => void devices().then(setList, () => undefined);
  useEffect(reload, []);
  return (
    <section class="card device-list" aria-labelledby="devices-heading">
      <h2 id="devices-heading">{t.devices}</h2>
      <ul>
        {list.map((device) => (
          <li key={device.id} data-testid={device.current ? 'device-current' : 'device'}>
            <Icon name="lock" size={18} />
            <span class="device-words">
              <strong class="ellipsis">{deviceName(device.device)}</strong>
              <span class="quiet small ellipsis">
                {device.current ? t.thisDevice : t.seen(dateTime(device.seen))} · {device.address}
              </span>
            </span>
            {!device.current && (
              <Button size="small" data-testid="revoke" onClick={() => void revoke(device.id).then(reload, reload)}>
                {t.revoke}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
