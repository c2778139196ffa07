import { describe, expect, it, vi } from 'vitest';
import { gatewayChat } from '../src/call/chat';
import { Chat } from '../src/chat/chat';
import { People } from '../src/call/people';
import { Reporter } from '../src/call/report';
import { linkQuality, Sampler, streamQuality } from '../src/call/stats';
import { CommandError, type ChatMessage, type Participant } from '../src/gateway/frames';
import { byteLength, clip } from '../src/util/bytes';

const person = (id: string, more: Partial<Participant> = {}): Participant => ({
  id,
  name: id.toUpperCase(),
  role: 'participant',
  muted: false,
  camera: false,
  screen: false,
  online: true,
  hand: 0,
  kind: 'browser',
  joined: Number(id.slice(1)),
  ...more,
});

const message = (id: number, author = 'p2'): ChatMessage => ({
  id: String(id),
  author,
  author_name: author,
  text: `text ${id}`,
  created: id,
  reactions: [],
});

describe('people', () => {
  it('come and go by deltas, hands in the order they went up', () => {
    const people = new People();
    people.snapshot([person('p2', { hand: 50 }), person('p1')], null);
    expect(people.ids.value).toEqual(['p1', 'p2']);
    people.delta({
      joined: [person('p3', { hand: 40 })],
      updated: [person('p1', { hand: 60 })],
      left: [],
    });
    expect(people.ids.value).toEqual(['p1', 'p2', 'p3']);
    expect(people.raised.value).toEqual(['p3', 'p2', 'p1']);
    people.delta({ joined: [], updated: [person('p2')], left: [{ id: 'p3' }] });
    expect(people.raised.value).toEqual(['p1']);
    expect(people.get('p3')).toBeNull();
    expect(people.nameOf('p3')).toBe('P3');
  });

  it('draw again only who changed', () => {
    const people = new People();
    people.snapshot([person('p1'), person('p2')], null);
    const changes = vi.fn();
    people.get('p1')?.subscribe(changes);
    people.delta({ joined: [], updated: [person('p2', { muted: true })], left: [] });
    expect(changes).toHaveBeenCalledTimes(1);
  });

  it('are silent again when others speak', () => {
    const people = new People();
    people.snapshot([person('p1'), person('p2')], null);
    people.hear([{ id: 'p1', level: 20 }]);
    expect(people.levelOf('p1').value).toBeGreaterThan(0.5);
    people.hear([{ id: 'p2', level: 90 }]);
    expect(people.levelOf('p1').value).toBe(0);
    expect(people.levelOf('p2').value).toBeGreaterThan(0);
  });
});

describe('the chat', () => {
  const bench = (answers: unknown[]) => {
    const sent: [string, unknown][] = [];
    const command = (t: string, d: unknown) => {
      sent.push([t, d]);
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : (Promise.resolve(answer) as never);
    };
    const wire = gatewayChat({ command, ask: () => Promise.resolve(true) });
    return { chat: new Chat(wire, () => 'p1'), sent };
  };
  const ids = (chat: Chat) => chat.messages.value.map((m) => Number(m.id));

  it('merges the newest page with what came meanwhile', async () => {
    const { chat } = bench([{ messages: [message(8), message(9)], more: true }]);
    const loading = chat.refresh();
    chat.arrived(message(10));
    await loading;
    expect(ids(chat)).toEqual([8, 9, 10]);
    expect(chat.more.value).toBe(true);
  });

  it('looks for a message in what the server has, not in what was kept', async () => {
    const { chat } = bench([
      { messages: [message(90), message(91)], more: true },
      { messages: [message(1), message(2)], more: false },
      { messages: [message(90), message(91)], more: true },
    ]);
    chat.remember([message(1), message(2)]);
    expect(await chat.seek('1')).toBe(true);
    await chat.refresh();
    expect(ids(chat)).toEqual([1, 2]);
  });

  it('counts what was missed while away, and leaves no hole unseen', async () => {
    const { chat } = bench([
      { messages: [message(1), message(2)], more: false },
      { messages: [message(2), message(3)], more: true },
      { messages: [message(90), message(91)], more: true },
    ]);
    await chat.refresh();
    expect(chat.unread.value).toBe(0);
    await chat.refresh();
    expect(ids(chat)).toEqual([1, 2, 3]);
    expect(chat.unread.value).toBe(1);
    expect(chat.more.value).toBe(false);
    await chat.refresh();
    expect(ids(chat)).toEqual([90, 91]);
    expect(chat.more.value).toBe(true);
  });

  it('shows a message once, however it comes back', async () => {
    const { chat, sent } = bench([{ message: message(5, 'p1') }]);
    const sending = chat.say('text 5', null);
    expect(chat.drafts.value).toHaveLength(1);
    chat.arrived(message(5, 'p1'));
    await sending;
    expect(ids(chat)).toEqual([5]);
    expect(chat.drafts.value).toHaveLength(0);
    expect((sent[0]?.[1] as { nonce: string }).nonce).toMatch(/^[0-9a-f]{24}$/);
  });

  it('keeps what was not taken, with its nonce, to be sent again', async () => {
    const { chat, sent } = bench([new CommandError('too_fast', ''), { message: message(7, 'p1') }]);
    await expect(chat.say('hi', null)).rejects.toMatchObject({ code: 'too_fast' });
    const draft = chat.drafts.value[0];
    expect(draft?.failed).toBe(true);
    if (draft) await chat.again(draft);
    expect(chat.drafts.value).toHaveLength(0);
    const nonces = sent.map(([, d]) => (d as { nonce: string }).nonce);
    expect(nonces[0]).toBe(nonces[1]);
  });

  it('pages through everything', async () => {
    const { chat, sent } = bench([
      { messages: [message(3), message(4)], more: true },
      { messages: [message(1), message(2)], more: false },
    ]);
    expect((await chat.all()).map((m) => m.id)).toEqual(['1', '2', '3', '4']);
    expect(sent[1]?.[1]).toMatchObject({ before: '3' });
  });

  it('orders ids as numbers', () => {
    const { chat } = bench([]);
    chat.arrived(message(10));
    chat.arrived(message(9));
    expect(ids(chat)).toEqual([9, 10]);
  });
});

describe('statistics', () => {
  const inbound = (t: number, bytes: number, packets: number, lost: number, freezes = 0) => ({
    id: 'in1',
    type: 'inbound-rtp',
    timestamp: t,
    kind: 'video',
    mid: '7',
    codecId: 'c',
    bytesReceived: bytes,
    packetsReceived: packets,
    packetsLost: lost,
    freezeCount: freezes,
    framesDecoded: 10,
  });
  it('are differences between two looks', () => {
    const sampler = new Sampler();
    const codec = { id: 'c', type: 'codec', timestamp: 0, mimeType: 'video/VP8' };
    sampler.take([inbound(1000, 0, 0, 0), codec]);
    const sample = sampler.take([
      inbound(3000, 250_000, 90, 10),
      codec,
      { id: 't', type: 'transport', timestamp: 3000, selectedCandidatePairId: 'p' },
      { id: 'p', type: 'candidate-pair', timestamp: 3000, localCandidateId: 'l', currentRoundTripTime: 0.04 },
      { id: 'l', type: 'local-candidate', timestamp: 3000, protocol: 'udp' },
    ]);
    expect(sample.received[0]).toMatchObject({ bitrate: 1_000_000, loss: 0.1, codec: 'VP8' });
    expect(sample).toMatchObject({ rttMs: 40, protocol: 'udp' });
    expect(linkQuality(sample)).toBe('fair');
  });
  it('become a report every ten seconds', () => {
    const sampler = new Sampler();
    const sample = (concealed: number, samples: number) =>
      sampler.take([
        inbound(0, 500, 10, 0, 3),
        { id: 'a', type: 'inbound-rtp', timestamp: 0, kind: 'audio', mid: '0', concealedSamples: concealed, totalSamplesReceived: samples },
      ]);
    const reporter = new Reporter();
    expect(reporter.take(sample(0, 48_000), 0)).toMatchObject({ received_bytes: 500, freezes: 3, concealed: 0 });
    expect(reporter.take(sample(0, 48_000), 9_999)).toBeNull();
    expect(reporter.take(sample(4_800, 96_000), 10_000)?.concealed).toBe(100);
  });
  it('call a picture that froze poor', () => {
    const sampler = new Sampler();
    const stream = sampler.take([inbound(0, 0, 0, 0, 2)]).received[0];
    expect(stream && streamQuality(stream, 1)).toBe('poor');
    expect(stream && streamQuality(stream, 2)).toBe('good');
  });
});

describe('clipping', () => {
  it('counts bytes and cuts no character', () => {
    expect(byteLength('上海')).toBe(6);
    expect(clip('上海', 5)).toBe('上');
    expect(clip('a😀', 4)).toBe('a');
    expect(clip('short', 64)).toBe('short');
  });
});
