// Everybody in the meeting. Only the rows in sight exist, so five hundred cost what twenty do.
import { useMemo, useRef, useState } from 'preact/hooks';
import type { Call } from '../../call/call';
import type { Dial, Participant } from '../../gateway/frames';
import { text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Face } from '../../ui/face';
import { Icon } from '../../ui/icons';
import { Popup } from '../../ui/menu';
import { Avatar, Switch, useSize } from '../../ui/parts';
import { copyLink } from './actions';
import { HostItems } from './person-menu';
import { Attested, DialRow } from './phones';
import { overlay } from './state';
import { TextSetting } from './text-setting';

type Row =
  | { kind: 'heading'; key: string; words: string; action?: { words: string; run(): void; testid: string }; second?: { words: string; run(): void } }
  | { kind: 'knock'; key: string; id: string; name: string }
  | { kind: 'dial'; key: string; dial: Dial }
  | { kind: 'person'; key: string; id: string; order?: number };

const HEIGHT: Record<Row['kind'], number> = { heading: 40, knock: 52, dial: 52, person: 52 };
const SPARE = 6; // rows drawn beyond each edge
const SEARCH_FROM = 8;

export function PeoplePanel({ call }: { call: Call }) {
  const t = text.value.people;
  const [search, setSearch] = useState('');
  const rows = useRows(call, search);
  return (
    <>
      {call.people.count.value > SEARCH_FROM && (
        <div class="panel-search">
          <Icon name="search" size={16} />
          <input
            class="input"
            type="search"
            placeholder={t.search}
            aria-label={t.search}
            value={search}
            data-testid="people-search"
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </div>
      )}
      <Rows call={call} rows={rows} />
      <div class="panel-foot">
        <Button wide icon="link" onClick={() => void copyLink(call)} data-testid="invite">
          {text.value.meeting.invite}
        </Button>
        {call.phones.info.value.dial && (
          <Button wide icon="phone" onClick={() => (overlay.value = 'call-out')} data-testid="call-phone">
            {text.value.phone.callSomebody}
          </Button>
        )}
        {call.phones.reachable.value && (
          <Button wide variant="ghost" icon="info" onClick={() => (overlay.value = 'dial-in')} data-testid="show-dial-in">
            {text.value.phone.dialInHeading}
          </Button>
        )}
        {call.hosting.value && <MeetingSettings call={call} />}
      </div>
    </>
  );
}

function useRows(call: Call, search: string): Row[] {
  const t = text.value.people;
  const host = call.hosting.value;
  const ids = call.people.ids.value;
  const raised = call.people.raised.value;
  const lobby = call.lobby.value;
  const dials = call.phones.dials.value;
  const version = search ? call.people.version.value : 0;
  const self = call.self.value;
  return useMemo(() => {
    const rows: Row[] = [];
    const wanted = search.trim().toLocaleLowerCase();
    const matches = (id: string) =>
      !wanted || (call.people.peek(id)?.name.toLocaleLowerCase().includes(wanted) ?? false);
    if (host && lobby.length > 0 && !wanted) {
      rows.push({
        kind: 'heading',
        key: 'waiting',
        words: t.waiting(lobby.length),
        action: { words: t.admitAll, testid: 'admit-all', run: () => void call.ask('host.admit', { all: true }) },
        second: { words: t.refuseAll, run: () => void call.ask('host.refuse', { all: true }) },
      });
      for (const knock of lobby) rows.push({ kind: 'knock', key: `k${knock.id}`, id: knock.id, name: knock.name });
    }
    if (dials.length > 0 && !wanted) {
      rows.push({ kind: 'heading', key: 'dials', words: text.peek().phone.calling(dials.length) });
      for (const dial of dials) rows.push({ kind: 'dial', key: `d${dial.id}`, dial });
    }
    if (raised.length > 0 && !wanted) {
      rows.push({
        kind: 'heading',
        key: 'hands',
        words: t.hands(raised.length),
        ...(host
          ? { action: { words: t.lowerAll, testid: 'lower-all', run: () => void call.ask('host.lower_hand', { all: true }) } }
          : {}),
      });
      raised.forEach((id, i) => rows.push({ kind: 'person', key: `h${id}`, id, order: i + 1 }));
    }
    rows.push({
      kind: 'heading',
      key: 'all',
      words: t.inMeeting(ids.length),
      ...(host && ids.length > 1
        ? { action: { words: t.muteAll, testid: 'mute-all', run: () => void call.ask('host.mute', { all: true }) } }
        : {}),
    });
    const ordered = [...ids.filter((id) => id === self), ...ids.filter((id) => id !== self)];
    for (const id of ordered) if (matches(id)) rows.push({ kind: 'person', key: id, id });
    return rows;
  }, [t, host, ids, raised, lobby, dials, search, version, self]);
}

function Rows({ call, rows }: { call: Call; rows: Row[] }) {
  const [ref, size] = useSize<HTMLDivElement>();
  const [top, setTop] = useState(0);
  const frame = useRef(0);
  const offsets = useMemo(() => {
    let y = 0;
    return rows.map((row) => {
      const at = y;
      y += HEIGHT[row.kind];
      return at;
    });
  }, [rows]);
  const last = rows[rows.length - 1];
  const total = last ? (offsets[rows.length - 1] ?? 0) + HEIGHT[last.kind] : 0;
  const firstSeen = offsets.findIndex((y, i) => y + HEIGHT[(rows[i] as Row).kind] > top);
  const from = Math.max(0, firstSeen - SPARE);
  let to = from;
  while (to < rows.length && (offsets[to] ?? 0) < top + (size.height || 800) + SPARE * HEIGHT.person) to += 1;

  const scrolled = (event: Event) => {
    const y = (event.currentTarget as HTMLElement).scrollTop;
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => setTop(y));
  };
  return (
    <div class="people-scroll scroll" ref={ref} onScroll={scrolled} tabIndex={0} aria-label={text.value.people.heading} role="group">
      {rows.length <= 1 && <p class="panel-empty">{text.value.people.noMatch}</p>}
      <ul class="people-list" style={{ height: `${total}px` }} data-testid="people-list">
        {rows.slice(from, to).map((row, i) => (
          <li
            key={row.key}
            class={`people-row ${row.kind}`}
            style={{ transform: `translateY(${offsets[from + i] ?? 0}px)`, height: `${HEIGHT[row.kind]}px` }}
            aria-setsize={rows.length}
            aria-posinset={from + i + 1}
          >
            {row.kind === 'heading' ? (
              <Heading row={row} />
            ) : row.kind === 'knock' ? (
              <Knocking call={call} id={row.id} name={row.name} />
            ) : row.kind === 'dial' ? (
              <DialRow call={call} dial={row.dial} />
            ) : (
              <Person call={call} id={row.id} order={row.order} />
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Heading({ row }: { row: Extract<Row, { kind: 'heading' }> }) {
  return (
    <>
      <h2>{row.words}</h2>
      {row.second && (
        <Button variant="ghost" size="small" onClick={row.second.run}>
          {row.second.words}
        </Button>
      )}
      {row.action && (
        <Button variant="ghost" size="small" onClick={row.action.run} data-testid={row.action.testid}>
          {row.action.words}
        </Button>
      )}
    </>
  );
}

function Knocking({ call, id, name }: { call: Call; id: string; name: string }) {
  const t = text.value.people;
  return (
    <>
      <Avatar name={name} seed={id} />
      <span class="ellipsis grow">{name}</span>
      <IconButton small icon="close" tip="none" label={`${t.refuse}: ${name}`} data-testid="refuse" onClick={() => void call.ask('host.refuse', { id })} />
      <Button size="small" variant="primary" data-testid="admit" onClick={() => void call.ask('host.admit', { id })}>
        {t.admit}
      </Button>
    </>
  );
}

function Person({ call, id, order }: { call: Call; id: string; order: number | undefined }) {
  const person = call.people.get(id)?.value;
  if (!person) return null;
  return <PersonRow call={call} p={person} order={order} />;
}

function PersonRow({ call, p, order }: { call: Call; p: Participant; order: number | undefined }) {
  const t = text.value;
  const self = p.id === call.self.value;
  const muted = self ? !call.microphoneOn.value : p.muted;
  const speaking = !muted && call.people.levelOf(p.id).value > 0;
  const role = p.role === 'participant' ? '' : t.people[p.role];
  const caller = p.kind === 'phone' ? call.callers.value.get(p.id) : undefined;
  return (
    <>
      {p.account ? (
        <Face name={p.name} id={p.account} seed={p.id} class={speaking ? 'speaking' : ''} />
      ) : (
        <Avatar name={p.name} seed={p.id} class={speaking ? 'speaking' : ''} />
      )}
      <span class="person-words grow">
        <span class="ellipsis">{self ? t.common.selfSuffix(p.name) : p.name}</span>
        {(role || p.kind !== 'browser') && (
          <span class="person-kind">
            <small class="quiet ellipsis">
              {[role, p.kind === 'phone' ? caller?.number || t.tile.phone : p.kind === 'whip' ? t.tile.broadcast : ''].filter(Boolean).join(' · ')}
            </small>
            <Attested caller={caller} />
          </span>
        )}
      </span>
      <span class="person-states">
        {order !== undefined && <span class="badge accent">{order}</span>}
        {p.hand > 0 && order === undefined && <Icon name="hand" size={18} class="accent-icon" />}
        {p.screen && <Icon name="screen" size={18} class="accent-icon" />}
        <Icon name={muted ? 'microphoneOff' : 'microphone'} size={18} class={muted ? 'faint' : ''} />
        <span class="hidden-text">
          {[muted ? t.tile.muted : speaking ? t.tile.speaking : '', p.hand > 0 ? t.tile.handRaised : ''].filter(Boolean).join(', ')}
        </span>
      </span>
      {(call.hosting.value || self) && (
        <Popup
          label={t.people.menu(p.name)}
          trigger={(props) => <IconButton {...props} small icon="more" tip="none" label={t.people.menu(p.name)} data-testid={`manage-${p.id}`} />}
        >
          {(close) => (
            <HostItems
              call={call}
              p={p}
              then={(run) => () => {
                close();
                run();
              }}
            />
          )}
        </Popup>
      )}
    </>
  );
}

function MeetingSettings({ call }: { call: Call }) {
  const t = text.value.people;
  const meeting = call.meeting.value;
  if (!meeting) return null;
  return (
    <details class="meeting-settings">
      <summary data-testid="meeting-settings">
        <Icon name="settings" size={18} />
        {t.meetingSettings}
        <Icon name="down" size={16} class="turn" />
      </summary>
      <TextSetting label={t.title} value={meeting.title ?? ''} max={200} onChange={(title) => void call.ask('host.set', { title })} />
      <Switch
        label={t.lobby}
        hint={t.lobbyText}
        checked={meeting.lobby}
        testid="set-lobby"
        onChange={(lobby) => void call.ask('host.set', { lobby })}
      />
      <Switch
        label={t.lock}
        hint={t.lockText}
        checked={meeting.locked}
        testid="set-locked"
        onChange={(locked) => void call.ask('host.set', { locked })}
      />
    </details>
  );
}
