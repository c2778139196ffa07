// What is asked for when one signs in: an app, passkeys, codes on paper.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { factors, type Factors, type Passkey, passkeysHere, renamePasskey } from '../../factors';
import { dateTime, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { confirm } from '../../ui/dialog';
import { Icon, type IconName } from '../../ui/icons';
import { Item, Popup } from '../../ui/menu';
import { Caption } from '../../ui/parts';
import { faultText } from '../sign_in';
import { AddPasskey, Codes, NewCodes, RemovePasskey, SetUpApp, TurnOffApp } from './dialogs';

type Open = 'app' | 'app-off' | 'passkey' | 'codes' | Passkey | null;

export function Security() {
  const t = text.value.security;
  const [own, setOwn] = useState<Factors | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const [open, setOpen] = useState<Open>(null);
  const [codes, setCodes] = useState<string[]>([]);
  const reload = () => void factors().then(setOwn, setFault);
  useEffect(reload, []);
  const close = () => setOpen(null);
  const done = (fresh: string[]) => {
    setOpen(null);
    setCodes(fresh);
    reload();
  };
  const any = own !== null && (own.totp > 0 || own.passkeys.length > 0);
  return (
    <section class="card setting-list" aria-labelledby="security-heading" data-testid="security">
      <h2 id="security-heading">{t.title}</h2>
      {fault !== null && <Caption tone="danger">{faultText(fault)}</Caption>}
      {own && (
        <>
          <Setting icon="phone" title={t.app} words={own.totp > 0 ? t.appOn(dateTime(own.totp)) : t.appOff} testid="totp">
            <Button size="small" data-testid={own.totp > 0 ? 'totp-turn-off' : 'totp-set-up'} onClick={() => setOpen(own.totp > 0 ? 'app-off' : 'app')}>
              {own.totp > 0 ? t.turnOff : t.setUp}
            </Button>
          </Setting>
          <Setting icon="key" title={t.passkeys} words={passkeysHere() ? t.passkeysText : t.passkeysMissing} testid="passkeys">
            {passkeysHere() && (
              <Button size="small" data-testid="passkey-new" onClick={() => setOpen('passkey')}>
                {t.add}
              </Button>
            )}
          </Setting>
          {own.passkeys.length > 0 && (
            <ul class="passkey-list">
              {own.passkeys.map((passkey) => (
                <PasskeyRow key={passkey.id} passkey={passkey} changed={reload} remove={() => setOpen(passkey)} />
              ))}
            </ul>
          )}
          {any && (
            <Setting icon="file" title={t.codes} words={t.codesLeft(own.codes)} testid="recovery">
              <Button size="small" data-testid="codes-new" onClick={() => setOpen('codes')}>
                {t.codesNew}
              </Button>
            </Setting>
          )}
        </>
      )}
      {open === 'app' && <SetUpApp done={done} close={close} />}
      {open === 'app-off' && <TurnOffApp done={done} close={close} />}
      {open === 'passkey' && <AddPasskey done={done} close={close} />}
      {open === 'codes' && <NewCodes done={done} close={close} />}
      {open !== null && typeof open === 'object' && <RemovePasskey passkey={open} done={done} close={close} />}
      {codes.length > 0 && <Codes codes={codes} close={() => setCodes([])} />}
    </section>
  );
}

/** One line of a section: what it is, how it stands, what can be done. */
export function Setting({ icon, title, words, testid, children }: {
  icon: IconName;
  title: string;
  words: string;
  testid?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="setting" data-testid={testid}>
      <Icon name={icon} size={20} />
      <span class="setting-words">
        <strong>{title}</strong>
        <span class="quiet small">{words}</span>
      </span>
      {children}
    </div>
  );
}

function PasskeyRow({ passkey, changed, remove }: { passkey: Passkey; changed(): void; remove(): void }) {
  const t = text.value.security;
  const rename = async () => {
    const name = await confirm({ title: t.rename, action: text.peek().common.save, input: { label: t.passkeyName, value: passkey.name, max: 128 } });
    if (name) await renamePasskey(passkey.id, name).then(changed, changed);
  };
  return (
    <li data-testid="passkey-row">
      <span class="setting-words">
        <strong class="ellipsis">{passkey.name}</strong>
        <span class={passkey.suspect ? 'small warn-words' : 'quiet small'}>
          {passkey.suspect ? t.passkeySuspect : passkey.used > 0 ? t.passkeyUsed(dateTime(passkey.used)) : t.passkeyUnused}
        </span>
      </span>
      <Popup
        label={t.manage(passkey.name)}
        trigger={(props) => <IconButton {...props} icon="more" small label={t.manage(passkey.name)} tip="none" data-testid="passkey-more" />}
      >
        {(close) => (
          <>
            <Item icon="edit" testid="passkey-rename" onSelect={() => (close(), void rename())}>
              {t.rename}
            </Item>
            <Item icon="trash" danger testid="passkey-drop" onSelect={() => (close(), remove())}>
              {t.remove}
            </Item>
          </>
        )}
      </Popup>
    </li>
  );
}
