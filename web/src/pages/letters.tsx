// Asking for a letter: a new account, a new password. The answer is the same for every address.
import { useState } from 'preact/hooks';
import { forgotten, signUp } from '../account';
import { follow } from '../route';
import { language, text } from '../text';
import { Caption } from '../ui/parts';
import { Field, Form, FormPage } from './sign_in';

function AskPage({ title, lead, ask, testid }: {
  title: string;
  lead: string;
  ask(email: string, language: string): Promise<{ mailed: boolean }>;
  testid: string;
}) {
  const t = text.value.account;
  const [email, setEmail] = useState('');
  const [sent, setSent] = useState<'mail' | 'admin' | null>(null);
  return (
    <FormPage title={title} lead={lead}>
      <Form
        action={t.sendLetter}
        testid={testid}
        submit={async () => {
          setSent(null);
          const { mailed } = await ask(email, language.value);
          setSent(mailed ? 'mail' : 'admin');
        }}
      >
        <Field label={t.email} type="email" value={email} set={setEmail} complete="email" testid="email" />
        {sent && <Caption testid="letter-sent">{sent === 'mail' ? t.letterSent : t.letterByAdmin}</Caption>}
      </Form>
      <p class="form-links">
        <a href="/sign-in" onClick={follow}>
          {t.backToSignIn}
        </a>
      </p>
    </FormPage>
  );
}

export function SignUp() {
  const t = text.value.account;
  return <AskPage title={t.signUp} lead={t.signUpLead} ask={signUp} testid="sign-up" />;
}

export function Forgotten() {
  const t = text.value.account;
  return <AskPage title={t.forgottenTitle} lead={t.forgottenLead} ask={forgotten} testid="ask-password" />;
}
