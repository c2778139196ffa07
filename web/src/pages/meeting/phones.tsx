// Telephones: how to call in, and calling others.
import { useRef, useState } from 'preact/hooks';
import type { Call } from '../../call/call';
import { Phones } from '../../call/phones';
import { CommandError, type Caller, type Dial, type DialIn } from '../../gateway/frames';
import { language, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { confirm, Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { toast } from '../../ui/toast';
import { countryOf, grouped, oneTap } from '../../util/numbers';
import { overlay } from './state';

const close = () => (overlay.value = null);

/** In plain words what becomes of a call; the SIP status says it to those who know it. */
export function dialWords(dial: Dial): string {
  const t = text.value.phone.states;
  const words = t[dial.state] ?? t.failed;
  return !Phones.going(dial) && dial.code >= 300 ? `${words} (SIP ${dial.code})` : words;
}

export function DialRow({ call, dial }: { call: Call; dial: Dial }) {
  const t = text.value.phone;
  const going = Phones.going(dial);
  const label = `${going ? t.hangUp : t.dismiss}: ${dial.name || dial.number}`;
  return (
    <>
      <span class={going ? 'dial-mark going' : 'dial-mark'}>
        <Icon name="phone" size={18} />
      </span>
      <span class="person-words grow">
        <span class="ellipsis">{dial.name || dial.number}</span>
        <small class={going ? 'quiet ellipsis' : 'warn-words ellipsis'} role="status" title={dialWords(dial)} data-testid="dial-state">
          {dialWords(dial)}
        </small>
      </span>
      <IconButton small icon="close" tip="none" label={label} data-testid="dial-cancel" onClick={() => call.phones.cancel(dial.id)} />
    </>
  );
}

/** To hosts: what the telephone company says of the caller's number (STIR/SHAKEN). */
export function Attested({ caller }: { caller: Caller | undefined }) {
  const t = text.value.phone;
  if (!caller?.attestation) return null;
  const words = t.attested[caller.attestation];
  const tone = caller.attestation === 'failed' ? 'attested bad' : caller.attestation === 'A' || caller.attestation === 'valid' ? 'attested good' : 'attested';
  return (
    <small class={tone} title={words.long} data-testid="attested">
      <span aria-hidden="true">{words.short}</span>
      <span class="hidden-text">{words.long}</span>
    </small>
  );
}

export function CallOut({ call }: { call: Call }) {
  const t = text.value.phone;
  const [number, setNumber] = useState('');
  const [name, setName] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const start = async () => {
    if (!number.trim() || busy) return;
    setBusy(true);
    try {
      await call.phones.dial(number.trim(), name.trim());
      close();
    } catch (error) {
      const code = error instanceof CommandError ? error.code : '';
      const known: Record<string, string> = t.refused;
      setProblem(known[code] ?? t.refused.other);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={t.callHeading}
      onClose={close}
      testid="call-out"
      foot={
        <>
          <Button onClick={close}>{text.value.common.cancel}</Button>
          <Button variant="primary" icon="phone" busy={busy} onClick={() => void start()} data-testid="dial-start">
            {t.call}
          </Button>
        </>
      }
    >
      <form
        ref={form}
        class="form-stack"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <label class="field">
          <span class="label">{t.number}</span>
          <input
            class="input"
            value={number}
            inputMode="tel"
            autoFocus
            maxLength={120}
            placeholder={t.numberExample}
            aria-invalid={problem !== '' || undefined}
            aria-describedby={problem ? 'dial-problem' : undefined}
            data-testid="dial-number"
            onInput={(event) => {
              setNumber(event.currentTarget.value);
              setProblem('');
            }}
          />
          {problem && (
            <span class="field-error" id="dial-problem" role="alert" data-testid="dial-problem">
              {problem}
            </span>
          )}
        </label>
        <label class="field">
          <span class="label">{t.name}</span>
          <input class="input" value={name} maxLength={40} data-testid="dial-name" onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <p class="quiet small-words">{t.callText}</p>
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}

/** "Germany · English": the number's country and the language of its menu. */
function whereOf({ number, language: spoken }: DialIn): string {
  const own = language.value;
  const named = spoken ? new Intl.DisplayNames([own], { type: 'language' }).of(spoken === 'zh-CN' ? 'zh' : spoken) : '';
  return [countryOf(number, own), named].filter(Boolean).join(' · ');
}

/** What one sends to somebody who will come by telephone. */
function invitation(call: Call): string {
  const t = text.peek().phone;
  const { pin, numbers } = call.phones.info.peek();
  const title = call.meeting.peek()?.title;
  const lines = numbers.map((one) => [whereOf(one), one.number].filter(Boolean).join(': '));
  return [...(title ? [title] : []), call.address(), '', t.byPhone, ...lines, `${t.pin}: ${grouped(pin)}#`, `${t.oneTap}: ${oneTap(numbers[0]?.number ?? '', pin)}`].join('\n');
}

async function copyInvitation(call: Call): Promise<void> {
  const t = text.peek().phone;
  try {
    await navigator.clipboard.writeText(invitation(call));
    toast({ id: 'link', words: t.copied, icon: 'check' });
  } catch {
    toast({ id: 'link', words: t.copyFailed, icon: 'alert', tone: 'warn' });
  }
}

async function choosePin(call: Call): Promise<void> {
  const t = text.peek().phone;
  const pin = await confirm({ title: t.choosePin, body: t.choosePinText, action: text.peek().common.save, input: { label: t.pin, value: '', max: 16 } });
  if (pin === null) return;
  try {
    await call.phones.choosePin(pin.replace(/\s/g, ''));
    toast({ id: 'pin', words: t.pinChosen, icon: 'check' });
  } catch (error) {
    const tries = error instanceof CommandError && error.code === 'pin_tries';
    toast({ id: 'pin', words: tries ? t.pinTries : t.pinRefused, icon: 'alert', tone: 'warn', ms: 8000 });
  }
}

export function DialIn({ call }: { call: Call }) {
  const t = text.value.phone;
  const { pin, numbers } = call.phones.info.value;
  return (
    <Dialog
      title={t.dialInHeading}
      onClose={close}
      testid="dial-in"
      foot={
        <>
          {call.hosting.value && (
            <Button icon="edit" data-testid="choose-pin" onClick={() => void choosePin(call)}>
              {t.changePin}
            </Button>
          )}
          <Button variant="primary" icon="copy" data-testid="copy-invitation" onClick={() => void copyInvitation(call)}>
            {t.copy}
          </Button>
        </>
      }
    >
      <p class="quiet">{t.dialInText}</p>
      <ul class="dial-numbers">
        {numbers.map((one) => (
          <li key={one.number}>
            <span class="person-words grow">
              <small class="quiet">{whereOf(one) || t.number}</small>
              <span class="numbers" data-testid="dial-in-number">
                {one.number}
              </span>
            </span>
            <a class="button small" href={oneTap(one.number, pin)} data-testid="one-tap" aria-label={`${t.oneTap}: ${one.number}`}>
              <Icon name="phone" size={16} />
              {t.oneTap}
            </a>
          </li>
        ))}
      </ul>
      <p class="dial-pin">
        <small class="quiet">{t.pin}</small>
        <strong class="numbers" data-testid="dial-in-pin">
          {grouped(pin)} #
        </strong>
      </p>
      <p class="quiet small-words">{t.keys}</p>
    </Dialog>
  );
}
