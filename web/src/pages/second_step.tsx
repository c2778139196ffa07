// After the right password: a code or a passkey.
import { useState } from 'preact/hooks';
import { AccountError } from '../account';
import { passkeysHere, type Second, signInByCode, signInByPasskey } from '../factors';
import { text } from '../text';
import { Button } from '../ui/button';
import { Caption } from '../ui/parts';
import { faultText, Field, Form, FormPage } from './sign_in';

export function SecondStep({ second, again }: { second: Second; again(): void }) {
  const t = text.value.security;
  const [code, setCode] = useState('');
  const byPasskey = second.passkeys.length > 0 && passkeysHere();
  return (
    <FormPage title={t.second} lead={t.secondLead}>
      {byPasskey && (
        <PasskeyButton label={t.secondPasskey} primary run={() => signInByPasskey(second)} />
      )}
      <Form action={text.value.account.signIn} submit={() => signInByCode(second, code.trim())} testid="second-step" second={byPasskey}>
        <Field
          label={second.totp ? t.secondCode : t.secondCodeOnly} value={code} set={setCode}
          complete="one-time-code" testid="second-code"
        />
      </Form>
      <Button variant="ghost" icon="left" data-testid="second-again" onClick={again}>
        {t.secondAgain}
      </Button>
    </FormPage>
  );
}

/** Asks the browser for a passkey, and says when that came to nothing. */
export function PasskeyButton({ label, primary, run }: { label: string; primary?: boolean; run(): Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const press = async () => {
    setBusy(true);
    setFault(null);
    await run().catch((error: unknown) => setFault(error));
    setBusy(false);
  };
  // Whoever closes the browser's window has seen that nothing came of it.
  const told = fault !== null && !(fault instanceof AccountError && fault.code === 'cancelled');
  return (
    <>
      <Button
        icon="key" size="large" wide variant={primary ? 'primary' : 'secondary'} busy={busy} disabled={busy}
        data-testid="passkey" onClick={() => void press()}
      >
        {label}
      </Button>
      {told && <Caption tone="danger" testid="passkey-fault">{faultText(fault)}</Caption>}
    </>
  );
}
