// /i/{token}: an invitation is taken by opening it.
import { useEffect, useState } from 'preact/hooks';
import { go, spacePath } from '../../route';
import { takeInvitation } from '../../spaces/rest';
import { put } from '../../spaces/spaces';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { Blank, DrawerButton } from './shell';

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
