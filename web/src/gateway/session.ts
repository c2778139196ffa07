/*
 * One gateway session over as many websockets as it takes (docs/design/gateway.md).
 *
 * The session opens its socket before it identifies, so that the click on Join costs no
 * connection. When the socket breaks it comes back by resume: the server sends what was
 * missed, we send the commands it had not taken. When the server no longer knows the
 * session it identifies again with the saved token; commands that are safe to repeat go
 * out anew, the others fail with code "lost".
 *
 * Time, chance and the socket are passed in, so tests need neither.
 */
import { Backoff } from './backoff';
import {
  CommandError,
  type CommandName,
  type Commands,
  type DispatchName,
  type Dispatches,
  type Frame,
  type Identify,
  type Reply,
} from './frames';

export type SessionState =
  | 'closed' // nothing open, nothing tried
  | 'connecting' // the first socket is on its way
  | 'open' // hello came; not identified
  | 'live' // identified: waiting or in the meeting
  | 'away' // was live; trying to come back
  | 'over'; // refused, removed or left: no way back

export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: unknown) => void) | null;
  onerror: ((event: unknown) => void) | null;
}

export interface Surroundings {
  socket(url: string): Socket;
  now(): number;
  random(): number;
  setTimer(run: () => void, ms: number): unknown;
  clearTimer(timer: unknown): void;
}

export interface SessionEvents {
  state(state: SessionState): void;
  /** A session began anew: after the first identify (again false) or after an `invalid`. */
  dispatch<T extends DispatchName>(t: T, d: Dispatches[T]): void;
  /** identify was refused, or the session cannot go on. */
  refused(code: string): void;
  /** The session came back with nothing lost. */
  resumed(): void;
  /** Commands waiting for their reply: for a "sending" mark. */
  pending(count: number): void;
}

interface Pending {
  s: number;
  t: CommandName;
  d: unknown;
  resolve(result: unknown): void;
  reject(error: CommandError): void;
}

/** Commands that say what holds, not what changes, or carry a nonce: safe in a new session. */
const REPEATABLE: ReadonlySet<CommandName> = new Set<CommandName>([
  'chat.send',
  'chat.edit',
  'chat.delete',
  'chat.react',
  'chat.drop_preview',
  'chat.history',
  'hand',
  'leave',
]);

const COMMANDS_WAITING_MAX = 256; // more than a person can click during two minutes
const PROBE_MS = 1500; // an answer to a heartbeat after `online` takes no longer

export class GatewaySession {
  state: SessionState = 'closed';
  private socket: Socket | null = null;
  private greeted = false; // hello came on this socket
  private heartbeatMs = 10_000;
  private identity: Identify | null = null;
  private ticket: (() => Promise<string | undefined>) | undefined;
  private credentials: { session: string; secret: string } | null = null;
  private seen = 0; // last dispatch
  private sequence = 0; // last command
  private readonly pending = new Map<number, Pending>();
  private orphans: Pending[] = []; // of a lost session, to be sent again after `ready`
  private readonly backoff: Backoff;
  private awaySince = 0;
  private heartbeatTimer: unknown = null;
  private silenceTimer: unknown = null;
  private retryTimer: unknown = null;
  private patienceTimer: unknown = null;

  constructor(
    private readonly url: string,
    private readonly events: SessionEvents,
    private readonly around: Surroundings,
  ) {
    this.backoff = new Backoff(around.random);
  }

  /** Opens the socket; identify may follow at once or much later. */
  connect(): void {
    if (this.state !== 'closed') return;
    this.setState('connecting');
    this.openSocket();
  }

  /** `ticket` is asked each time anew: it says who is signed in, and is short-lived. */
  identify(identity: Identify, ticket?: () => Promise<string | undefined>): void {
    this.identity = identity;
    this.ticket = ticket;
    this.credentials = null;
    if (this.state === 'closed' || this.state === 'over') {
      this.setState('connecting');
      this.openSocket();
    } else if (this.greeted) this.sendIdentify();
  }

  /** Sends a command, now or when the session is back. Rejects with CommandError. */
  command<T extends CommandName>(t: T, d: Commands[T][0]): Promise<Commands[T][1]> {
    return new Promise<Commands[T][1]>((resolve, reject) => {
      if (this.state !== 'live' && this.state !== 'away') {
        reject(new CommandError('lost', 'not in a meeting'));
        return;
      }
      if (this.pending.size >= COMMANDS_WAITING_MAX) {
        reject(new CommandError('busy', 'too many commands wait for an answer'));
        return;
      }
      this.sequence += 1;
      const entry: Pending = {
        s: this.sequence,
        t,
        d,
        resolve: resolve as (result: unknown) => void,
        reject,
      };
      this.pending.set(entry.s, entry);
      this.events.pending(this.pending.size);
      if (this.state === 'live') this.sendFrame({ op: 'command', s: entry.s, t, d });
    });
  }

  /** The browser says the network is back, or the page woke up: find out now, not at the next beat. */
  nudge(): void {
    if (this.state === 'away' || this.state === 'connecting') {
      if (this.retryTimer !== null) {
        this.backoff.reset();
        this.openSocket();
      }
    } else if (this.state === 'live') this.probe();
  }

  /** The browser says the network is gone. */
  offline(): void {
    if (this.state === 'live') this.lost();
  }

  /** Ends it from our side; nothing is sent after what is queued already. */
  close(): void {
    this.end();
  }

  private setState(state: SessionState): void {
    if (this.state === state) return;
    this.state = state;
    this.events.state(state);
  }

  private openSocket(): void {
    this.clear('retryTimer');
    this.dropSocket();
    let socket: Socket;
    try {
      socket = this.around.socket(this.url);
    } catch {
      this.lost();
      return;
    }
    this.socket = socket;
    socket.onmessage = (event) => {
      if (this.socket === socket && typeof event.data === 'string') this.take(event.data);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
    socket.onerror = null;
    this.patienceTimer = this.around.setTimer(() => {
      this.patienceTimer = null;
      this.lost();
    }, this.backoff.patience());
  }

  private dropSocket(): void {
    this.clear('heartbeatTimer');
    this.clear('silenceTimer');
    this.clear('patienceTimer');
    this.greeted = false;
    const socket = this.socket;
    if (!socket) return;
    this.socket = null;
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    socket.close();
  }

  /** The socket is of no use any more: wait and try again. */
  private lost(afterMs?: number): void {
    if (this.state === 'over' || this.state === 'closed') return;
    this.dropSocket();
    if (this.state === 'live') {
      this.awaySince = this.around.now();
      this.setState('away');
    } else if (this.state === 'open') this.setState('connecting');
    if (this.awaySince === 0) this.awaySince = this.around.now();
    this.clear('retryTimer');
    const wait = afterMs ?? this.backoff.next(this.around.now() - this.awaySince);
    this.retryTimer = this.around.setTimer(() => {
      this.retryTimer = null;
      this.openSocket();
    }, wait);
  }

  /** Their reply may not come any more: the session's end is their answer. */
  private settleFinal(): void {
    for (const entry of this.pending.values())
      if (entry.t === 'host.end' || entry.t === 'leave') entry.resolve(undefined);
  }

  private end(): void {
    this.dropSocket();
    this.clear('retryTimer');
    this.credentials = null;
    this.identity = null;
    this.fail([...this.pending.values(), ...this.orphans]);
    this.pending.clear();
    this.orphans = [];
    this.setState('over');
  }

  private fail(entries: Pending[]): void {
    for (const entry of entries) entry.reject(new CommandError('lost', 'the session ended'));
  }

  private take(text: string): void {
    let frame: Frame;
    try {
      frame = JSON.parse(text) as Frame;
    } catch {
      return;
    }
    this.heard();
    switch (frame.op) {
      case 'hello':
        this.hello(frame.d as { heartbeat_ms?: number });
        break;
      case 'dispatch':
        this.dispatched(frame);
        break;
      case 'resumed':
        this.cameBack(frame.s ?? 0);
        break;
      case 'invalid':
        this.invalid(frame.d as { reason: string; code?: string });
        break;
      case 'reconnect':
        this.lost(this.comeBackIn((frame.d as { after_ms?: number } | undefined)?.after_ms ?? 0));
        break;
    }
  }

  /** Spread over half as long again, so that a full house does not knock at once. */
  private comeBackIn(afterMs: number): number {
    return Math.round(afterMs + (this.around.random() * afterMs) / 2);
  }

  private hello(d: { heartbeat_ms?: number } | undefined): void {
    this.clear('patienceTimer');
    this.greeted = true;
    if (d?.heartbeat_ms && d.heartbeat_ms > 0) this.heartbeatMs = d.heartbeat_ms;
    this.beat();
    this.heard();
    if (this.credentials) {
      this.sendFrame({ op: 'resume', d: { ...this.credentials, s: this.seen } });
    } else if (this.identity) this.sendIdentify();
    else {
      this.backoff.reset();
      this.awaySince = 0;
      this.setState('open');
    }
  }

  private sendIdentify(): void {
    this.seen = 0;
    this.sequence = 0;
    this.orphans.push(...this.pending.values());
    this.pending.clear();
    const { socket, identity, ticket } = this;
    if (!ticket) {
      this.sendFrame({ op: 'identify', d: identity });
      return;
    }
    void ticket().then((account) => {
      if (this.socket === socket && this.identity === identity)
        this.sendFrame({ op: 'identify', d: account && identity ? { ...identity, account } : identity });
    });
  }

  private dispatched(frame: Frame): void {
    const s = frame.s ?? 0;
    if (s !== 0) {
      if (s <= this.seen) return;
      this.seen = s;
    }
    if (frame.t === 'reply') {
      this.replied(frame.d as Reply);
      return;
    }
    if (frame.t === 'ready' || frame.t === 'waiting' || frame.t === 'spaces.ready')
      this.welcomed(frame.d as { session: string; secret: string; token?: string });
    // Before it is told: whoever hears of the end closes the session.
    if (frame.t === 'removed') this.settleFinal();
    this.events.dispatch(frame.t as DispatchName, frame.d as never);
    if (frame.t === 'ready' || frame.t === 'spaces.ready') this.sendOrphans();
    if (frame.t === 'removed') this.end();
  }

  private welcomed(d: { session: string; secret: string; token?: string }): void {
    this.credentials = { session: d.session, secret: d.secret };
    if (this.identity && d.token) this.identity = { ...this.identity, token: d.token };
    this.backoff.reset();
    this.awaySince = 0;
    this.setState('live');
  }

  private sendOrphans(): void {
    const entries = this.orphans;
    this.orphans = [];
    this.fail(entries.filter((entry) => !REPEATABLE.has(entry.t)));
    for (const entry of entries.filter((candidate) => REPEATABLE.has(candidate.t))) {
      this.sequence += 1;
      entry.s = this.sequence;
      this.pending.set(entry.s, entry);
      this.sendFrame({ op: 'command', s: entry.s, t: entry.t, d: entry.d });
    }
    this.events.pending(this.pending.size);
  }

  private replied(reply: Reply): void {
    const entry = this.pending.get(reply.command);
    if (!entry) return;
    this.pending.delete(reply.command);
    this.events.pending(this.pending.size);
    if (reply.ok) entry.resolve(reply.result);
    else {
      const { code = 'error', text = '', field } = reply.error ?? {};
      entry.reject(new CommandError(code, text, field));
    }
  }

  private cameBack(taken: number): void {
    this.backoff.reset();
    this.awaySince = 0;
    this.setState('live');
    for (const entry of this.pending.values()) {
      if (entry.s > taken) this.sendFrame({ op: 'command', s: entry.s, t: entry.t, d: entry.d });
    }
    this.events.resumed();
  }

  private invalid(d: { reason: string; code?: string }): void {
    this.credentials = null;
    if (d.reason === 'refused' && d.code === 'unavailable') {
      this.lost(); // the server's trouble, not ours: it may be well again soon
      return;
    }
    if (d.reason === 'refused' || d.reason === 'ended') {
      const code = d.code ?? d.reason;
      this.settleFinal();
      this.end();
      this.events.refused(code);
      return;
    }
    if (!this.identity) return;
    // The server may close the socket after `invalid`; onclose then identifies on the next one.
    if (this.state === 'live') {
      this.awaySince = this.around.now();
      this.setState('away');
    }
    this.sendIdentify();
  }

  private sendFrame(frame: Frame): void {
    this.socket?.send(JSON.stringify(frame));
  }

  private beat(): void {
    this.clear('heartbeatTimer');
    this.heartbeatTimer = this.around.setTimer(() => {
      this.sendFrame({ op: 'heartbeat', s: this.seen });
      this.beat();
    }, this.heartbeatMs);
  }

  /** Anything heard proves the socket alive; its silence past a beat and a half does not. */
  private heard(): void {
    if (!this.greeted) return;
    this.clear('silenceTimer');
    this.silenceTimer = this.around.setTimer(() => {
      this.silenceTimer = null;
      this.lost();
    }, this.heartbeatMs * 1.5);
  }

  private probe(): void {
    this.sendFrame({ op: 'heartbeat', s: this.seen });
    this.clear('silenceTimer');
    this.silenceTimer = this.around.setTimer(() => {
      this.silenceTimer = null;
      this.lost();
    }, PROBE_MS);
  }

  private clear(name: 'heartbeatTimer' | 'silenceTimer' | 'retryTimer' | 'patienceTimer'): void {
    if (this[name] !== null) this.around.clearTimer(this[name]);
    this[name] = null;
  }
}

/** The browser's own socket, clock and chance. */
export const browser: Surroundings = {
  socket: (url) => new WebSocket(url) as unknown as Socket,
  now: () => performance.now(),
  random: () => Math.random(),
  setTimer: (run, ms) => setTimeout(run, ms),
  clearTimer: (timer) => clearTimeout(timer as number),
};
