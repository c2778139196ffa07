// /i/{token}: an invitation is taken by opening it.
import { useEffect, useState } from 'preact/hooks';
import { enterAsGuest } from '../../account';
import { go, spacePath } from '../../route';
import * as settings from '../../settings';
import { takeInvitation } from '../../spaces/rest';
import { put } from '../../spaces/spaces';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { Field, Form, FormPage, SignIn } from '../sign_in';
import { Blank, DrawerButton } from './shell';

/** Without an account: a name is enough where the link is for guests; else one signs in. */
export function GuestPage({ token }: { token: string }) {
  const t = text.value.spaces;
  const [name, setName] = useState(settings.name.peek());
  const [signing, setSigning] = useState(false);
  if (signing) return <SignIn />;
  return (
    <FormPage title={t.guestTitle} lead={t.guestLead}>
      <Form
        action={t.guestEnter}
        testid="guest-enter"
        submit={async () => {
          settings.name.value = name.trim();
          go(spacePath(await enterAsGuest(token, name.trim())));
        }}
      >
        <Field label={t.guestName} value={name} set={setName} complete="name" testid="guest-name" />
      </Form>
      <Button variant="ghost" data-testid="guest-sign-in" onClick={() => setSigning(true)}>
        {t.guestSignIn}
      </Button>
    </FormPage>
  );
}

export function TakePage({ token }: { token: string }) {
  const t = text.value.spaces;
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    takeInvitation(token).then(
      (space) => {
        put(space);
        go(spacePath(space.id));
      },
      () => setFailed(true),
    );
  }, [token]);
  return (
    <main class="space">
      <header class="space-head">
        <DrawerButton />
      </header>
      {failed ? (
        <Blank icon="link" heading={t.takeFailed} words={t.takeFailedText}>
          <Button onClick={() => go('/')}>{t.toHome}</Button>
        </Blank>
      ) : (
        <Blank icon="link" heading={t.taking} />
      )}
    </main>
  );
}
