// The meeting: stage, controls, the panel at its side, and what lies over them.
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Call } from '../../call/call';
import { arrived } from '../../call/devices';
import { text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Icon, type IconName } from '../../ui/icons';
import { dismiss, toasts } from '../../ui/toast';
import { offerDevice } from '../notices';
import { ChatPanel } from '../chat/panel';
import { Controls } from './controls';
import { Overlays } from './dialogs';
import { PeoplePanel } from './people';
import { useShortcuts } from './shortcuts';
import { Stage } from './stage';
import { overlay, panel, resetMeetingState, togglePanel } from './state';

export function MeetingPage({ call }: { call: Call }) {
  const t = text.value.meeting;
  useShortcuts(call);
  useEffect(() => resetMeetingState, []);
  useSignalEffect(() => {
    const waiting = new Set(call.lobby.value.map((knock) => `knock-${knock.id}`));
    for (const { id } of toasts.peek()) if (id.startsWith('knock-') && !waiting.has(id)) dismiss(id);
  });
  useSignalEffect(() => {
    const news = arrived.value;
    if (!news) return;
    arrived.value = null;
    offerDevice(call, news.kind, news.device.id, news.device.label);
  });
  return (
    <div class="meeting" data-panel={panel.value ?? undefined} data-testid="meeting">
      <main class="stage" aria-label={t.stage}>
        <TopBar call={call} />
        <Banners call={call} />
        <Stage call={call} />
        <ReactionStream call={call} />
        <Controls call={call} />
      </main>
      {panel.value && <SidePanel call={call} />}
      <Overlays call={call} />
    </div>
  );
}

function TopBar({ call }: { call: Call }) {
  const t = text.value.meeting;
  const meeting = call.meeting.value;
  const waiting = call.hosting.value ? call.lobby.value.length : 0;
  return (
    <header class="top-bar">
      <h1 class="ellipsis">{meeting?.title || text.value.home.untitled}</h1>
      {meeting?.locked && (
        <span class="top-mark" title={t.locked}>
          <Icon name="lock" size={15} />
          <span class="hidden-text">{t.locked}</span>
        </span>
      )}
      <Elapsed since={call.joinedAt.value} />
      {waiting > 0 && (
        <button type="button" class="top-pill" data-testid="waiting-pill" aria-label={t.waitingPeople(waiting)} onClick={() => (panel.value = 'people')}>
          <Icon name="door" size={16} />
          <span class="wide-only">{t.waitingPeople(waiting)}</span>
          <span class="narrow-only" aria-hidden="true">
            {waiting}
          </span>
        </button>
      )}
      {call.polls.waiting.value && (
        <button type="button" class="top-pill" data-testid="poll-pill" aria-label={text.value.poll.opened} onClick={() => (overlay.value = 'polls')}>
          <Icon name="statistics" size={16} />
          <span class="wide-only">{text.value.poll.vote}</span>
        </button>
      )}
      <span class="top-count" title={t.people}>
        <Icon name="people" size={16} />
        <span class="numbers" data-testid="people-total">
          {call.people.count.value}
        </span>
        <span class="hidden-text">{t.people}</span>
      </span>
    </header>
  );
}

function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  return (
    <span class="top-time numbers" title={text.value.meeting.elapsed}>
      {hours > 0 ? `${hours}:` : ''}
      {two(Math.floor(seconds / 60) % 60)}:{two(seconds % 60)}
    </span>
  );
}

function Banners({ call }: { call: Call }) {
  const t = text.value.problem;
  const [tcpSeen, setTcpSeen] = useState(false);
  const away = call.link.value === 'away' || call.link.value === 'connecting';
  return (
    <div class="banners" aria-live="assertive">
      {!call.network.value ? (
        <Banner icon="offline" tone="danger" testid="reconnecting" words={t.offline} busy />
      ) : away ? (
        <Banner icon="offline" tone="danger" testid="reconnecting" words={t.away} busy />
      ) : call.media.value === 'blocked' ? (
        <Banner icon="alert" tone="danger" testid="banner-blocked" words={t.blocked} />
      ) : call.media.value === 'lost' ? (
        <Banner icon="alert" tone="warn" testid="reconnecting" words={t.mediaLost} busy />
      ) : null}
      {call.overTcp.value && !tcpSeen && (
        <Banner icon="info" tone="info" testid="banner-tcp" words={t.tcp} dismiss={() => setTcpSeen(true)} />
      )}
      {call.playback.blocked.value && (
        <Banner
          icon="volume"
          tone="info"
          testid="banner-play"
          words={t.play}
          action={
            <Button size="small" variant="primary" onClick={() => call.playback.play()}>
              {t.playAction}
            </Button>
          }
        />
      )}
    </div>
  );
}

function Banner({ icon, tone, words, testid, busy, action, dismiss }: {
  icon: IconName;
  tone: 'info' | 'warn' | 'danger';
  words: string;
  testid: string;
  busy?: boolean;
  action?: preact.ComponentChildren;
  dismiss?: () => void;
}) {
  return (
    <div class={`banner ${tone}`} data-testid={testid}>
      {busy ? <span class="spinner" /> : <Icon name={icon} size={18} />}
      <p>{words}</p>
      {action}
      {dismiss && <IconButton small icon="close" iconSize={16} tip="none" label={text.value.common.dismiss} onClick={dismiss} />}
    </div>
  );
}

function ReactionStream({ call }: { call: Call }) {
  return (
    <div class="reactions" role="status" aria-live="polite">
      {call.reactions.value.map(({ key, id, emoji }) => (
        <span key={key} class="reaction" style={{ '--drift': `${((key * 37) % 60) - 30}px`, left: `${(key % 4) * 3.4}rem` }}>
          <span class="emoji-glyph">{emoji}</span>
          <small class="ellipsis">{id === call.self.value ? text.value.common.you : call.people.nameOf(id)}</small>
        </span>
      ))}
    </div>
  );
}

function SidePanel({ call }: { call: Call }) {
  const t = text.value;
  const which = panel.value;
  const root = useRef<HTMLElement>(null);
  useEffect(() => {
    if (which === 'people') root.current?.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]')?.focus();
  }, [which]);
  const close = () => {
    const opener = which;
    panel.value = null;
    document.querySelector<HTMLElement>(`[data-testid="${opener}-toggle"]`)?.focus();
  };
  const tab = (name: 'people' | 'chat', label: string) => (
    <button
      type="button"
      role="tab"
      id={`tab-${name}`}
      aria-selected={which === name}
      aria-controls="side-panel"
      tabIndex={which === name ? 0 : -1}
      data-testid={`tab-${name}`}
      onClick={() => (panel.value = name)}
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') togglePanel(name === 'people' ? 'chat' : 'people');
      }}
    >
      {label}
      {name === 'chat' && which !== 'chat' && call.chat.unread.value > 0 && <span class="count">{call.chat.unread.value}</span>}
    </button>
  );
  return (
    <aside
      class="panel"
      ref={root}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <header class="panel-head">
        <div class="segments" role="tablist">
          {tab('people', t.people.heading)}
          {tab('chat', t.chat.heading)}
        </div>
        <IconButton icon="close" label={t.common.close} tip="none" onClick={close} data-testid="close-panel" />
      </header>
      <div class="panel-body" id="side-panel" role="tabpanel" aria-labelledby={`tab-${which}`}>
        {which === 'people' ? <PeoplePanel call={call} /> : <MeetingChat call={call} />}
      </div>
    </aside>
  );
}

/** In a space's meeting the chat is the space's, and the server says who one is in it. */
function MeetingChat({ call }: { call: Call }) {
  const place = call.chat.place.value;
  const seat = {
    self: place?.self ?? call.self.value,
    nameOf: (id: string) => call.people.nameOf(id) || call.chat.nameOf(id),
    writes: true,
    moderates: place?.moderates ?? call.hosting.value,
  };
  return <ChatPanel chat={call.chat} seat={seat} blank={text.value.chat.emptyText} />;
}
