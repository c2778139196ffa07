// Polls: a host asks, everybody chooses, all see how it stands.
import { useState } from 'preact/hooks';
import type { Call } from '../../call/call';
import type { Poll } from '../../gateway/frames';
import { text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { Switch } from '../../ui/parts';
import { toast } from '../../ui/toast';
import { overlay } from './state';

const ANSWERS_MAX = 10;
const close = () => (overlay.value = null);

async function told(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch {
    toast({ id: 'poll', words: text.peek().poll.failed, icon: 'alert', tone: 'warn' });
    return false;
  }
}

interface Draft {
  question: string;
  options: string[];
  anonymous: boolean;
}

const BLANK: Draft = { question: '', options: ['', ''], anonymous: true };

/** One dialog for all of it: where another took its place, closing the first would close both. */
export function Polls({ call }: { call: Call }) {
  const t = text.value.poll;
  const polls = call.polls.all.value;
  const [draft, setDraft] = useState<Draft | null>(null);
  const [busy, setBusy] = useState(false);
  const mayMake = call.hosting.value && !call.polls.open.value;
  const making = mayMake ? draft : null;
  const answers = (making?.options ?? []).map((option) => option.trim()).filter(Boolean);
  const ready = (making?.question.trim() ?? '') !== '' && answers.length >= 2;
  const start = async () => {
    if (!making || !ready || busy) return;
    setBusy(true);
    if (await told(call.polls.start(making.question.trim(), answers, making.anonymous))) setDraft(null);
    setBusy(false);
  };
  return (
    <Dialog
      title={making ? t.make : t.heading}
      onClose={close}
      testid="polls"
      foot={
        making ? (
          <>
            <Button onClick={() => setDraft(null)}>{text.value.common.cancel}</Button>
            <Button variant="primary" disabled={!ready} busy={busy} data-testid="poll-start" onClick={() => void start()}>
              {t.start}
            </Button>
          </>
        ) : (
          mayMake && (
            <Button variant="primary" icon="plus" data-testid="poll-new" onClick={() => setDraft(BLANK)}>
              {t.make}
            </Button>
          )
        )
      }
    >
      {making ? (
        <PollForm draft={making} change={setDraft} />
      ) : (
        <>
          {polls.length === 0 && <p class="quiet">{call.hosting.value ? t.emptyHost : t.empty}</p>}
          {polls.map((poll) => (
            <OnePoll key={poll.id} call={call} poll={poll} />
          ))}
        </>
      )}
    </Dialog>
  );
}

function OnePoll({ call, poll }: { call: Call; poll: Poll }) {
  const t = text.value.poll;
  const votes = poll.options.reduce((sum, option) => sum + option.votes, 0);
  const namesOf = (choice: number) =>
    (poll.voters ?? [])
      .filter((voter) => voter.choice === choice)
      .map((voter) => call.people.nameOf(voter.participant) || text.value.notice.someone)
      .join(', ');
  return (
    <section class="poll" data-testid="poll" data-open={poll.open || undefined}>
      <header>
        <h3>{poll.question}</h3>
        <p class="quiet small-words">
          {[poll.open ? t.open : t.closed, t.votes(votes), poll.anonymous ? t.anonymous : t.named].join(' · ')}
        </p>
      </header>
      <ul role={poll.open ? 'radiogroup' : undefined} aria-label={poll.question}>
        {poll.options.map((option, i) => {
          const share = votes > 0 ? option.votes / votes : 0;
          const mine = poll.mine === i + 1;
          const inner = (
            <>
              <i class="poll-bar" style={{ transform: `scaleX(${share.toFixed(3)})` }} aria-hidden="true" />
              <span class="poll-mark">{mine && <Icon name="check" size={16} />}</span>
              <span class="grow">{option.text}</span>
              <span class="numbers" data-testid="poll-votes">
                {t.share(option.votes, Math.round(share * 100))}
              </span>
            </>
          );
          return (
            <li key={i} role={poll.open ? 'presentation' : undefined}>
              {poll.open ? (
                <button
                  type="button"
                  role="radio"
                  aria-checked={mine}
                  class="poll-option"
                  data-testid="poll-option"
                  onClick={() => void told(call.polls.vote(poll, i + 1))}
                >
                  {inner}
                </button>
              ) : (
                <div class="poll-option" data-testid="poll-option">
                  {inner}
                </div>
              )}
              {!poll.anonymous && call.hosting.value && namesOf(i + 1) && <small class="quiet">{namesOf(i + 1)}</small>}
            </li>
          );
        })}
      </ul>
      {poll.open && call.hosting.value && (
        <Button size="small" data-testid="poll-close" onClick={() => void told(call.polls.close(poll))}>
          {t.close}
        </Button>
      )}
    </section>
  );
}

function PollForm({ draft, change }: { draft: Draft; change(draft: Draft): void }) {
  const t = text.value.poll;
  const { question, options, anonymous } = draft;
  const set = (at: number, value: string) => change({ ...draft, options: options.map((option, i) => (i === at ? value : option)) });
  return (
    <div class="form-stack">
      <label class="field">
        <span class="label">{t.question}</span>
        <input
          class="input"
          value={question}
          maxLength={140}
          autoFocus
          data-testid="poll-question"
          onInput={(event) => change({ ...draft, question: event.currentTarget.value })}
        />
      </label>
      {options.map((option, i) => (
        <div class="poll-line" key={i}>
          <input
            class="input grow"
            value={option}
            maxLength={60}
            placeholder={t.answer(i + 1)}
            aria-label={t.answer(i + 1)}
            data-testid="poll-answer"
            onInput={(event) => set(i, event.currentTarget.value)}
          />
          {options.length > 2 && (
            <IconButton
              small
              icon="close"
              tip="none"
              label={t.removeAnswer(i + 1)}
              onClick={() => change({ ...draft, options: options.filter((_, at) => at !== i) })}
            />
          )}
        </div>
      ))}
      {options.length < ANSWERS_MAX && (
        <Button variant="ghost" size="small" icon="plus" data-testid="poll-more" onClick={() => change({ ...draft, options: [...options, ''] })}>
          {t.addAnswer}
        </Button>
      )}
      <Switch
        label={t.anonymousSwitch}
        hint={t.anonymousText}
        checked={anonymous}
        testid="poll-anonymous"
        onChange={(on) => change({ ...draft, anonymous: on })}
      />
    </div>
  );
}
