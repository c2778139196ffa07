// Whether this device is told of mentions, answers and direct messages while no page is open.
import { useEffect, useState } from 'preact/hooks';
import { onPermission, pushState, type PushState, tryPush, turnOff, turnOn } from '../../pwa/push';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { Caption, Switch } from '../../ui/parts';
import { toast } from '../../ui/toast';
import { Setting } from './security';

export function Notifications() {
  const t = text.value.push;
  const [state, setState] = useState<PushState | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const look = () => void pushState().then(setState, () => setState(null));
  useEffect(() => {
    look();
    return onPermission(look);
  }, []);
  const run = async (change: () => Promise<PushState>) => {
    setBusy(true);
    setFailed(false);
    await change().then(setState, () => setFailed(true));
    setBusy(false);
  };
  if (!state) return null;
  return (
    <section class="card setting-list" aria-label={t.title} data-testid="push" data-state={state.kind}>
      <Setting icon={state.kind === 'on' ? 'bell' : 'bellOff'} title={t.title} words={wordsOf(state)} testid="push-setting">
        {state.kind === 'off' && (
          <Button size="small" busy={busy} data-testid="push-on" onClick={() => void run(() => turnOn(false))}>
            {text.value.security.confirm}
          </Button>
        )}
        {state.kind === 'on' && (
          <Button size="small" busy={busy} data-testid="push-off" onClick={() => void run(turnOff)}>
            {text.value.security.turnOff}
          </Button>
        )}
      </Setting>
      {state.kind === 'on' && <On texts={state.texts} setTexts={(texts) => void run(() => turnOn(texts))} />}
      {failed && <Caption tone="danger" testid="push-failed">{t.failed}</Caption>}
    </section>
  );
}

function wordsOf(state: PushState): string {
  const t = text.value.push;
  if (state.kind === 'missing') return state.home ? t.missingHome : t.missing;
  return t[state.kind];
}

function On({ texts, setTexts }: { texts: boolean; setTexts(on: boolean): void }) {
  const t = text.value.push;
  const send = () =>
    void tryPush().then(
      () => toast({ id: 'push-test', words: t.tested, icon: 'check' }),
      () => toast({ id: 'push-test', words: t.failed, icon: 'alert', tone: 'warn' }),
    );
  return (
    <>
      <Switch label={t.texts} hint={t.textsText} checked={texts} onChange={setTexts} testid="push-texts" />
      <div class="button-row">
        <Button data-testid="push-test" onClick={send}>
          {t.test}
        </Button>
      </div>
    </>
  );
}
