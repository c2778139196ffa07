import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AccountError, makeFirst, session, setup, signIn, signUpOpen } from '../account';
import { passkeysHere, type Second, secondOf, signInByPasskey } from '../factors';
import { follow, go } from '../route';
import { text } from '../text';
import { Button } from '../ui/button';
import { Logo } from '../ui/icons';
import { Caption, PagePreferences } from '../ui/parts';
import { PasskeyButton, SecondStep } from './second_step';

/** What went wrong, in the words of the person's language. */
export function faultText(error: unknown): string {
  const t = text.value.account;
  const code = error instanceof AccountError ? error.code : '';
  return code in t.faults ? t.faults[code as keyof typeof t.faults] : t.failed;
}

export function FormPage({ title, lead, children }: { title: string; lead?: string; children: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · Parley`;
  }, [title]);
  return (
    <div class="page">
      <header class="page-head">
        <a
          class="brand"
          href="/"
          onClick={(event) => {
            event.preventDefault();
            go('/');
          }}
        >
          <Logo /> Parley
        </a>
        <PagePreferences />
      </header>
      <main class="form-main">
        <h1>{title}</h1>
        {lead && <p class="quiet">{lead}</p>}
        {children}
      </main>
    </div>
  );
}

export function Field({ label, type = 'text', value, set, complete, hint, testid }: {
  label: string;
  type?: 'text' | 'email' | 'password';
  value: string;
  set(value: string): void;
  complete: string;
  hint?: string;
  testid: string;
}) {
  return (
    <label class="field">
      <span class="label">{label}</span>
      <input
        class="input large"
        type={type}
        value={value}
        autoComplete={complete}
        required
        data-testid={testid}
        onInput={(event) => set(event.currentTarget.value)}
      />
      {hint && <span class="quiet small">{hint}</span>}
    </label>
  );
}

/** A form that does one thing, and says when it failed. */
export function Form({ action, submit, testid, plain, danger, second, children }: {
  action: string;
  submit(): Promise<void>;
  testid: string;
  /** In a dialog, which is a card already. */
  plain?: boolean;
  danger?: boolean;
  /** Beside something that is done more often. */
  second?: boolean;
  children: ComponentChildren;
}) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault(null);
    await submit().catch((error: unknown) => setFault(error));
    setBusy(false);
  };
  return (
    <form class={plain ? 'form-plain' : 'card form-card'} onSubmit={(event) => void send(event)}>
      {children}
      {fault !== null && (
        <Caption tone="danger" testid="form-fault">
          {faultText(fault)}
        </Caption>
      )}
      <Button type="submit" variant={danger ? 'danger' : second ? 'secondary' : 'primary'} size="large" busy={busy} disabled={busy} data-testid={testid}>
        {action}
      </Button>
    </form>
  );
}

export function SignIn() {
  const t = text.value.account;
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [second, setSecond] = useState<Second | null>(null);
  useEffect(() => {
    if (session.value && !session.value.guest) go('/');
  }, [session.value]);
  const submit = () =>
    signIn(email, password).catch((error: unknown) => {
      const asked = secondOf(error);
      if (!asked) throw error;
      setSecond(asked);
    });
  if (second) return <SecondStep second={second} again={() => setSecond(null)} />;
  return (
    <FormPage title={t.signIn}>
      <Form action={t.signIn} submit={submit} testid="sign-in">
        <Field label={t.email} type="email" value={email} set={setEmail} complete="username" testid="email" />
        <Field
          label={t.password} type="password" value={password} set={setPassword}
          complete="current-password" testid="password"
        />
      </Form>
      {passkeysHere() && <PasskeyButton label={text.value.security.byPasskey} run={() => signInByPasskey()} />}
      <p class="form-links">
        <a href="/forgotten" onClick={follow} data-testid="forgotten-link">
          {t.forgotten}
        </a>
        {signUpOpen.value && (
          <a href="/sign-up" onClick={follow} data-testid="sign-up-link">
            {t.signUp}
          </a>
        )}
      </p>
    </FormPage>
  );
}

export function Setup() {
  const t = text.value.account;
  const link = window.location.hash.slice(1);
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const may = setup.value === 'here' || (setup.value === 'link' && link !== '');
  if (!may)
    return (
      <FormPage title={t.setup} lead={setup.value === 'link' ? t.setupByLink : t.setupDone}>
        <Button variant="primary" size="large" onClick={() => go('/sign-in')}>
          {t.signIn}
        </Button>
      </FormPage>
    );
  return (
    <FormPage title={t.setup} lead={t.setupLead}>
      <Form
        action={t.create}
        testid="create-first"
        submit={async () => {
          await makeFirst({ email, name, password, ...(link ? { link } : {}) });
          go('/account');
        }}
      >
        <Field label={t.name} value={name} set={setName} complete="name" testid="name" />
        <Field label={t.email} type="email" value={email} set={setEmail} complete="username" testid="email" />
        <Field
          label={t.password} type="password" value={password} set={setPassword}
          complete="new-password" hint={t.passwordHint} testid="password"
        />
      </Form>
    </FormPage>
  );
}
