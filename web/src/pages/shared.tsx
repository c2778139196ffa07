// /l/{link}: what a link shows to whoever has it. Nothing here asks who is signed in.
import { useEffect, useState } from 'preact/hooks';
import { HttpError } from '../api';
import { inOrder } from '../spaces/files';
import { Shared, type SharedFile, type SharedMessage, type ShareView } from '../spaces/rest';
import { dateTime, fileSize, text } from '../text';
import { Button } from '../ui/button';
import { Icon, Logo } from '../ui/icons';
import { Avatar, Caption, PagePreferences } from '../ui/parts';
import { Blank } from './spaces/shell';
import { Preview } from './spaces/preview';
import { loadMarkdown, Words } from './chat/words';

type Found = { shared: Shared; view: ShareView };

export function SharedPage({ token }: { token: string }) {
  const t = text.value.shares;
  const [found, setFound] = useState<Found | 'locked' | 'gone' | 'away' | null>(null);
  const look = (shared: Shared) =>
    shared.look().then(
      (view) => {
        setFound({ shared, view });
        document.title = `${view.name || t.heading} · Parley`;
      },
      (error: unknown) => {
        const status = error instanceof HttpError ? error.status : 0;
        setFound(status === 401 ? 'locked' : status === 404 ? 'gone' : 'away');
      },
    );
  useEffect(() => void look(new Shared(token, '')), [token]);
  return (
    <div class="page shared" data-testid="shared">
      <header class="page-head">
        <a class="brand" href="/">
          <Logo /> Parley
        </a>
        <PagePreferences />
      </header>
      <main>
        {found === 'gone' && <Blank icon="link" heading={t.gone} words={t.goneText} />}
        {found === 'away' && (
          <Blank icon="alert" heading={t.away} words={t.awayText}>
            <Button onClick={() => void look(new Shared(token, ''))}>{text.value.common.retry}</Button>
          </Blank>
        )}
        {found === 'locked' && <Unlock shared={new Shared(token, '')} done={(shared) => void look(shared)} />}
        {found && typeof found === 'object' && <Contents {...found} />}
      </main>
    </div>
  );
}

function Unlock({ shared, done }: { shared: Shared; done(shared: Shared): void }) {
  const t = text.value.shares;
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || !password) return;
    setBusy(true);
    setFault('');
    try {
      done(await shared.unlocked(password));
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 0;
      setFault(status === 403 ? t.wrongPassword : status === 429 ? t.tooMany : t.awayText);
      setBusy(false);
    }
  };
  return (
    <form class="card form-card shared-lock" onSubmit={(event) => void submit(event)}>
      <h1>{t.locked}</h1>
      <p class="quiet">{t.lockedText}</p>
      <label class="field">
        <span class="label">{t.passwordAsked}</span>
        <input class="input" type="password" autoFocus autoComplete="off" value={password} aria-invalid={fault !== ''} data-testid="shared-password" onInput={(event) => setPassword(event.currentTarget.value)} />
      </label>
      {fault && (
        <Caption tone="danger" testid="shared-fault">
          {fault}
        </Caption>
      )}
      <Button variant="primary" type="submit" busy={busy} disabled={busy || !password} data-testid="shared-open">
        {t.open}
      </Button>
    </form>
  );
}

function Contents({ shared, view }: Found) {
  const t = text.value.shares;
  const [trail, setTrail] = useState<readonly SharedFile[]>([]);
  const [files, setFiles] = useState<readonly SharedFile[] | null>(null);
  const [shown, setShown] = useState<SharedFile | null>(null);
  const folder = trail.at(-1)?.id ?? null;
  useEffect(() => {
    setFiles(null);
    shared.files(folder).then(
      (items) => setFiles(inOrder(items)),
      () => setFiles([]),
    );
  }, [folder]);
  return (
    <>
      <div class="shared-head">
        <h1 data-testid="shared-name">{view.name || t.heading}</h1>
        <p class="quiet small">{t.until(dateTime(view.expires))}</p>
      </div>
      {trail.length > 0 && (
        <Button icon="left" onClick={() => setTrail(trail.slice(0, -1))}>
          {trail.at(-1)?.name ?? ''}
        </Button>
      )}
      <ul class="shared-files" data-testid="shared-files">
        {files?.map((file) => (
          <li key={file.id} class="file-row">
            <button
              type="button"
              class="file-open"
              data-testid={`shared-${file.name}`}
              onClick={() => (file.kind === 'folder' ? setTrail([...trail, file]) : setShown(file))}
            >
              <span class={file.kind === 'folder' ? 'file-icon folder' : 'file-icon'}>
                <Icon name={file.kind === 'folder' ? 'folder' : 'file'} size={20} />
              </span>
              <span class="person-words grow">
                <span class="ellipsis">{file.name}</span>
                <small class="quiet ellipsis">
                  {[file.kind === 'folder' ? '' : fileSize(file.size), dateTime(file.changed)].filter(Boolean).join(' · ')}
                </small>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {files?.length === 0 && !view.messages && <p class="quiet">{text.value.files.empty}</p>}
      {view.messages && <Messages shared={shared} />}
      {shown && <Preview file={{ ...shown, url: shared.contentUrl(shown.id) }} onClose={() => setShown(null)} />}
    </>
  );
}

function Messages({ shared }: { shared: Shared }) {
  const t = text.value.shares;
  const [messages, setMessages] = useState<readonly SharedMessage[]>([]);
  const [cursor, setCursor] = useState<string | undefined>('');
  const more = async () => {
    const page = await shared.messages(cursor || null);
    setMessages([...page.items.reverse(), ...messages]);
    setCursor(page.next_cursor);
  };
  useEffect(() => {
    loadMarkdown();
    more().catch(() => setCursor(undefined));
  }, []);
  return (
    <section class="shared-messages" aria-label={t.messages}>
      <h2>{t.messages}</h2>
      {cursor && <Button onClick={() => void more()}>{t.earlier}</Button>}
      <ol data-testid="shared-messages">
        {messages
          .filter(({ deleted }) => !deleted)
          .map((message) => (
            <li key={message.id}>
              <Avatar name={message.author} seed={message.author} />
              <div class="grow">
                <p>
                  <strong>{message.author}</strong> <small class="quiet">{dateTime(message.created)}</small>
                </p>
                <Words source={message.text} />
              </div>
            </li>
          ))}
      </ol>
    </section>
  );
}
