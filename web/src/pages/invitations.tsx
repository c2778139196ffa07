// Of admins: inviting somebody to the server, and the links that wait until mail is configured.
import { useEffect, useState } from 'preact/hooks';
import { dropWaiting, handOver, invite, waiting, type Waiting } from '../account';
import { dateTime, language, text } from '../text';
import { Button } from '../ui/button';
import { Icon } from '../ui/icons';
import { Caption } from '../ui/parts';
import { Field, Form } from './sign_in';

export function Invitations() {
  const t = text.value.account;
  const [list, setList] = useState<Waiting[]>([]);
  const [mailed, setMailed] = useState(true);
  const [email, setEmail] = useState('');
  const [told, setTold] = useState('');
  const [link, setLink] = useState<{ email: string; url: string } | null>(null);
  const reload = () =>
    waiting().then(
      (answer) => {
        setList(answer.items);
        setMailed(answer.mailed);
      },
      () => undefined,
    );
  const show = (to: string, path: string) => setLink({ email: to, url: new URL(path, window.location.href).href });
  useEffect(() => void reload(), []);
  return (
    <>
      <Form
        action={t.invite}
        testid="invite"
        submit={async () => {
          setTold('');
          setLink(null);
          const made = await invite(email, language.value);
          if (made.link) show(made.email, made.link);
          else setTold(t.invited(made.email));
          setEmail('');
          await reload();
        }}
      >
        <h2>{t.invitations}</h2>
        <p class="quiet">{mailed ? t.invitationsLead : t.noMail}</p>
        <Field label={t.email} type="email" value={email} set={setEmail} complete="off" testid="invite-email" />
        {told && <Caption testid="invited">{told}</Caption>}
        {link && <HandOver email={link.email} url={link.url} />}
      </Form>
      {list.length > 0 && (
        <section class="card device-list" aria-label={t.invitations} data-testid="waiting">
          <ul>
            {list.map((one) => (
              <li key={one.id}>
                <Icon name="people" size={18} />
                <span class="device-words">
                  <strong class="ellipsis">{one.email}</strong>
                  <span class="quiet small ellipsis">
                    {t.waitingFor[one.kind]} · {t.until(dateTime(one.expires))}
                  </span>
                </span>
                {!mailed && (
                  <Button
                    size="small"
                    data-testid="hand-over"
                    onClick={() => void handOver(one.id).then((made) => show(one.email, made.link), reload)}
                  >
                    {t.handOver}
                  </Button>
                )}
                <Button size="small" onClick={() => void dropWaiting(one.id).then(reload, reload)}>
                  {t.drop}
                </Button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function HandOver({ email, url }: { email: string; url: string }) {
  const t = text.value.account;
  const [copied, setCopied] = useState(false);
  return (
    <label class="field">
      <span class="label">{t.linkFor(email)}</span>
      <input class="input large" readOnly value={url} data-testid="link" onFocus={(event) => event.currentTarget.select()} />
      <Button
        icon="link"
        onClick={() => void navigator.clipboard.writeText(url).then(() => setCopied(true), () => undefined)}
      >
        {copied ? t.copied : t.copyLink}
      </Button>
    </label>
  );
}
