import type { Call } from '../call/call';
import { text } from '../text';
import { Button } from '../ui/button';
import { Icon } from '../ui/icons';

export function Lobby({ call }: { call: Call }) {
  const t = text.value.lobby;
  return (
    <div class="page centre-page">
      <main class="message" data-testid="lobby">
        <span class="message-icon waiting">
          <Icon name="door" size={30} />
        </span>
        {call.meeting.value?.title && <p class="quiet">{call.meeting.value.title}</p>}
        <h1>{t.heading}</h1>
        <p class="quiet" role="status">
          {t.text}
        </p>
        {call.link.value === 'away' && <p class="field-error">{text.value.problem.away}</p>}
        <Button size="large" onClick={() => call.leave()} data-testid="leave-lobby">
          {t.leave}
        </Button>
      </main>
    </div>
  );
}
