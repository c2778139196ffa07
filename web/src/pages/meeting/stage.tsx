// The pictures: a grid of pages, or one large beside a strip of others.
import { useComputed } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { fitGrid, follow, promote } from '../../call/arrange';
import type { Call } from '../../call/call';
import { hideSelf, layout } from '../../settings';
import { text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Icon } from '../../ui/icons';
import { useSize } from '../../ui/parts';
import { copyLink } from './actions';
import { actualSize, page, pinned } from './state';
import { RemoteVideo, Tile } from './tile';

const GAP = 8;
const PLACES = 9;
const PLACES_NARROW = 6;
const NARROW = 560; // px
const STRIP_BESIDE = 900; // px: wide enough for the strip at the side
const STRIP_WIDTH = 208;
const STRIP_HEIGHT = 108;
const STRIP_HEIGHT_NARROW = 78;
const PAGER = 48; // px kept for the pager of a strip
const RECENT_MS = 20_000;

/** Everybody in their places; whoever speaks or shows a picture is brought to the first page. */
function useOrder(call: Call, places: number): string[] {
  const before = useRef<string[]>([]);
  const order = useComputed(() => {
    const self = call.self.value;
    void call.people.version.value;
    const speaking = call.people.speaking.value;
    const ids = call.people.ids.value;
    const shown = hideSelf.value && ids.length > 1 ? ids.filter((id) => id !== self) : ids;
    return { self, speaking, shown };
  }).value;
  const now = performance.now();
  const rank = (id: string): number => {
    if (id === order.self) return 100;
    if (order.speaking.includes(id)) return 3;
    const spoke = call.people.spokeAt(id);
    const recent = spoke > 0 && now - spoke < RECENT_MS ? 2 : 0;
    return recent + (call.people.peek(id)?.camera ? 1 : 0);
  };
  const next = promote(follow(before.current, order.shown), places, rank);
  before.current = next;
  return next;
}

export function Stage({ call }: { call: Call }) {
  const [ref, size] = useSize<HTMLDivElement>();
  const places = size.width < NARROW ? PLACES_NARROW : PLACES;
  const order = useOrder(call, places);
  const presenter = call.people.presenter.value;
  // At the word that somebody presents, before their picture: the wish for it leaves at once.
  const sharing = presenter !== null && call.people.ids.value.includes(presenter);
  const focus = pinned.value !== null && order.includes(pinned.value) ? pinned.value : null;
  return (
    <div class="stage-area" ref={ref}>
      {size.width > 0 &&
        (sharing && focus === null ? (
          <Focus call={call} order={order} size={size} screen={presenter} main={null} />
        ) : focus !== null || layout.value === 'speaker' ? (
          <Focus call={call} order={order} size={size} screen={null} main={focus} />
        ) : (
          <Grid call={call} order={order} size={size} places={places} />
        ))}
    </div>
  );
}

interface Size {
  width: number;
  height: number;
}

function Grid({ call, order, size, places }: { call: Call; order: string[]; size: Size; places: number }) {
  const pages = Math.max(1, Math.ceil(order.length / places));
  const at = Math.min(page.value, pages - 1);
  useLayoutEffect(() => {
    if (page.peek() !== at) page.value = at;
  }, [at]);
  const shown = order.slice(at * places, (at + 1) * places);
  const alone = order.length === 1 && order[0] === call.self.value;
  const upright = size.height > size.width;
  const grid = fitGrid(shown.length + (alone ? 1 : 0), size.width, size.height, GAP, {
    narrowest: upright ? 0.8 : 4 / 3,
    widest: 16 / 9,
  });
  return (
    <>
      <div class="grid" style={{ width: `${grid.columns * grid.width + (grid.columns - 1) * GAP}px`, gap: `${GAP}px` }}>
        {shown.map((id) => (
          <Tile key={id} call={call} id={id} place="grid" width={grid.width} height={grid.height} />
        ))}
        {alone && <Invite call={call} width={grid.width} height={grid.height} />}
      </div>
      {pages > 1 && <Pager at={at} pages={pages} />}
    </>
  );
}

export function Pager({ at, pages }: { at: number; pages: number }) {
  const t = text.value.meeting;
  return (
    <nav class="pager" aria-label={t.page(at + 1, pages)}>
      <IconButton icon="left" label={t.previousPage} tip="none" disabled={at === 0} data-testid="page-previous" onClick={() => (page.value = at - 1)} />
      <span class="numbers" aria-live="polite">
        {at + 1} / {pages}
      </span>
      <IconButton icon="right" label={t.nextPage} tip="none" disabled={at === pages - 1} data-testid="page-next" onClick={() => (page.value = at + 1)} />
    </nav>
  );
}

function Invite({ call, width, height }: { call: Call; width: number; height: number }) {
  const t = text.value.meeting;
  const link = call.address();
  return (
    <div class="invite" style={{ width: `${width}px`, height: `${height}px` }}>
      <h2>{t.alone}</h2>
      <p>{t.aloneText}</p>
      <p class="invite-link">{link.replace(/^https?:\/\//, '')}</p>
      <Button variant="primary" icon="copy" data-testid="copy-link" onClick={() => void copyLink(call)}>
        {t.copyLink}
      </Button>
    </div>
  );
}

/** One large, the others in a strip beside or below it. */
function Focus({ call, order, size, screen, main }: {
  call: Call;
  order: string[];
  size: Size;
  screen: string | null;
  main: string | null;
}) {
  const self = call.self.value;
  const last = useRef<string | null>(null);
  let large = main;
  if (screen === null && large === null) {
    const loud = call.people.speaking.value.find((id) => id !== self && order.includes(id));
    if (loud) last.current = loud;
    if (last.current !== null && !order.includes(last.current)) last.current = null;
    large = last.current ?? order.find((id) => id !== self) ?? order[0] ?? null;
  }
  const others = order.filter((id) => id !== large);
  const beside = size.width >= STRIP_BESIDE;
  const each = GAP + (beside ? (STRIP_WIDTH * 9) / 16 : ((size.width < NARROW ? STRIP_HEIGHT_NARROW : STRIP_HEIGHT) * 4) / 3);
  const length = (beside ? size.height : size.width) + GAP;
  const all = others.length * each <= length;
  const places = Math.max(2, Math.min(8, Math.floor((all ? length : length - PAGER) / each)));
  const pages = Math.max(1, Math.ceil(others.length / places));
  const at = Math.min(page.value, pages - 1);
  useLayoutEffect(() => {
    if (page.peek() !== at) page.value = at;
  }, [at]);
  const strip = others.slice(at * places, (at + 1) * places);
  return (
    <div class={beside ? 'focus beside' : 'focus below'}>
      <div class="focus-main">
        {screen !== null ? (
          <Screen call={call} id={screen} />
        ) : (
          large !== null && <Tile key={large} call={call} id={large} place="main" />
        )}
      </div>
      {strip.length > 0 && (
        <div class="strip">
          {strip.map((id) => (
            <Tile key={id} call={call} id={id} place="strip" />
          ))}
          {pages > 1 && <Pager at={at} pages={pages} />}
        </div>
      )}
    </div>
  );
}

function Screen({ call, id }: { call: Call; id: string }) {
  const t = text.value.screen;
  const root = useRef<HTMLDivElement>(null);
  const self = id === call.self.value;
  const name = call.people.nameOf(id);
  useLayoutEffect(() => {
    if (self || !root.current) return undefined;
    return call.view.add(root.current, { id, kind: 'screen' }, 4);
  }, [self, id]);
  if (self)
    return (
      <div class="screen own" data-testid="own-screen">
        <OwnScreen call={call} />
        <div class="own-screen-words">
          <Icon name="screen" size={32} />
          <h2>{t.youPresent}</h2>
          <p>{t.youPresentText}</p>
          <Button variant="danger" icon="screenOff" data-testid="stop-share" onClick={() => call.stopShare()}>
            {t.stop}
          </Button>
        </div>
      </div>
    );
  return (
    <div ref={root} class={actualSize.value ? 'screen actual' : 'screen'} data-testid="screen" aria-label={t.presenting(name)} role="region">
      <div class="screen-scroll" tabIndex={actualSize.value ? 0 : undefined}>
        <RemoteVideo call={call} id={id} kind="screen" place="main" testid="screen-video" />
      </div>
      <div class="screen-tools">
        <span class="screen-name ellipsis">{t.presenting(name)}</span>
        <Button size="small" class="on-stage" onClick={() => (actualSize.value = !actualSize.value)} data-testid="actual-size">
          {actualSize.value ? t.fit : t.actualSize}
        </Button>
        <IconButton
          class="on-stage"
          small
          icon="expand"
          tip="none"
          label={text.value.tile.fullScreen}
          onClick={() => void root.current?.requestFullscreen?.().catch(() => undefined)}
        />
      </div>
    </div>
  );
}

function OwnScreen({ call }: { call: Call }) {
  const ref = useRef<HTMLVideoElement>(null);
  const stream = call.screen.value;
  useLayoutEffect(() => {
    if (ref.current) ref.current.srcObject = stream && new MediaStream(stream.getVideoTracks());
  }, [stream]);
  return <video ref={ref} autoPlay playsInline muted />;
}
