/*
 * A call: the gateway session, the connection and what they say, put together. The pages read
 * its signals and call its methods; nothing here draws.
 *
 * Order of a join: prepare() on the pre-join page opens the socket and makes the offer; join()
 * identifies; `ready` sends the offer; the answer starts ICE and DTLS.
 */
import { hasAccount, ticket } from '../account';
import { Company } from '../spaces/company';
import { batch, computed, effect, signal } from '@preact/signals';
import { meetingInfo, serverInfo, HttpError, type MeetingInfo } from '../api';
import {
  type Caller,
  CommandError,
  type CommandName,
  type Commands,
  type DispatchName,
  type Dispatches,
  type Identify,
  type Knock,
  type Meeting,
  type Ready,
  type Role, type SpaceDispatch } from '../gateway/frames';
import { browser, GatewaySession, type SessionState } from '../gateway/session';
import { name as savedName, pushToTalk } from '../settings';
import { Capture, captureScreen, type CaptureKind } from './capture';
import { Chat } from '../chat/chat';
import { gatewayChat } from './chat';
import { Connection, type LocalSource, type SlotView, type Slot } from './connection';
import { watchDevices } from './devices';
import { keepToken, rememberMeeting, tokenOf } from './kept';
import { Meter } from './meter';
import type { Notice } from './notices';
import { People } from './people';
import { Phones } from './phones';
import { Polls } from './polls';
import { Playback } from './playback';
import { deviceProblem } from './problems';
import { Reporter } from './report';
import { linkQuality, sampleConnection, Sampler, streamQuality, type Quality, type Sample } from './stats';
import { watchSurroundings, watchTalking } from './surroundings';
import { View } from './view';

export type Phase = 'prejoin' | 'joining' | 'lobby' | 'live' | 'over';
export type OverReason =
  | Dispatches['removed']['reason']
  | 'not_found'
  | 'locked'
  | 'full'
  | 'name'
  | 'signed_out'
  | 'refused';
export type MediaState = 'idle' | 'connecting' | 'connected' | 'lost' | 'blocked';

const VOICES = 3; // when the server did not say before Join
const TILES = 9;
const SAMPLE_MS = 2000;
const BLOCKED_MS = 9000; // no media after an answer for so long: something on the way drops it
const REBUILD_MS = [0, 500, 2000, 5000] as const;

export class Call {
  readonly phase = signal<Phase>('prejoin');
  readonly over = signal<OverReason | null>(null);
  readonly link = signal<SessionState>('closed');
  readonly network = signal(navigator.onLine);
  readonly media = signal<MediaState>('idle');
  readonly overTcp = signal(false);
  readonly info = signal<MeetingInfo | null>(null);
  readonly meeting = signal<Meeting | null>(null);
  readonly self = signal('');
  readonly lobby = signal<readonly Knock[]>([]);
  readonly microphoneOn = signal(false);
  readonly cameraOn = signal(false);
  readonly screen = signal<MediaStream | null>(null);
  readonly reactions = signal<readonly { key: number; id: string; emoji: string }[]>([]);
  readonly sample = signal<Sample | null>(null);
  readonly quality = signal<ReadonlyMap<string, Quality>>(new Map());
  readonly joinedAt = signal(0);
  readonly connection = signal<Connection | null>(null);

  readonly people = new People();
  private readonly company = new Company();
  readonly capture = new Capture();
  readonly meter = new Meter();
  readonly playback = new Playback();
  readonly phones = new Phones((t, d) => this.session.command(t, d));
  readonly polls = new Polls((t, d) => this.session.command(t, d));
  /** Telephone callers, by participant; to hosts. */
  readonly callers = signal<ReadonlyMap<string, Caller>>(new Map());
  readonly chat: Chat;
  readonly view: View;
  readonly session: GatewaySession;
  /** ms since the click on Join; for tests and the statistics panel. */
  readonly timings: Record<string, number> = {};
  onnotice: (notice: Notice) => void = () => undefined;

  readonly role = computed<Role>(() => {
    void this.people.ids.value;
    return this.people.get(this.self.value)?.value.role ?? 'participant';
  });
  readonly hosting = computed(() => this.role.value !== 'participant');
  readonly handUp = computed(() => this.people.raised.value.includes(this.self.value));
  readonly presenting = computed(() => this.screen.value !== null);

  private clickAt = 0;
  private voices = VOICES;
  private tiles = TILES;
  private rebuilds = 0;
  private readonly cleanup: (() => void)[] = [];
  private sampler = new Sampler();
  private reporter = new Reporter();
  private freezes = new Map<string, number>(); // by mid, at the last sample
  private doubtful = new Set<string>(); // mids that were not good at the last sample
  private blockedTimer: ReturnType<typeof setTimeout> | null = null;
  private reactionKey = 0;

  constructor(readonly id: string) {
    const url = new URL('/gateway', window.location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    this.session = new GatewaySession(
      url.href,
      {
        state: (state) => this.linkChanged(state),
        dispatch: (t, d) => this.dispatched(t, d),
        refused: (code) => this.finish(code as OverReason),
        resumed: () => this.cameBack(),
        pending: () => undefined,
      },
      browser,
    );
    this.chat = new Chat(gatewayChat(this), () => this.self.peek());
    this.view = new View((tiles) => this.quietly('media.view', { tiles }));
    this.capture.onvanished = (kind) => this.deviceVanished(kind);
  }

  /** On the pre-join page: everything that can be done before the click. */
  prepare(): void {
    this.session.connect();
    this.cleanup.push(watchDevices());
    this.cleanup.push(
      effect(() => this.meter.watch(this.capture.microphone.value)),
      effect(() => this.attach('microphone', this.capture.microphone.value)),
      effect(() => this.attach('camera', this.capture.camera.value)),
    );
    const timer = setInterval(() => void this.look(), SAMPLE_MS);
    this.cleanup.push(() => clearInterval(timer));
    this.cleanup.push(this.watchSurroundings());
    this.cleanup.push(
      watchTalking(
        this.meter.level,
        () => this.phase.value === 'live' && !this.microphoneOn.value && !pushToTalk.value,
        () => this.onnotice({ kind: 'talking_muted' }),
      ),
    );
    meetingInfo(this.id)
      .then((info) => (this.info.value = info))
      .catch((error: unknown) => {
        if (error instanceof HttpError && error.status === 404) this.finish('not_found');
        if (error instanceof HttpError && error.status === 410) this.finish('ended');
      });
    serverInfo()
      .then((info) => {
        this.voices = info.voices;
        this.tiles = info.tiles;
      })
      .catch(() => undefined)
      .finally(() => {
        if (this.phase.peek() !== 'over' && !this.connection.peek()) this.build();
      });
  }

  join(name: string): void {
    this.clickAt = performance.now();
    for (const key of Object.keys(this.timings)) delete this.timings[key];
    savedName.value = name;
    this.phase.value = 'joining';
    this.playback.play();
    const token = tokenOf(this.id);
    const identity: Identify = {
      meeting: this.id,
      name,
      client: navigator.userAgent.slice(0, 200),
      audio: this.microphoneOn.value,
      video: this.cameraOn.value,
    };
    this.session.identify(token ? { ...identity, token } : identity, hasAccount() ? ticket : undefined);
  }

  leave(): void {
    this.session.command('leave', {}).catch(() => undefined);
    this.finish('left');
  }

  /** Lets everything go; the page is being left. */
  dispose(): void {
    if (this.phase.peek() === 'live' || this.phase.peek() === 'lobby')
      this.session.command('leave', {}).catch(() => undefined);
    this.teardown();
  }

  command<T extends CommandName>(t: T, d: Commands[T][0]): Promise<Commands[T][1]> {
    return this.session.command(t, d);
  }

  /** A command whose refusal is told to the person. */
  async ask<T extends CommandName>(t: T, d: Commands[T][0]): Promise<boolean> {
    try {
      await this.session.command(t, d);
      return true;
    } catch (error) {
      if (error instanceof CommandError && error.code !== 'lost')
        this.onnotice({ kind: 'refused', code: error.code, text: error.message });
      return false;
    }
  }

  mark(what: string): void {
    if (this.clickAt && this.timings[what] === undefined)
      this.timings[what] = Math.round((performance.now() - this.clickAt) * 10) / 10;
  }

  // ---- own microphone, camera, screen ----

  async setMicrophone(on: boolean): Promise<void> {
    if (on && !this.capture.microphone.peek() && !(await this.capture.acquire('microphone'))) {
      this.onnotice({ kind: 'device', device: 'microphone', problem: this.capture.microphoneProblem.peek() ?? 'unknown' });
      return;
    }
    this.microphoneOn.value = on;
    const track = this.capture.microphone.peek();
    if (track) track.enabled = on;
    // Before the meeting a microphone that is off is let go.
    if (!on && this.phase.peek() === 'prejoin') this.capture.release('microphone');
    this.quietly('self.update', { muted: !on });
  }

  async setCamera(on: boolean): Promise<void> {
    if (on && !this.capture.camera.peek() && !(await this.capture.acquire('camera'))) {
      this.onnotice({ kind: 'device', device: 'camera', problem: this.capture.cameraProblem.peek() ?? 'unknown' });
      return;
    }
    this.cameraOn.value = on;
    if (!on) this.capture.release('camera');
    this.quietly('self.update', { camera: on });
  }

  /** Another device was chosen: change over while it is in use. */
  async switchDevice(kind: CaptureKind): Promise<void> {
    const on = kind === 'microphone' ? this.microphoneOn.peek() : this.cameraOn.peek();
    const track = kind === 'microphone' ? this.capture.microphone.peek() : this.capture.camera.peek();
    if (!on && !track) return;
    if (await this.capture.acquire(kind)) {
      const fresh = this.capture.microphone.peek();
      if (kind === 'microphone' && fresh) fresh.enabled = on;
    } else this.deviceVanished(kind);
  }

  async share(): Promise<void> {
    if (this.screen.peek()) return;
    let stream: MediaStream;
    try {
      stream = await captureScreen();
    } catch (error) {
      // A person who closes the browser's chooser knows that.
      if (deviceProblem(error) !== 'refused') this.onnotice({ kind: 'share_failed' });
      return;
    }
    const video = stream.getVideoTracks()[0];
    if (!video) return;
    video.contentHint = 'detail';
    // The encoder starts while the server is asked: the first picture is ready when it says yes.
    this.screen.value = stream;
    this.connection.peek()?.expectScreen();
    this.attachScreen();
    if (!(await this.ask('screen.start', { audio: stream.getAudioTracks().length > 0 }))) {
      this.stopShare(false);
      return;
    }
    if (this.screen.peek() !== stream) return;
    video.onended = () => this.stopShare();
    if (video.readyState === 'ended') this.stopShare();
  }

  stopShare(told = true): void {
    const stream = this.screen.peek();
    if (!stream) return;
    this.screen.value = null;
    stream.getTracks().forEach((track) => {
      track.onended = null;
      track.stop();
    });
    this.attachScreen();
    if (!told) return;
    this.quietly('screen.stop', {});
  }

  toggleHand(): void {
    this.quietly('hand', { raised: !this.handUp.peek() });
  }

  react(emoji: string): void {
    this.quietly('reaction', { emoji });
  }

  // ---- what the pages ask ----

  slotOf(id: string, kind: 'camera' | 'screen'): { slot: Slot; view: SlotView } | null {
    const connection = this.connection.value;
    const views = connection?.views.value;
    if (!connection || !views) return null;
    const slot = connection.slotOf(id, kind);
    const view = slot && views.get(slot.mid);
    return slot && view ? { slot, view } : null;
  }

  // ---- the gateway ----

  private quietly<T extends CommandName>(t: T, d: Commands[T][0]): void {
    if (this.phase.peek() !== 'live') return;
    this.session.command(t, d).catch((error: unknown) => {
      if (error instanceof CommandError && error.code !== 'lost')
        this.onnotice({ kind: 'refused', code: error.code, text: error.message });
    });
  }

  private dispatched<T extends DispatchName>(t: T, d: Dispatches[T]): void {
    const handler = (this.handlers as Partial<Record<DispatchName, unknown>>)[t] as ((d: Dispatches[T]) => void) | undefined;
    handler?.(d);
  }

  private readonly handlers: { [T in Exclude<DispatchName, SpaceDispatch>]: (d: Dispatches[T]) => void } = {
    ready: (d) => this.begin(d),
    'space.people': (d) => this.company.hear(d.people),
    waiting: (d) => {
      this.remember(d.self, d.token, d.meeting);
      this.phase.value = 'lobby';
    },
    roster: (d) => {
      this.announce(d);
      this.people.delta(d);
    },
    meeting: (d) => (this.meeting.value = d),
    lobby: (d) => {
      const known = new Set(this.lobby.value.map((knock) => knock.id));
      const fresh = d.waiting.find((knock) => !known.has(knock.id));
      this.lobby.value = d.waiting;
      if (fresh) this.onnotice({ kind: 'knock', id: fresh.id, name: fresh.name });
    },
    callers: (d) => (this.callers.value = new Map(d.callers.map((caller) => [caller.id, caller]))),
    dials: (d) => this.phones.changed(d),
    poll: (d) => {
      if (this.polls.changed(d) && d.open && !this.hosting.peek()) this.onnotice({ kind: 'poll', question: d.question });
    },
    slots: (d) => this.connection.peek()?.applySlots(d),
    slot: (d) => this.connection.peek()?.applySlot(d),
    speakers: (d) => this.people.hear(d.speakers),
    presenter: (d) => {
      const id = d.id || null;
      this.people.presenter.value = id;
      if (this.screen.peek() && id !== null && id !== this.self.peek()) {
        this.stopShare(false);
        this.onnotice({ kind: 'taken_over', by: id });
      }
    },
    layers: (d) => this.connection.peek()?.setLayers(d),
    'media.state': (d) => {
      this.overTcp.value = d.tcp;
      if (d.state === 'failed') this.rebuild();
      if (d.state === 'lost' && !this.connection.peek()?.healthy) this.restart();
    },
    'media.need_offer': () => this.rebuild(),
    'chat.message': (d) => {
      this.chat.arrived(d.message);
      if (!this.chat.reading && d.message.author !== this.chat.me())
        this.onnotice({ kind: 'chat', name: d.message.author_name, text: d.message.text });
    },
    'chat.update': (d) => this.chat.changed(d.message),
    'chat.typing': (d) => this.chat.sawTyping(d.id),
    reaction: (d) => this.showReaction(d.id, d.emoji),
    asked_unmute: (d) => this.onnotice({ kind: 'asked_unmute', by: d.by }),
    muted: (d) => {
      this.microphoneOn.value = false;
      const track = this.capture.microphone.peek();
      if (track) track.enabled = false;
      this.onnotice({ kind: 'muted', by: d.by });
    },
    stopped: (d) => {
      if (d.what === 'camera') void this.setCamera(false);
      else this.stopShare(false);
      this.onnotice({ kind: 'stopped', by: d.by, what: d.what });
    },
    removed: (d) => this.finish(d.reason),
  };

  private begin(d: Ready): void {
    this.mark('ready');
    const again = this.phase.peek() === 'live';
    const { voices, tiles } = d.slots;
    const fits = this.connection.peek()?.voices === voices && this.connection.peek()?.tiles === tiles;
    this.voices = voices;
    this.tiles = tiles;
    if (again || !fits || this.connection.peek()?.answered) this.build();
    // Before anything is drawn: the offer is on its way while the meeting's page is made.
    void this.offer();
    batch(() => {
      this.remember(d.self, d.token, d.meeting);
      this.people.snapshot(d.participants, d.presenter || null);
      this.lobby.value = [];
      if (!again) this.joinedAt.value = Date.now();
      this.phase.value = 'live';
    });
    if (hasAccount()) void this.company.begin(() => this.session.command('space.people', {}));
    void this.chat.refresh();
    void this.phones.refresh();
    void this.polls.refresh();
    rememberMeeting(d.meeting);
    this.tellSelf(d);
    if (again) this.onnotice({ kind: 'back' });
  }

  /** What we send, where the server does not know it yet. */
  private tellSelf(d: Ready): void {
    const known = d.participants.find((p) => p.id === d.self);
    const muted = !this.microphoneOn.peek();
    const camera = this.cameraOn.peek();
    if (!known || known.muted !== muted || known.camera !== camera)
      this.quietly('self.update', { muted, camera });
    const stream = this.screen.peek();
    if (!stream) return;
    this.session
      .command('screen.start', { audio: stream.getAudioTracks().length > 0 })
      .catch(() => this.stopShare(false));
  }

  /** The address to give to others. */
  address(): string {
    return new URL(this.meeting.peek()?.link || `/m/${encodeURIComponent(this.id)}`, window.location.href).href;
  }

  private remember(self: string, token: string, meeting: Meeting): void {
    this.self.value = self;
    this.meeting.value = meeting;
    keepToken(this.id, token);
  }

  private announce(d: Dispatches['roster']): void {
    const loud = this.people.count.peek() <= 30;
    if (loud) {
      for (const p of d.joined ?? [])
        if (!this.people.peek(p.id)) this.onnotice({ kind: 'joined', name: p.name });
      for (const { id } of d.left ?? []) {
        const gone = this.people.peek(id);
        if (gone) this.onnotice({ kind: 'left', name: gone.name });
      }
    }
    for (const p of d.updated ?? []) {
      const before = this.people.peek(p.id);
      if (p.hand > 0 && before?.hand === 0 && p.id !== this.self.peek())
        this.onnotice({ kind: 'hand', name: p.name });
      if (p.id === this.self.peek() && before && before.role !== p.role) {
        this.onnotice({ kind: 'role', role: p.role });
        void this.phones.refresh(); // hosts may call others
      }
    }
  }

  private linkChanged(state: SessionState): void {
    this.link.value = state;
    if (state === 'live') this.mark('identified');
  }

  private cameBack(): void {
    this.onnotice({ kind: 'back' });
    if (!this.connection.peek()?.healthy) this.restart();
  }

  private showReaction(id: string, emoji: string): void {
    const key = (this.reactionKey += 1);
    this.reactions.value = [...this.reactions.value.slice(-19), { key, id, emoji }];
    setTimeout(() => {
      this.reactions.value = this.reactions.value.filter((reaction) => reaction.key !== key);
    }, 4000);
  }

  // ---- the connection ----

  private build(): void {
    this.connection.peek()?.close();
    this.sampler = new Sampler();
    this.reporter = new Reporter();
    const connection: Connection = new Connection(
      this.voices,
      this.tiles,
      {
        offer: (d) => {
          this.mark('offered');
          return this.session.command('media.offer', d);
        },
        state: (state) => {
          if (this.connection.peek() === connection) this.mediaChanged(state);
        },
        slots: (slots) => this.playback.use(slots),
      },
      () => {
        if (this.connection.peek() === connection) this.rebuild();
      },
    );
    this.connection.value = connection;
    this.attach('microphone', this.capture.microphone.peek());
    this.attach('camera', this.capture.camera.peek());
    this.attachScreen();
  }

  private async offer(): Promise<void> {
    const connection = this.connection.peek();
    if (!connection) return;
    if (this.media.peek() !== 'lost') this.media.value = 'connecting';
    this.watchBlocked();
    try {
      await connection.negotiate();
      this.mark('answered');
      this.view.renew();
    } catch (error) {
      if (this.connection.peek() !== connection) return;
      const lost = error instanceof CommandError && error.code === 'lost';
      if (!lost) this.rebuild();
    }
  }

  private restart(): void {
    const connection = this.connection.peek();
    if (!connection || this.link.peek() !== 'live') return;
    if (connection.answered) connection.restart().catch(() => undefined);
    else void this.offer();
  }

  /** A connection that is beyond repair: a new one, sooner at first than later. */
  private rebuild(): void {
    if (this.phase.peek() !== 'live') return;
    const wait = REBUILD_MS[Math.min(this.rebuilds, REBUILD_MS.length - 1)] ?? 0;
    this.rebuilds += 1;
    this.media.value = 'lost';
    const stale = this.connection.peek();
    setTimeout(() => {
      if (this.phase.peek() !== 'live' || this.connection.peek() !== stale) return;
      this.build();
      if (this.link.peek() === 'live') void this.offer();
    }, wait);
  }

  private mediaChanged(state: RTCPeerConnectionState): void {
    if (state === 'connected') {
      this.mark('connected');
      this.rebuilds = 0;
      if (this.blockedTimer) clearTimeout(this.blockedTimer);
      this.media.value = 'connected';
    } else if (state === 'disconnected' || state === 'failed') this.media.value = 'lost';
  }

  private watchBlocked(): void {
    if (this.blockedTimer) clearTimeout(this.blockedTimer);
    this.blockedTimer = setTimeout(() => {
      if (this.phase.peek() === 'live' && this.link.peek() === 'live' && !this.connection.peek()?.healthy)
        this.media.value = 'blocked';
    }, BLOCKED_MS);
  }

  private attach(source: LocalSource, track: MediaStreamTrack | null): void {
    if (track && source === 'microphone') track.enabled = this.microphoneOn.peek();
    void this.connection.peek()?.setTrack(source, track);
  }

  private attachScreen(): void {
    const stream = this.screen.peek();
    void this.connection.peek()?.setTrack('screen', stream?.getVideoTracks()[0] ?? null);
    void this.connection.peek()?.setTrack('screen_audio', stream?.getAudioTracks()[0] ?? null);
  }

  private deviceVanished(kind: CaptureKind): void {
    const on = kind === 'microphone' ? this.microphoneOn.peek() : this.cameraOn.peek();
    if (!on) return;
    void this.capture.acquire(kind).then((replaced) => {
      this.onnotice({ kind: 'device_gone', device: kind, replaced });
      if (replaced) return;
      if (kind === 'microphone') void this.setMicrophone(false);
      else void this.setCamera(false);
    });
  }

  // ---- the surroundings ----

  private watchSurroundings(): () => void {
    return watchSurroundings({
      online: (online) => {
        this.network.value = online;
        if (online) this.session.nudge();
        else this.session.offline();
      },
      moved: () => {
        if (this.phase.peek() !== 'live') return;
        this.session.nudge();
        if (!this.connection.peek()?.healthy) this.restart();
      },
      hidden: (hidden) => {
        this.view.hide(hidden);
        if (!hidden) this.session.nudge();
      },
      leaving: () => this.dispose(),
    });
  }

  private async look(): Promise<void> {
    const connection = this.connection.peek();
    if (!connection?.answered || this.phase.peek() !== 'live') return;
    const sample = await sampleConnection(connection.pc, this.sampler).catch(() => null);
    if (!sample || this.connection.peek() !== connection) return;
    const quality = new Map<string, Quality>([[this.self.peek(), linkQuality(sample)]]);
    for (const stream of sample.received) {
      const view = connection.views.peek().get(stream.mid);
      if (!view?.source || view.state !== 'live' || view.source.kind !== 'camera') continue;
      const now = streamQuality(stream, this.freezes.get(stream.mid) ?? stream.freezes);
      // One bad moment is no bad connection.
      const bad = now !== 'good' && this.doubtful.has(stream.mid);
      if (now === 'good') this.doubtful.delete(stream.mid);
      else this.doubtful.add(stream.mid);
      quality.set(view.source.id, bad ? now : 'good');
      this.freezes.set(stream.mid, stream.freezes);
    }
    // Hidden, the browser decodes little and counts rarely: that would say nothing.
    const report = document.hidden ? null : this.reporter.take(sample, performance.now());
    if (report) this.quietly('self.stats', report);
    batch(() => {
      this.sample.value = sample;
      this.quality.value = quality;
    });
  }

  private finish(reason: OverReason): void {
    if (this.phase.peek() === 'over') return;
    batch(() => {
      this.over.value = reason;
      this.phase.value = 'over';
    });
    this.teardown();
  }

  private teardown(): void {
    // What is queued (a "leave") is sent before the socket closes.
    this.session.close();
    this.stopShare(false);
    for (const undo of this.cleanup.splice(0)) undo();
    if (this.blockedTimer) clearTimeout(this.blockedTimer);
    this.view.close();
    this.connection.peek()?.close();
    this.connection.value = null;
    this.capture.releaseAll();
    this.meter.close();
    this.playback.close();
  }
}
