import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { session, setup } from '../account';
import { createMeeting, HttpError, serverInfo } from '../api';
import { forgetMeeting, recent, saveHostToken } from '../call/kept';
import { go, meetingFrom, meetingPath } from '../route';
import { dateTime, text } from '../text';
import { Button, IconButton } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { Icon, Logo } from '../ui/icons';
import { Caption, PagePreferences, Switch } from '../ui/parts';
import { DrawerButton } from './spaces/shell';

const allowed = signal(true);

/** `inside`: the rail around it has the name, the account and the preferences. */
export function Home({ inside = false }: { inside?: boolean }) {
  const t = text.value.home;
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<'create' | 'denied' | null>(null);
  const [options, setOptions] = useState(false);

  useEffect(() => {
    document.title = 'Parley';
    serverInfo()
      .then((info) => (allowed.value = info.meetings.adhoc))
      .catch(() => undefined);
  }, [session.value]);

  const create = async (what: { title?: string; lobby?: boolean }) => {
    setBusy(true);
    setFailed(null);
    try {
      const { id, token } = await createMeeting(what);
      saveHostToken(id, token);
      go(meetingPath(id));
    } catch (error) {
      setFailed(error instanceof HttpError && error.status === 403 ? 'denied' : 'create');
      setOptions(false);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div class="page home">
      {inside ? (
        <header class="space-head narrow-head">
          <DrawerButton />
        </header>
      ) : (
        <header class="page-head">
          <span class="brand">
            <Logo /> Parley
          </span>
          <AccountLink />
          <PagePreferences />
        </header>
      )}
      <main class="home-main">
        <div class="home-intro">
          <h1>{t.title}</h1>
          <p class="lead">{t.lead}</p>
          {allowed.value ? (
            <div class="split-button">
              <Button
                variant="primary"
                size="large"
                icon="plus"
                busy={busy}
                disabled={busy}
                data-testid="new-meeting"
                onClick={() => void create({})}
              >
                {busy ? t.starting : t.start}
              </Button>
              <Button
                variant="primary"
                size="large"
                class="split-tail"
                icon="settings"
                disabled={busy}
                aria-label={t.startOptions}
                data-testid="new-meeting-options"
                onClick={() => setOptions(true)}
              />
            </div>
          ) : (
            <Caption>{t.notAllowed}</Caption>
          )}
          {failed && <Caption tone="danger">{failed === 'denied' ? t.notAllowed : t.createFailed}</Caption>}
        </div>
        <div class="home-side">
          <JoinForm />
          <Recent />
        </div>
      </main>
      {options && <OptionsDialog busy={busy} onClose={() => setOptions(false)} create={(what) => void create(what)} />}
    </div>
  );
}

/** Who is signed in, or the way to it. */
function AccountLink() {
  const t = text.value.account;
  const to = session.value ? '/account' : setup.value === 'here' ? '/setup' : '/sign-in';
  const words = session.value ? session.value.user.name : setup.value === 'here' ? t.setup : t.signIn;
  if (session.value === undefined) return null;
  return (
    <a
      class="account-link ellipsis"
      href={to}
      data-testid="account-link"
      onClick={(event) => {
        event.preventDefault();
        go(to);
      }}
    >
      {words}
    </a>
  );
}

function JoinForm() {
  const t = text.value.home;
  const [typed, setTyped] = useState('');
  const [bad, setBad] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const id = meetingFrom(typed);
    if (id) go(meetingPath(id));
    else setBad(true);
  };
  return (
    <form class="card join-form" onSubmit={submit} noValidate>
      <label class="field">
        <span class="label">{t.joinLabel}</span>
        <input
          class="input large"
          value={typed}
          placeholder={t.joinPlaceholder}
          autoComplete="off"
          spellcheck={false}
          aria-invalid={bad}
          aria-describedby={bad ? 'bad-code' : undefined}
          data-testid="join-code"
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setBad(false);
          }}
        />
      </label>
      <Button type="submit" size="large" data-testid="join-by-code" disabled={typed.trim() === ''}>
        {t.join}
      </Button>
      {bad && (
        <p class="field-error" id="bad-code" role="alert">
          {t.badCode}
        </p>
      )}
    </form>
  );
}

function Recent() {
  const t = text.value.home;
  if (recent.value.length === 0) return null;
  return (
    <section class="recent" aria-labelledby="recent-heading">
      <h2 id="recent-heading">{t.recent}</h2>
      <ul>
        {recent.value.slice(0, 5).map((entry) => (
          <li key={entry.id}>
            <a
              href={meetingPath(entry.id)}
              onClick={(event) => {
                if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                event.preventDefault();
                go(meetingPath(entry.id));
              }}
            >
              <span class="recent-icon">
                <Icon name="clock" size={18} />
              </span>
              <span class="recent-words">
                <strong class="ellipsis">{entry.title || t.untitled}</strong>
                <span class="quiet small ellipsis">{dateTime(entry.at)}</span>
              </span>
            </a>
            <IconButton
              icon="close"
              small
              iconSize={16}
              tip="none"
              label={t.recentForget(entry.title || t.untitled)}
              onClick={() => forgetMeeting(entry.id)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

function OptionsDialog({ busy, onClose, create }: {
  busy: boolean;
  onClose(): void;
  create(what: { title?: string; lobby?: boolean }): void;
}) {
  const t = text.value.home;
  const [title, setTitle] = useState('');
  const [lobby, setLobby] = useState(false);
  const submit = () => create({ ...(title.trim() ? { title: title.trim() } : {}), ...(lobby ? { lobby } : {}) });
  return (
    <Dialog
      title={t.startOptions}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{text.value.common.cancel}</Button>
          <Button variant="primary" busy={busy} disabled={busy} onClick={submit} data-testid="create-with-options">
            {t.create}
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <label class="field">
          <span class="label">{t.optionTitle}</span>
          <input
            class="input"
            maxLength={120}
            value={title}
            placeholder={t.optionTitlePlaceholder}
            data-testid="option-title"
            onInput={(event) => setTitle(event.currentTarget.value)}
          />
        </label>
      </form>
      <Switch label={t.optionLobby} checked={lobby} onChange={setLobby} testid="option-lobby" />
    </Dialog>
  );
}
