import { describe, expect, it } from 'vitest';
import { CommandError } from '../src/gateway/frames';
import { GatewaySession, type SessionState, type Socket } from '../src/gateway/session';

class FakeSocket implements Socket {
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  onerror: Socket['onerror'] = null;
  sent: { op: string; s?: number; t?: string; d?: Record<string, unknown> }[] = [];
  closed = false;
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  say(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  breakOff() {
    this.onclose?.({});
  }
  ops(op: string) {
    return this.sent.filter((frame) => frame.op === op);
  }
}

/** A server, a clock and a session that know each other. */
function bench() {
  const sockets: FakeSocket[] = [];
  const states: SessionState[] = [];
  const dispatches: [string, unknown][] = [];
  const refusals: string[] = [];
  let resumed = 0;
  let now = 0;
  let timers: { at: number; run: () => void; id: number }[] = [];
  let id = 0;
  const session = new GatewaySession(
    'ws://test/gateway',
    {
      state: (state) => states.push(state),
      dispatch: (t, d) => {
        dispatches.push([t, d]);
        bench.onDispatch(t);
      },
      refused: (code) => refusals.push(code),
      resumed: () => (resumed += 1),
      pending: () => undefined,
    },
    {
      socket: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
      now: () => now,
      random: () => 0.5,
      setTimer: (run, ms) => {
        timers.push({ at: now + ms, run, id: ++id });
        return id;
      },
      clearTimer: (timer) => {
        timers = timers.filter((entry) => entry.id !== timer);
      },
    },
  );
  const bench = {
    onDispatch: (_t: string): unknown => undefined,
    session,
    sockets,
    states,
    dispatches,
    refusals,
    resumed: () => resumed,
    socket: () => sockets[sockets.length - 1] as FakeSocket,
    pass(ms: number) {
      const end = now + ms;
      for (;;) {
        const next = timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers = timers.filter((t) => t !== next);
        now = next.at;
        next.run();
      }
      now = end;
    },
    hello() {
      bench.socket().say({ op: 'hello', d: { heartbeat_ms: 1000, resume_ms: 120000, version: '0' } });
    },
    ready(s = 1, session = 'S1', t = 'ready') {
      bench
        .socket()
        .say({ op: 'dispatch', s, t, d: { session, secret: 'x', self: 'p1', token: 'T1', meeting: {} } });
    },
    live() {
      session.connect();
      bench.hello();
      session.identify({ meeting: 'm', name: 'Ann' });
      bench.ready();
    },
  };
  return bench;
}

describe('a session', () => {
  it('opens before it identifies', () => {
    const b = bench();
    b.session.connect();
    expect(b.session.state).toBe('connecting');
    b.hello();
    expect(b.session.state).toBe('open');
    expect(b.socket().sent).toEqual([]);
    b.session.identify({ meeting: 'm', name: 'Ann' });
    expect(b.socket().sent[0]).toMatchObject({ op: 'identify', d: { meeting: 'm', name: 'Ann' } });
    b.ready();
    expect(b.session.state).toBe('live');
  });

  it('answers commands by their number', async () => {
    const b = bench();
    b.live();
    const first = b.session.command('hand', { raised: true });
    const second = b.session.command('host.rename', { id: 'p2', name: '' });
    expect(b.socket().ops('command').map((f) => [f.s, f.t])).toEqual([
      [1, 'hand'],
      [2, 'host.rename'],
    ]);
    b.socket().say({
      op: 'dispatch',
      s: 2,
      t: 'reply',
      d: { command: 2, ok: false, error: { code: 'invalid', text: 'no name', field: 'name' } },
    });
    b.socket().say({ op: 'dispatch', s: 3, t: 'reply', d: { command: 1, ok: true } });
    await first;
    await expect(second).rejects.toMatchObject({ code: 'invalid', field: 'name' });
  });

  it('beats, and gives a silent socket up', () => {
    const b = bench();
    b.live();
    b.pass(1000);
    expect(b.socket().ops('heartbeat')).toEqual([{ op: 'heartbeat', s: 1 }]);
    b.pass(501);
    expect(b.session.state).toBe('away');
    expect(b.sockets[0]?.closed).toBe(true);
  });

  it('resumes, skips what it saw and sends again what was not taken', async () => {
    const b = bench();
    b.live();
    const taken = b.session.command('hand', { raised: true });
    const lost = b.session.command('reaction', { emoji: 'x' });
    b.socket().breakOff();
    expect(b.session.state).toBe('away');
    const late = b.session.command('hand', { raised: false });
    b.pass(2000);
    b.hello();
    expect(b.socket().sent).toEqual([
      { op: 'resume', d: { session: 'S1', secret: 'x', s: 1 } },
    ]);
    b.socket().say({ op: 'resumed', s: 1 });
    expect(b.resumed()).toBe(1);
    expect(b.session.state).toBe('live');
    expect(b.socket().ops('command').map((f) => f.s)).toEqual([2, 3]);
    b.socket().say({ op: 'dispatch', s: 1, t: 'chat.typing', d: { id: 'old' } });
    b.socket().say({ op: 'dispatch', s: 2, t: 'reply', d: { command: 1, ok: true } });
    b.socket().say({ op: 'dispatch', s: 3, t: 'reply', d: { command: 2, ok: true } });
    b.socket().say({ op: 'dispatch', s: 4, t: 'reply', d: { command: 3, ok: true } });
    await Promise.all([taken, lost, late]);
    expect(b.dispatches.map(([t]) => t)).toEqual(['ready']);
  });

  it('identifies again with its token when the server forgot it', async () => {
    const b = bench();
    b.live();
    const chat = b.session.command('chat.send', { text: 'hi', nonce: 'n1' });
    const mute = b.session.command('host.mute', { all: true });
    const muteFails = expect(mute).rejects.toBeInstanceOf(CommandError);
    b.socket().breakOff();
    b.pass(2000);
    b.hello();
    b.socket().say({ op: 'invalid', d: { reason: 'unknown_session' } });
    expect(b.socket().ops('identify')[0]?.d).toMatchObject({ token: 'T1', meeting: 'm' });
    b.ready(1, 'S2');
    await muteFails;
    expect(b.socket().ops('command')).toEqual([
      { op: 'command', s: 1, t: 'chat.send', d: { text: 'hi', nonce: 'n1' } },
    ]);
    b.socket().say({ op: 'dispatch', s: 2, t: 'reply', d: { command: 1, ok: true, result: { message: {} } } });
    await chat;
    expect(b.session.state).toBe('live');
  });

  it('keeps trying, in growing steps, and at once when nudged', () => {
    const b = bench();
    b.live();
    b.socket().breakOff();
    for (let i = 0; i < 20; i += 1) {
      b.pass(1500);
      b.socket().breakOff();
    }
    const before = b.sockets.length;
    expect(before).toBeGreaterThanOrEqual(20);
    b.session.nudge();
    expect(b.sockets.length).toBe(before + 1);
    expect(b.session.state).toBe('away');
  });

  it('gives up a socket that does not open', () => {
    const b = bench();
    b.live();
    b.socket().breakOff();
    b.pass(200);
    const count = b.sockets.length;
    b.pass(4000);
    expect(b.sockets.length).toBeGreaterThan(count);
  });

  it('finds a dead socket quickly when the network changed', () => {
    const b = bench();
    b.live();
    b.session.nudge();
    expect(b.socket().ops('heartbeat')).toHaveLength(1);
    b.pass(1499);
    expect(b.session.state).toBe('live');
    b.pass(2);
    expect(b.session.state).toBe('away');
  });

  it('comes back when the server said it would', () => {
    const b = bench();
    b.live();
    b.socket().say({ op: 'reconnect', d: { after_ms: 3000 } });
    expect(b.session.state).toBe('away');
    b.pass(2999);
    expect(b.sockets).toHaveLength(1);
    b.pass(1600);
    expect(b.sockets).toHaveLength(2);
  });

  it('comes back when the server was unavailable', () => {
    const b = bench();
    b.session.connect();
    b.hello();
    b.session.identify({ meeting: 'm', name: 'Ann' });
    b.socket().say({ op: 'invalid', d: { reason: 'refused', code: 'unavailable' } });
    expect(b.refusals).toEqual([]);
    b.pass(3000);
    expect(b.sockets.length).toBeGreaterThan(1);
    b.hello();
    expect(b.socket().ops('identify')).toHaveLength(1);
  });

  it('ends for good when refused or removed', async () => {
    const b = bench();
    b.session.connect();
    b.hello();
    b.session.identify({ meeting: 'm', name: 'Ann' });
    b.socket().say({ op: 'invalid', d: { reason: 'refused', code: 'locked' } });
    expect(b.refusals).toEqual(['locked']);
    expect(b.session.state).toBe('over');
    const c = bench();
    c.live();
    const waiting = c.session.command('hand', { raised: true });
    c.socket().say({ op: 'dispatch', s: 2, t: 'removed', d: { reason: 'ended' } });
    await expect(waiting).rejects.toMatchObject({ code: 'lost' });
    c.pass(60_000);
    expect(c.sockets).toHaveLength(1);
    await expect(c.session.command('hand', { raised: true })).rejects.toMatchObject({ code: 'lost' });
  });

  it('takes the end as the answer to the command that asked for it', async () => {
    const b = bench();
    b.live();
    b.onDispatch = (t) => t === 'removed' && b.session.close();
    const end = b.session.command('host.end', {});
    b.socket().say({ op: 'dispatch', s: 2, t: 'removed', d: { reason: 'ended' } });
    await expect(end).resolves.toBeUndefined();
  });

  it('survives what is not a frame', () => {
    const b = bench();
    b.live();
    b.socket().onmessage?.({ data: '{' });
    b.socket().say({ op: 'nonsense' });
    expect(b.session.state).toBe('live');
  });
});
