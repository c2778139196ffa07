// The dialogs of the security section: each asks for the password before it changes anything.
import { useState } from 'preact/hooks';
import { encode } from 'uqr';
import { session } from '../../account';
import { addPasskey, beginTotp, confirmTotp, endTotp, type Passkey, removePasskey, renewCodes, type Seed } from '../../factors';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { toast } from '../../ui/toast';
import { Field, Form } from '../sign_in';

interface Props {
  /** With codes that are to be shown once, when there are new ones. */
  done(codes: string[]): void;
  close(): void;
}

function Password({ value, set }: { value: string; set(value: string): void }) {
  return (
    <Field
      label={text.value.security.yourPassword} type="password" value={value} set={set}
      complete="current-password" testid="proof-password"
    />
  );
}

export function SetUpApp({ done, close }: Props) {
  const t = text.value.security;
  const [password, setPassword] = useState('');
  const [seed, setSeed] = useState<Seed | null>(null);
  const [code, setCode] = useState('');
  return (
    <Dialog title={t.app} onClose={close} testid="totp-dialog">
      {seed === null ? (
        <Form plain action={t.next} testid="totp-next" submit={async () => setSeed(await beginTotp(password))}>
          <Password value={password} set={setPassword} />
        </Form>
      ) : (
        <Form plain action={t.confirm} testid="totp-confirm" submit={async () => done(await confirmTotp(code.trim()))}>
          <p>{t.scan}</p>
          <QrCode value={seed.uri} label={t.scanLabel} />
          <p class="quiet small">
            {t.typeInstead}
            <code class="secret" data-testid="totp-secret">
              {seed.secret.replace(/.{4}(?=.)/g, '$& ')}
            </code>
          </p>
          <Field label={t.code} value={code} set={setCode} complete="one-time-code" testid="totp-code" />
        </Form>
      )}
    </Dialog>
  );
}

/** Dark on white in both themes: cameras want it so. */
function QrCode({ value, label }: { value: string; label: string }) {
  const { size, data } = encode(value, { ecc: 'M', border: 3 });
  const path = data
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <path d={path} />
    </svg>
  );
}

export function TurnOffApp({ done, close }: Props) {
  const t = text.value.security;
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  return (
    <Dialog title={t.app} onClose={close} testid="totp-off-dialog">
      <Form plain danger action={t.turnOff} testid="totp-off" submit={async () => (await endTotp(password, code.trim()), done([]))}>
        <p class="quiet">{t.turnOffText}</p>
        <Password value={password} set={setPassword} />
        <Field label={t.secondCode} value={code} set={setCode} complete="one-time-code" testid="totp-code" />
      </Form>
    </Dialog>
  );
}

export function AddPasskey({ done, close }: Props) {
  const t = text.value.security;
  const [password, setPassword] = useState('');
  const [name, setName] = useState(t.passkeyDefault);
  const add = async () => {
    const user = session.peek()?.user;
    if (user) done(await addPasskey(password, name.trim(), user));
  };
  return (
    <Dialog title={t.add} onClose={close} testid="passkey-dialog">
      <Form plain action={t.add} testid="passkey-add" submit={add}>
        <p class="quiet">{t.addText}</p>
        <Field label={t.passkeyName} value={name} set={setName} complete="off" testid="passkey-name" />
        <Password value={password} set={setPassword} />
      </Form>
    </Dialog>
  );
}

export function RemovePasskey({ passkey, done, close }: Props & { passkey: Passkey }) {
  const t = text.value.security;
  const [password, setPassword] = useState('');
  return (
    <Dialog title={t.remove} onClose={close} testid="passkey-remove-dialog">
      <Form
        plain danger action={t.remove} testid="passkey-remove"
        submit={async () => (await removePasskey(passkey.id, password), done([]))}
      >
        <p class="quiet">{t.removeText(passkey.name)}</p>
        <Password value={password} set={setPassword} />
      </Form>
    </Dialog>
  );
}

export function NewCodes({ done, close }: Props) {
  const t = text.value.security;
  const [password, setPassword] = useState('');
  return (
    <Dialog title={t.codes} onClose={close} testid="codes-new-dialog">
      <Form plain action={t.codesNew} testid="codes-renew" submit={async () => done(await renewCodes(password))}>
        <p class="quiet">{t.codesNewText}</p>
        <Password value={password} set={setPassword} />
      </Form>
    </Dialog>
  );
}

/** The codes, for the only time. */
export function Codes({ codes, close }: { codes: string[]; close(): void }) {
  const t = text.value.security;
  const all = `${codes.join('\n')}\n`;
  const copy = () =>
    void navigator.clipboard.writeText(all).then(() => toast({ id: 'codes', words: t.codesCopied, icon: 'copy' }));
  const download = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([all], { type: 'text/plain' }));
    link.download = 'parley-recovery-codes.txt';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  return (
    <Dialog
      title={t.codesTitle}
      onClose={close}
      testid="codes"
      foot={
        <Button variant="primary" onClick={close} data-testid="codes-kept">
          {t.kept}
        </Button>
      }
    >
      <p class="quiet">{t.codesLead}</p>
      <ul class="code-list">
        {codes.map((code) => (
          <li key={code} data-testid="recovery-code">
            {code}
          </li>
        ))}
      </ul>
      <div class="button-row">
        <Button icon="copy" onClick={copy}>
          {text.value.common.copy}
        </Button>
        <Button icon="download" onClick={download}>
          {t.download}
        </Button>
      </div>
    </Dialog>
  );
}
