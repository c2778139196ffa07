// Messages that are written later: when, and which wait.
import { useState } from 'preact/hooks';
import { mentionsIn } from '../../chat/mentions';
import type { OpenChat, OpenSpace } from '../../spaces/open';
import * as rest from '../../spaces/rest';
import { dateTime, text, zone } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { toast } from '../../ui/toast';
import { fromWallTime, wallTime } from '../../util/zone';
import { told } from './told';

const HOUR_MS = 3_600_000;

/** As a field of kind datetime-local has it: the person's clock, to the minute. */
const localTime = (ms: number): string => wallTime(ms, zone.value).slice(0, 16);

function Time({ value, label, testid, onInput }: { value: string; label: string; testid: string; onInput(value: string): void }) {
  return (
    <label class="field">
      <span class="label">{label}</span>
      <input class="input" type="datetime-local" value={value} min={localTime(Date.now() + 60_000)} required data-testid={testid} onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}

/** Of what stands in the composer; without words only the list. */
export function LaterDialog({ open, chat, onClose }: { open: OpenSpace; chat: OpenChat; onClose(): void }) {
  const t = text.value.chat;
  const words = chat.chat.written.value.trim();
  const [time, setTime] = useState(localTime(Math.ceil(Date.now() / HOUR_MS) * HOUR_MS));
  const waiting = open.scheduled.value;
  const put = async () => {
    const wish = {
      text: words,
      mentions: mentionsIn(words, open.named.peek()),
      send_at: fromWallTime(time, zone.peek()),
      ...(chat.thread ? { thread: chat.thread } : {}),
    };
    if (!(await told(rest.schedule(open.id, wish)))) return;
    chat.chat.written.value = '';
    toast({ id: 'scheduled', words: t.scheduledFor(dateTime(wish.send_at)), icon: 'clock' });
    onClose();
  };
  return (
    <Dialog
      title={words ? t.later : t.scheduled}
      onClose={onClose}
      testid="later-dialog"
      foot={
        words && (
          <Button variant="primary" type="submit" form="later-form" data-testid="schedule">
            {t.schedule}
          </Button>
        )
      }
    >
      {words && (
        <form
          id="later-form"
          onSubmit={(event) => {
            event.preventDefault();
            void put();
          }}
        >
          <Time value={time} label={t.when} testid="later-time" onInput={setTime} />
        </form>
      )}
      {waiting.length > 0 && (
        <section>
          {words && <h3>{t.scheduled}</h3>}
          <ul class="scheduled" aria-label={t.scheduled} data-testid="scheduled">
            {waiting.map((message) => (
              <Waiting key={message.id} open={open} message={message} />
            ))}
          </ul>
        </section>
      )}
      {waiting.length === 0 && !words && <p class="quiet">{t.nothingScheduled}</p>}
    </Dialog>
  );
}

function Waiting({ open, message }: { open: OpenSpace; message: rest.Scheduled }) {
  const t = text.value.chat;
  const [time, setTime] = useState<string | null>(null);
  const change = async () => {
    if (time && (await told(rest.changeScheduled(open.id, message.id, { send_at: fromWallTime(time, zone.peek()) })))) setTime(null);
    await open.loadScheduled();
  };
  return (
    <li>
      <span class="person-words grow">
        <small class={message.failed ? 'field-error' : 'quiet'}>{message.failed ? t.scheduleFailed : dateTime(message.send_at)}</small>
        <span class="scheduled-words">{message.text}</span>
        {time !== null && (
          <form
            class="line-form"
            onSubmit={(event) => {
              event.preventDefault();
              void change();
            }}
          >
            <Time value={time} label={t.when} testid="change-time" onInput={setTime} />
            <Button type="submit">{text.value.common.save}</Button>
          </form>
        )}
      </span>
      <IconButton small icon="clock" iconSize={17} tip="none" label={t.changeTime} onClick={() => setTime(time === null ? localTime(Math.max(message.send_at, Date.now() + HOUR_MS)) : null)} />
      <IconButton small icon="trash" iconSize={17} tip="none" label={t.unschedule} data-testid="unschedule" onClick={() => void told(rest.cancelScheduled(open.id, message.id)).then(() => open.loadScheduled())} />
    </li>
  );
}
