// One person on the stage: picture or face, name, state, and what can be done about them.
import type { Signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Call } from '../../call/call';
import type { Slot, SlotView } from '../../call/connection';
import type { Participant } from '../../gateway/frames';
import * as settings from '../../settings';
import { text } from '../../text';
import { IconButton } from '../../ui/button';
import { Bars, Icon } from '../../ui/icons';
import { Item, Popup, Rule } from '../../ui/menu';
import { Avatar } from '../../ui/parts';
import { HostItems } from './person-menu';
import { pinned } from './state';

export type Place = 'grid' | 'main' | 'strip';

const PRIORITY: Record<Place, number> = { main: 3, grid: 2, strip: 1 };
const LATE_MS = 8000;
const LIMITED_MS = 3000; // a picture that is climbing anyway is not worth a sign
const STALE_MS = 1500; // a picture that comes although the server still waits is shown after this

export function Tile({ call, id, place, width, height }: {
  call: Call;
  id: string;
  place: Place;
  width?: number;
  height?: number;
}) {
  const person = call.people.get(id);
  return person ? <PersonTile call={call} person={person} place={place} width={width} height={height} /> : null;
}

function PersonTile({ call, person, place, width, height }: {
  call: Call;
  person: Signal<Participant>;
  place: Place;
  width: number | undefined;
  height: number | undefined;
}) {
  const t = text.value.tile;
  const root = useRef<HTMLElement>(null);
  const p = person.value;
  const self = p.id === call.self.value;
  const muted = self ? !call.microphoneOn.value : p.muted;
  const camera = self ? call.cameraOn.value : p.camera;
  const speaking = !muted && call.people.levelOf(p.id).value > 0;
  const quality = call.quality.value.get(p.id) ?? 'unknown';
  const limit = useLimit(self || !camera ? undefined : call.slotOf(p.id, 'camera')?.view);

  useLayoutEffect(() => {
    if (self || !camera || !root.current) return undefined;
    return call.view.add(root.current, { id: p.id, kind: 'camera' }, PRIORITY[place] + (pinned.value === p.id ? 2 : 0));
  }, [self, camera, p.id, place, pinned.value === p.id]);

  const states = [
    !self && !p.online && t.away,
    muted && t.muted,
    !camera && t.cameraOff,
    speaking && t.speaking,
    limit && t[limit],
    p.hand > 0 && t.handRaised,
  ].filter(Boolean);
  const shown = self ? text.value.common.selfSuffix(p.name) : p.name;

  return (
    <article
      ref={root}
      class={`tile ${place}`}
      data-testid={`tile-${p.id}`}
      data-speaking={speaking || undefined}
      data-away={(!self && !p.online) || undefined}
      aria-label={t.label(shown, states.join(', '))}
      style={width ? { width: `${width}px`, height: `${height}px` } : undefined}
    >
      <div class="tile-face">
        <Avatar name={p.name} seed={p.id} />
      </div>
      {camera && (self ? <SelfVideo call={call} /> : <RemoteVideo call={call} id={p.id} kind="camera" place={place} />)}
      <div class="tile-corner">
        {p.hand > 0 && (
          <span class="tile-badge hand">
            <Icon name="hand" size={16} />
            {place !== 'strip' && call.people.raised.value.length > 1 && call.people.raised.value.indexOf(p.id) + 1}
          </span>
        )}
        {limit && (
          <span class="tile-badge" title={t[limit]} data-testid={`limit-${limit}`}>
            <Icon name={limit === 'paused' ? 'pause' : 'lower'} size={16} />
            <span class="hidden-text">{t[limit]}</span>
          </span>
        )}
        {(quality === 'poor' || quality === 'fair') && (
          <span class="tile-badge" title={t.quality[quality]}>
            <Bars level={quality} />
            <span class="hidden-text">{t.quality[quality]}</span>
          </span>
        )}
      </div>
      <div class="tile-name">
        {muted && <Icon name="microphoneOff" size={15} />}
        {p.kind === 'phone' && <Icon name="phone" size={15} />}
        {p.kind === 'whip' && <Icon name="broadcast" size={15} />}
        <span class="ellipsis">{shown}</span>
      </div>
      {!self && !p.online && <p class="tile-caption">{t.away}</p>}
      <TileMenu call={call} p={p} root={root} self={self} />
    </article>
  );
}

/** What our own link takes away from this picture. */
function useLimit(view: SlotView | undefined): 'paused' | 'limited' | null {
  const [lasting, setLasting] = useState(false);
  const limited = view?.limited ?? false;
  useEffect(() => {
    setLasting(false);
    if (!limited) return undefined;
    const timer = setTimeout(() => setLasting(true), LIMITED_MS);
    return () => clearTimeout(timer);
  }, [limited]);
  if (view?.state === 'paused') return 'paused';
  return limited && lasting && view?.state === 'live' ? 'limited' : null;
}

function TileMenu({ call, p, root, self }: { call: Call; p: Participant; root: { current: HTMLElement | null }; self: boolean }) {
  const t = text.value.tile;
  const isPinned = pinned.value === p.id;
  return (
    <div class="tile-menu">
      <Popup
        label={t.actions(p.name)}
        trigger={(props) => (
          <IconButton {...props} class="tile-button" icon="more" small tip="none" label={t.actions(p.name)} />
        )}
      >
        {(close) => {
          const then = (run: () => void) => () => {
            close();
            run();
          };
          const video = root.current?.querySelector('video') ?? null;
          return (
            <>
              <Item icon={isPinned ? 'unpin' : 'pin'} testid="pin" onSelect={then(() => (pinned.value = isPinned ? null : p.id))}>
                {isPinned ? t.unpin : t.pin}
              </Item>
              {video && document.pictureInPictureEnabled && (
                <Item icon="pip" onSelect={then(() => void video.requestPictureInPicture().catch(() => undefined))}>
                  {t.pip}
                </Item>
              )}
              <Item icon="expand" onSelect={then(() => void root.current?.requestFullscreen?.().catch(() => undefined))}>
                {t.fullScreen}
              </Item>
              {(call.hosting.value || self) && <Rule />}
              <HostItems call={call} p={p} then={then} />
            </>
          );
        }}
      </Popup>
    </div>
  );
}

function SelfVideo({ call }: { call: Call }) {
  const ref = useRef<HTMLVideoElement>(null);
  const track = call.capture.camera.value;
  useEffect(() => {
    if (ref.current) ref.current.srcObject = track ? new MediaStream([track]) : null;
  }, [track]);
  if (!track) return null;
  return <video ref={ref} class={settings.mirror.value ? 'mirrored shown' : 'shown'} autoPlay playsInline muted />;
}

export function RemoteVideo({ call, id, kind, place, testid }: {
  call: Call;
  id: string;
  kind: 'camera' | 'screen';
  place: Place;
  testid?: string;
}) {
  const found = call.slotOf(id, kind);
  if (!found) return null;
  return <SlotVideo key={found.slot.mid} call={call} id={id} slot={found.slot} view={found.view} place={place} testid={testid} />;
}

function SlotVideo({ call, id, slot, view, place, testid }: {
  call: Call;
  id: string;
  slot: Slot;
  view: SlotView;
  place: Place;
  testid: string | undefined;
}) {
  const t = text.value.tile;
  const ref = useRef<HTMLVideoElement>(null);
  const [shown, setShown] = useState(false);
  const [late, setLate] = useState(false);
  const live = view.state === 'live';
  const paused = view.state === 'paused';

  useEffect(() => {
    const video = ref.current;
    if (!video) return undefined;
    video.srcObject = slot.stream;
    video.play().catch(() => undefined);
    return () => {
      video.srcObject = null;
    };
  }, [slot.stream]);

  // A slot shows the last picture of whoever was in it before: hidden until the new one's first.
  useEffect(() => {
    const video = ref.current;
    if (!video) return undefined;
    let frame = 0;
    const look = () => {
      const reveal = () => {
        setShown(true);
        call.mark('firstFrame');
      };
      if (video.requestVideoFrameCallback) frame = video.requestVideoFrameCallback(reveal);
      else reveal();
    };
    if (!live) setShown(false);
    const timer = live || paused ? null : setTimeout(look, STALE_MS);
    if (live) look();
    return () => {
      if (timer) clearTimeout(timer);
      if (frame) video.cancelVideoFrameCallback(frame);
    };
  }, [id, live, paused, slot.stream]);

  useEffect(() => {
    setLate(false);
    if (view.state !== 'waiting') return undefined;
    const timer = setTimeout(() => setLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, [id, view.state]);

  const caption =
    paused ? t.pausedLong : view.state === 'unsupported' ? t.unsupported : view.state === 'waiting' && late ? t.late : view.state === 'waiting' && !shown ? t.waiting : '';
  return (
    <>
      <video ref={ref} class={shown ? 'shown' : ''} autoPlay playsInline muted data-mid={slot.mid} data-testid={testid} />
      {caption && (place !== 'strip' || late) && (
        <p class="tile-caption" role={late ? 'status' : undefined}>
          {place === 'strip' ? '' : caption}
        </p>
      )}
    </>
  );
}
