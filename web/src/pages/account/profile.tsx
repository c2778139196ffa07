// How others see one: picture, name; in which language and time zone one lives; do not disturb.
import { useRef, useState } from 'preact/hooks';
import type { User } from '../../account';
import { changeProfile, doNotDisturb, dropPicture, pictureUrl, setPicture } from '../../profile';
import { chooseLanguage, dateTime, type Language, languageName, languages, text, zone } from '../../text';
import { Button } from '../../ui/button';
import { Item, Popup } from '../../ui/menu';
import { Avatar, Caption } from '../../ui/parts';
import { isQuiet } from '../../util/quiet';
import { fromWallTime, wallTime } from '../../util/zone';
import { faultText, Field, Form } from '../sign_in';
import { Setting } from './security';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MORNING = '08:00';
const zones = Intl.supportedValuesOf('timeZone');

export function Profile({ user }: { user: User }) {
  const t = text.value.profile;
  const [name, setName] = useState(user.name);
  const [chosen, setChosen] = useState(user.language);
  const [place, setPlace] = useState(user.zone);
  const save = async () => {
    await changeProfile({ name, language: chosen, zone: place });
    if ((languages as string[]).includes(chosen)) chooseLanguage(chosen as Language);
  };
  return (
    <>
      <Picture user={user} />
      <Form action={text.value.common.save} submit={save} testid="save-name">
        <Field label={text.value.account.name} value={name} set={setName} complete="name" testid="name" />
        <Choice
          label={t.language} value={chosen} set={setChosen} testid="profile-language"
          options={languages.map((tag) => [tag, languageName(tag)])}
        />
        <Choice label={t.zone} value={place} set={setPlace} testid="zone" options={zones.map((id) => [id, id.replaceAll('_', ' ')])} />
      </Form>
      <Quiet user={user} />
    </>
  );
}

function Choice({ label, value, set, options, testid }: {
  label: string;
  value: string;
  set(value: string): void;
  options: string[][];
  testid: string;
}) {
  return (
    <label class="field">
      <span class="label">{label}</span>
      <select class="input large" value={value} data-testid={testid} onChange={(event) => set(event.currentTarget.value)}>
        <option value="">{text.value.profile.asBrowser}</option>
        {options.map(([id, words]) => (
          <option key={id} value={id}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

function Picture({ user }: { user: User }) {
  const t = text.value.profile;
  const input = useRef<HTMLInputElement>(null);
  const [fault, setFault] = useState<unknown>(null);
  const run = (change: Promise<void>) => {
    setFault(null);
    change.catch((error: unknown) => setFault(error));
  };
  return (
    <section class="card setting-list" aria-label={t.picture}>
      <div class="setting">
        <Avatar
          name={user.name} seed={user.id} class="large"
          {...(user.picture > 0 ? { picture: pictureUrl(user.id, user.picture) } : {})}
        />
        <span class="setting-words">
          <strong class="ellipsis">{user.name}</strong>
          <span class="quiet small">{t.pictureText}</span>
        </span>
      </div>
      <div class="button-row">
        <Button icon="upload" data-testid="picture-choose" onClick={() => input.current?.click()}>
          {t.choose}
        </Button>
        {user.picture > 0 && (
          <Button variant="ghost" data-testid="picture-drop" onClick={() => run(dropPicture())}>
            {t.dropPicture}
          </Button>
        )}
      </div>
      <input
        ref={input} type="file" accept="image/*" hidden data-testid="picture-file"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file) run(setPicture(file));
        }}
      />
      {fault !== null && <Caption tone="danger" testid="picture-fault">{faultText(fault)}</Caption>}
    </section>
  );
}

function Quiet({ user }: { user: User }) {
  const t = text.value.profile;
  const on = isQuiet(user.quiet_until);
  const until = (ms: number | null) => void doNotDisturb(ms).catch(() => undefined);
  const morning = () => fromWallTime(`${wallTime(Date.now() + DAY_MS, zone.peek()).slice(0, 10)}T${MORNING}`, zone.peek());
  return (
    <section class="card setting-list" aria-label={t.quiet}>
      <Setting icon="bellOff" title={t.quiet} words={on ? t.quietUntil(dateTime(user.quiet_until)) : t.quietText} testid="quiet">
        {on ? (
          <Button size="small" data-testid="quiet-off" onClick={() => until(null)}>
            {t.quietOff}
          </Button>
        ) : (
          <Popup
            label={t.quietFor}
            trigger={({ ref, ...props }) => (
              <button {...props} ref={ref} type="button" class="button secondary small" data-testid="quiet-on">
                {text.value.security.confirm}
              </button>
            )}
          >
            {(close) => (
              <>
                {[1, 2, 4, 8].map((hours) => (
                  <Item key={hours} testid={`quiet-${hours}`} onSelect={() => (close(), until(Date.now() + hours * HOUR_MS))}>
                    {t.quietHours(hours)}
                  </Item>
                ))}
                <Item testid="quiet-morning" onSelect={() => (close(), until(morning()))}>
                  {t.quietMorning}
                </Item>
              </>
            )}
          </Popup>
        )}
      </Setting>
    </section>
  );
}
