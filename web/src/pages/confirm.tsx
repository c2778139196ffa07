// /confirm#TOKEN: what a link in a letter is for. The token stands after #, so that no log has it.
import { useEffect, useState } from 'preact/hooks';
import { AccountError, confirmAccount, confirmEmail, confirmPassword, type Letter, readLetter, renew, session } from '../account';
import { go } from '../route';
import { language, text } from '../text';
import { Button } from '../ui/button';
import { Caption } from '../ui/parts';
import { faultText, Field, Form, FormPage } from './sign_in';

export function ConfirmPage() {
  const t = text.value.account;
  const [token] = useState(window.location.hash.slice(1));
  const [letter, setLetter] = useState<Letter | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  useEffect(() => {
    readLetter(token).then(setLetter, setFault);
  }, [token]);
  if (fault instanceof AccountError && (fault.status === 404 || fault.status === 400))
    return (
      <FormPage title={t.linkOver} lead={t.linkOverText}>
        <Button variant="primary" size="large" data-testid="link-over" onClick={() => go('/')}>
          {text.value.spaces.toHome}
        </Button>
      </FormPage>
    );
  if (!letter) return <FormPage title="Parley">{fault !== null && <Caption tone="danger">{faultText(fault)}</Caption>}</FormPage>;
  switch (letter.kind) {
    case 'email':
      return <EmailPage token={token} letter={letter} />;
    case 'password':
      return <PasswordPage token={token} letter={letter} />;
    default:
      return <AccountPage token={token} letter={letter} />;
  }
}

interface Opened {
  token: string;
  letter: Letter;
}

function AccountPage({ token, letter }: Opened) {
  const t = text.value.account;
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  return (
    <FormPage title={t.confirm[letter.kind]} lead={t.confirmAccountLead(letter.email)}>
      <Form
        action={t.create}
        testid="confirm-account"
        submit={async () => {
          await confirmAccount({ token, name, password, language: language.value });
          go('/');
        }}
      >
        <input type="hidden" name="username" autoComplete="username" value={letter.email} />
        <Field label={t.name} value={name} set={setName} complete="name" testid="name" />
        <Field
          label={t.password} type="password" value={password} set={setPassword}
          complete="new-password" hint={t.passwordHint} testid="password"
        />
      </Form>
    </FormPage>
  );
}

function PasswordPage({ token, letter }: Opened) {
  const t = text.value.account;
  const [password, setPassword] = useState('');
  const [done, setDone] = useState(false);
  if (done)
    return (
      <FormPage title={t.confirmed} lead={t.passwordSet}>
        <Button variant="primary" size="large" data-testid="to-sign-in" onClick={() => go('/sign-in')}>
          {t.signIn}
        </Button>
      </FormPage>
    );
  return (
    <FormPage title={t.confirm.password} lead={t.confirmPasswordLead(letter.email)}>
      <Form
        action={t.setPassword}
        testid="confirm-password"
        submit={async () => {
          await confirmPassword(token, password);
          session.value = null;
          setDone(true);
        }}
      >
        <input type="hidden" name="username" autoComplete="username" value={letter.email} />
        <Field
          label={t.newPassword} type="password" value={password} set={setPassword}
          complete="new-password" hint={t.passwordHint} testid="password"
        />
      </Form>
    </FormPage>
  );
}

function EmailPage({ token, letter }: Opened) {
  const t = text.value.account;
  const [done, setDone] = useState(false);
  if (done)
    return (
      <FormPage title={t.confirmed} lead={t.emailConfirmed}>
        <Button variant="primary" size="large" data-testid="to-account" onClick={() => go('/account')}>
          {t.title}
        </Button>
      </FormPage>
    );
  return (
    <FormPage title={t.confirm.email} lead={t.confirmEmailLead(letter.email)}>
      <Form
        action={t.confirmEmail}
        testid="confirm-email"
        submit={async () => {
          await confirmEmail(token);
          if (session.peek()) await renew();
          setDone(true);
        }}
      >
        {null}
      </Form>
    </FormPage>
  );
}
