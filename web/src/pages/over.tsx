import { useEffect, useRef } from 'preact/hooks';
import type { OverReason } from '../call/call';
import { go } from '../route';
import { text } from '../text';
import { Button } from '../ui/button';
import { Icon, type IconName, Logo } from '../ui/icons';
import { PagePreferences } from '../ui/parts';

const icons: Partial<Record<OverReason, IconName>> = {
  left: 'leave',
  ended: 'check',
  removed: 'personOff',
  refused: 'door',
  elsewhere: 'copy',
  signed_out: 'lock',
  locked: 'lock',
  full: 'people',
  name: 'edit',
  lost: 'offline',
};

const RETURNABLE: ReadonlySet<OverReason> = new Set<OverReason>(['left', 'elsewhere', 'locked', 'full', 'name', 'signed_out', 'refused', 'lost']);

/** The call is over: why, and what can be done. */
export function Over({ reason, again }: { reason: OverReason; again(): void }) {
  const t = text.value.over;
  const known = reason in icons && reason !== 'not_found' ? (reason as Exclude<OverReason, 'not_found'>) : 'refused';
  return (
    <Message icon={icons[known] ?? 'info'} heading={t[known]} words={t[`${known}Text`]} reason={reason}>
      {RETURNABLE.has(reason) && (
        <Button variant="primary" size="large" onClick={again} data-testid="rejoin">
          {t.rejoin}
        </Button>
      )}
      <Button size="large" onClick={() => go('/')} data-testid="home">
        {t.home}
      </Button>
    </Message>
  );
}

export function Missing({ what }: { what: 'meeting' | 'page' }) {
  const t = text.value.missing;
  return (
    <Message icon="search" heading={t[what]} words={t[`${what}Text`]} reason={`missing-${what}`}>
      <Button variant="primary" size="large" onClick={() => go('/')} data-testid="home">
        {t.home}
      </Button>
    </Message>
  );
}

function Message({ icon, heading, words, reason, children }: {
  icon: IconName;
  heading: string;
  words: string;
  reason: string;
  children: preact.ComponentChildren;
}) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <div class="page centre-page">
      <header class="page-head">
        <a
          class="brand"
          href="/"
          onClick={(event) => {
            event.preventDefault();
            go('/');
          }}
        >
          <Logo /> Parley
        </a>
        <PagePreferences />
      </header>
      <main class="message" data-testid="ended-page" data-reason={reason}>
        <span class="message-icon">
          <Icon name={icon} size={30} />
        </span>
        <h1 ref={title} tabIndex={-1}>
          {heading}
        </h1>
        <p class="quiet">{words}</p>
        <div class="message-actions">{children}</div>
      </main>
    </div>
  );
}
