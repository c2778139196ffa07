/*
 * One RTCPeerConnection with the one offer of the call (docs/design.md, "One join"): what we
 * send first, then the slots we receive on. Nothing is renegotiated but ICE; who is in a slot
 * is a message.
 */
import { batch, signal } from '@preact/signals';
import type { Commands, Dispatches, SlotKind, SlotState, SourceKind } from '../gateway/frames';
import { activeLayers, cameraLayers, screenEncoding, withStartBitrate } from './encodings';

export type LocalSource = 'microphone' | 'camera' | 'screen' | 'screen_audio';

export interface Slot {
  mid: string;
  kind: SlotKind;
  index: number;
  track: MediaStreamTrack;
  stream: MediaStream;
  receiver: RTCRtpReceiver;
}

export interface SlotView {
  source: { id: string; kind: SourceKind } | null;
  state: SlotState;
  layer: number;
  /** Our link bears less than what was asked for. */
  limited: boolean;
  /** When the state was last entered, by performance.now(). */
  since: number;
}

type Offer = Commands['media.offer'];

export interface ConnectionEvents {
  offer(d: Offer[0]): Promise<Offer[1]>;
  state(state: RTCPeerConnectionState): void;
  /** The slots are known and their tracks can be played. */
  slots(slots: readonly Slot[]): void;
}

const RESTART_AFTER_MS = 1200; // "disconnected" often heals by itself
const RESTART_PATIENCE_MS = 6000;

export class Connection {
  readonly pc: RTCPeerConnection;
  readonly slots = new Map<string, Slot>();
  readonly views = signal<ReadonlyMap<string, SlotView>>(new Map());
  answered = false;
  private readonly senders: Record<LocalSource, RTCRtpTransceiver>;
  private readonly receivers: RTCRtpTransceiver[] = [];
  private queue: Promise<void>;
  private closed = false;
  private cameraHeight = 720;
  private watched: ReadonlySet<string> | null = null; // rids; null: not told yet
  private screenWanted = true;
  private restartTimer: ReturnType<typeof setTimeout> | null = null;
  private latestSlots: Dispatches['slots'] | null = null;

  constructor(
    readonly voices: number,
    readonly tiles: number,
    private readonly events: ConnectionEvents,
    private readonly dead: () => void,
  ) {
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
    this.senders = {
      microphone: this.pc.addTransceiver('audio', { direction: 'sendonly' }),
      camera: this.pc.addTransceiver('video', {
        direction: 'sendonly',
        sendEncodings: cameraLayers(720),
      }),
      screen: this.pc.addTransceiver('video', {
        direction: 'sendonly',
        sendEncodings: [screenEncoding()],
      }),
      screen_audio: this.pc.addTransceiver('audio', { direction: 'sendonly' }),
    };
    const receive = (kind: 'audio' | 'video', count: number) => {
      for (let i = 0; i < count; i += 1)
        this.receivers.push(this.pc.addTransceiver(kind, { direction: 'recvonly' }));
    };
    receive('audio', voices + 1);
    receive('video', tiles + 1);
    this.pc.onconnectionstatechange = () => this.changed();
    // Made before anybody asks for it, so that a click on Join finds it ready.
    this.queue = this.pc
      .createOffer()
      .then((offer) => this.pc.setLocalDescription(offer))
      .catch(() => this.fail());
  }

  /** Sends the offer and takes the answer. Rejects with CommandError when the server refuses. */
  negotiate(): Promise<void> {
    return this.enqueue(() => this.exchange());
  }

  /** New ICE credentials on the same connection: a new path for the same media. */
  restart(): Promise<void> {
    if (this.restartTimer) clearTimeout(this.restartTimer);
    this.restartTimer = setTimeout(() => {
      this.restartTimer = null;
      if (this.pc.connectionState !== 'connected') this.fail();
    }, RESTART_PATIENCE_MS);
    return this.enqueue(async () => {
      if (!this.answered) return;
      const offer = await this.pc.createOffer({ iceRestart: true });
      await this.pc.setLocalDescription(offer);
      await this.exchange();
    });
  }

  get healthy(): boolean {
    return this.pc.connectionState === 'connected';
  }

  async setTrack(source: LocalSource, track: MediaStreamTrack | null): Promise<void> {
    if (this.closed) return;
    await this.senders[source].sender.replaceTrack(track).catch(() => undefined);
    if (source === 'camera' && track) {
      this.cameraHeight = track.getSettings().height ?? 720;
      await this.applyCamera();
    }
    if (source === 'screen' && track) await this.applyScreen();
  }

  sender(source: LocalSource): RTCRtpSender {
    return this.senders[source].sender;
  }

  /** What somebody watches; the rest is not encoded. */
  setLayers(d: Dispatches['layers']): void {
    // Without simulcast there are no rids to name.
    this.watched = d.camera && d.active.length === 0 ? null : new Set(d.active);
    this.screenWanted = d.screen;
    void this.applyCamera();
    void this.applyScreen();
  }

  /** A share begins: somebody will watch it before the server has counted. */
  expectScreen(): void {
    this.screenWanted = true;
  }

  applySlots(d: Dispatches['slots']): void {
    this.latestSlots = d;
    const now = performance.now();
    const next = new Map(this.views.value);
    for (const entry of d.slots) {
      const { mid } = entry;
      const before = next.get(mid);
      const { id, kind } = entry.source ?? {};
      const source = id && kind ? { id, kind } : null;
      const same = source && before?.source?.id === source.id && before.source.kind === source.kind;
      if (same) continue;
      next.set(mid, {
        source,
        state: source ? 'waiting' : 'empty',
        layer: -1,
        limited: false,
        since: now,
      });
    }
    this.views.value = next;
  }

  applySlot(d: Dispatches['slot']): void {
    const before = this.views.value.get(d.mid);
    const next = new Map(this.views.value);
    next.set(d.mid, {
      source: before?.source ?? null,
      state: d.state,
      layer: d.layer,
      limited: d.reason === 'link',
      since: before?.state === d.state ? before.since : performance.now(),
    });
    this.views.value = next;
  }

  /** The slot that carries this source now. */
  slotOf(id: string, kind: SourceKind): Slot | null {
    for (const [mid, view] of this.views.value) {
      if (view.source?.id === id && view.source.kind === kind) return this.slots.get(mid) ?? null;
    }
    return null;
  }

  close(): void {
    this.closed = true;
    if (this.restartTimer) clearTimeout(this.restartTimer);
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }

  private enqueue(step: () => Promise<void>): Promise<void> {
    const run = this.queue.then(() => (this.closed ? undefined : step()));
    this.queue = run.catch(() => undefined);
    return run;
  }

  private async exchange(): Promise<void> {
    const sdp = this.pc.localDescription?.sdp;
    if (!sdp) throw new Error('no offer');
    const tracks = (Object.keys(this.senders) as LocalSource[]).flatMap((source) => {
      const mid = this.senders[source].mid;
      return mid === null ? [] : [{ mid, source }];
    });
    const answer = await this.events.offer({ sdp, tracks });
    if (this.closed) return;
    await this.pc.setRemoteDescription({ type: 'answer', sdp: withStartBitrate(answer.sdp) });
    this.answered = true;
    if (this.slots.size === 0) this.learnSlots(answer.slots);
    // Parameters set before the first answer are lost in some browsers.
    await Promise.all([this.applyCamera(), this.applyScreen()]);
  }

  private learnSlots(known: Offer[1]['slots']): void {
    const byMid = new Map(this.receivers.map((transceiver) => [transceiver.mid, transceiver]));
    for (const { mid, kind, index } of known) {
      const receiver = byMid.get(mid)?.receiver;
      if (!receiver) continue;
      const stream = new MediaStream([receiver.track]);
      this.slots.set(mid, { mid, kind, index, track: receiver.track, stream, receiver });
    }
    batch(() => {
      if (this.latestSlots) this.applySlots(this.latestSlots);
      this.views.value = new Map(this.views.value);
      this.events.slots([...this.slots.values()]);
    });
  }

  private async applyCamera(): Promise<void> {
    const layers = cameraLayers(this.cameraHeight);
    const active = activeLayers(this.cameraHeight, this.watched);
    await this.adjust(this.senders.camera.sender, (encoding, i) => {
      const layer = layers.find((candidate) => candidate.rid === encoding.rid) ?? layers[i];
      if (!layer) return;
      encoding.active = active[layers.indexOf(layer)] ?? false;
      encoding.scaleResolutionDownBy = layer.scaleResolutionDownBy;
      encoding.maxBitrate = layer.maxBitrate;
    });
  }

  private async applyScreen(): Promise<void> {
    await this.adjust(this.senders.screen.sender, (encoding) => {
      encoding.active = this.screenWanted;
    });
  }

  private async adjust(
    sender: RTCRtpSender,
    change: (encoding: RTCRtpEncodingParameters, index: number) => void,
  ): Promise<void> {
    if (this.closed) return;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    const before = JSON.stringify(parameters.encodings);
    parameters.encodings.forEach(change);
    if (JSON.stringify(parameters.encodings) === before) return;
    // Refused when a newer change overtook this one; that one then holds.
    await sender.setParameters(parameters).catch(() => undefined);
  }

  private changed(): void {
    const state = this.pc.connectionState;
    if (state === 'connected' && this.restartTimer) {
      clearTimeout(this.restartTimer);
      this.restartTimer = null;
    }
    if (state === 'disconnected' && !this.restartTimer) {
      this.restartTimer = setTimeout(() => {
        this.restartTimer = null;
        if (this.pc.connectionState === 'disconnected') void this.restart().catch(() => undefined);
      }, RESTART_AFTER_MS);
    }
    if (state === 'failed') void this.restart().catch(() => undefined);
    this.events.state(state);
  }

  private fail(): void {
    if (!this.closed) this.dead();
  }
}
