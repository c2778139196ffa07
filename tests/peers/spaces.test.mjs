// Two people and a viewer work in a space, over REST of a real server.
import { check, onCleanup, until } from '../e2e/support/cleanup.mjs';
import { parley, startServer } from './support/parley.mjs';
import { websocket } from './support/websocket.mjs';

const password = 'a quiet lake at dawn';

function equal(seen, expected, what) {
  check(JSON.stringify(seen) === JSON.stringify(expected), `${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`);
}

/** Calls as somebody: api(status, method, path, body) -> what was answered. */
function caller(server, token) {
  return async (status, method, path, body, headers = {}) => {
    const raw = body instanceof Uint8Array;
    const reply = await fetch(`${server.url}/api/v1/${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined || raw ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined || raw ? body : JSON.stringify(body),
    });
    const text = await reply.text();
    equal(reply.status, status, `${method} ${path}: ${text.slice(0, 300)}; status`);
    const json = /json/.test(reply.headers.get('content-type') ?? '');
    return { headers: reply.headers, text, ...(json ? JSON.parse(text) : {}) };
  };
}

async function signIn(server, email) {
  const { token, user } = await caller(server)(201, 'POST', 'session', { email, password });
  return { as: caller(server, token), id: user.id, token };
}

/** Identifies at the gateway: the first dispatch {t, d}. */
async function identify(server, d) {
  const socket = await websocket(server.ports.http, '/gateway');
  onCleanup(() => socket.end());
  socket.send(JSON.stringify({ op: 'identify', d }));
  for (;;) {
    const frame = JSON.parse(await socket.next());
    if (frame.op === 'dispatch') return frame;
    check(frame.op !== 'invalid', `refused: ${JSON.stringify(frame)}`);
  }
}

/** In a meeting, or in a session for spaces: command(t, d) -> its result, and heard(t) -> the next dispatch of that kind. */
async function atGateway(server, d) {
  const socket = await websocket(server.ports.http, '/gateway');
  onCleanup(() => socket.end());
  const kept = [];
  const next = async (wanted) => {
    const at = kept.findIndex(wanted);
    if (at >= 0) return kept.splice(at, 1)[0];
    for (;;) {
      const frame = JSON.parse(await socket.next());
      check(frame.op !== 'invalid', `refused: ${JSON.stringify(frame)}`);
      if (wanted(frame)) return frame;
      kept.push(frame);
    }
  };
  socket.send(JSON.stringify({ op: 'identify', d }));
  const { t, d: ready } = await next((frame) => /ready$|^waiting$/.test(frame.t));
  equal(t, d.spaces ? 'spaces.ready' : 'ready', 'let in');
  let s = 0;
  return {
    ready,
    heard: async (type) => (await next((frame) => frame.t === type)).d,
    async command(type, args) {
      const mine = ++s;
      socket.send(JSON.stringify({ op: 'command', s: mine, t: type, d: args }));
      const reply = (await next((frame) => frame.t === 'reply' && frame.d.command === mine)).d;
      return reply.ok ? reply.result : reply.error;
    },
  };
}

/** Ada, an admin; Bob, Eve and Out. */
async function people(server) {
  await caller(server)(201, 'POST', 'setup', { email: 'ada@example.org', name: 'Ada', password });
  const ada = await signIn(server, 'ada@example.org');
  for (const name of ['Bob', 'Eve', 'Out'])
    await ada.as(201, 'POST', 'users', { email: `${name.toLowerCase()}@example.org`, name, password });
  return [ada, await signIn(server, 'bob@example.org'), await signIn(server, 'eve@example.org'), await signIn(server, 'out@example.org')];
}

export const tests = {
  async 'two people and a viewer: chat, a thread, files, a demotion, a link, the end'() {
    const server = await startServer();
    const [ada, bob, eve, out] = await people(server);
    const space = (await bob.as(201, 'POST', 'spaces', { name: 'Harbour 港' })).id;
    const at = (rest) => `spaces/${space}/${rest}`;
    await bob.as(201, 'POST', at('members'), { email: 'ada@example.org', role: 'editor' });
    await bob.as(201, 'POST', at('members'), { email: 'eve@example.org', role: 'viewer' });
    const start = (await eve.as(200, 'GET', 'events?after=-1')).last;

    // Chat: sent again after a lost answer, it is there once.
    const key = { 'Idempotency-Key': 'one' };
    const first = await ada.as(201, 'POST', at('messages'), { text: 'hello @Eve', mentions: [eve.id] }, key);
    equal((await ada.as(201, 'POST', at('messages'), { text: 'hello @Eve' }, key)).id, first.id, 'the same message');
    await eve.as(201, 'POST', at('messages'), { text: 'good morning', thread: first.id });
    await bob.as(200, 'POST', at(`messages/${first.id}/reactions`), { emoji: '👍' });
    await ada.as(200, 'PATCH', at(`messages/${first.id}`), { text: 'hello @Eve!' });
    const page = await bob.as(200, 'GET', at('messages?limit=1'));
    equal(page.items.map((item) => item.text), ['good morning'], 'the newest');
    const rest = await bob.as(200, 'GET', at(`messages?limit=1&cursor=${page.next_cursor}`));
    equal(rest.items.map((item) => [item.text, item.replies, item.reactions]), [['hello @Eve!', 1, [{ emoji: '👍', by: [bob.id] }]]], 'the one before');
    equal(rest.next_cursor, undefined, 'the end');
    const seen = await eve.as(200, 'GET', `spaces/${space}`);
    equal([seen.unread, seen.mentions], [1, 1], 'unread, mentions');
    await eve.as(204, 'POST', at(`messages/${first.id}/read`));
    equal((await eve.as(200, 'GET', `spaces/${space}`)).unread, 0, 'unread');

    // Who was away gets the rest.
    const events = await eve.as(200, 'GET', `events?after=${start}`);
    equal(events.items.filter((event) => event.type === 'message.added').map((event) => event.messages[0].text), ['hello @Eve!', 'good morning'], 'messages of the events');

    // Files.
    const content = new TextEncoder().encode('<script>alert(1)</script> and more');
    await eve.as(403, 'POST', at('files?name=no'), content);
    const file = await ada.as(201, 'POST', at('files?name=%E6%B8%AF.html'), content, { 'Content-Type': 'text/html' });
    equal(file.name, '港.html', 'name');
    const got = await eve.as(200, 'GET', `files/${file.id}/content`);
    equal(got.text, new TextDecoder().decode(content), 'content');
    check(got.headers.get('content-security-policy').includes('sandbox'), 'no sandbox');
    equal(got.headers.get('x-content-type-options'), 'nosniff', 'nosniff');
    check(got.headers.get('content-disposition').startsWith('attachment'), 'it is no attachment');
    const part = await eve.as(206, 'GET', `files/${file.id}/content`, undefined, { Range: 'bytes=1-6' });
    equal([part.text, part.headers.get('content-range')], ['script', `bytes 1-6/${content.length}`], 'part');
    await eve.as(416, 'GET', `files/${file.id}/content`, undefined, { Range: 'bytes=999-' });
    await ada.as(204, 'DELETE', `files/${file.id}`);
    await eve.as(404, 'GET', `files/${file.id}/content`);
    await ada.as(200, 'PATCH', `files/${file.id}`, { deleted: false, name: 'harbour.html' });
    equal((await eve.as(200, 'GET', at('files'))).items.map((item) => item.name), ['harbour.html'], 'files');

    // To others there is no such space, admin or not; nor such a file.
    for (const path of [`spaces/${space}`, at('messages'), at('files'), at('members'), `files/${file.id}`, `files/${file.id}/content`])
      await out.as(404, 'GET', path);
    equal((await out.as(200, 'GET', 'spaces')).items, [], 'spaces of an outsider');

    // A meeting of the space: members see it, viewers start none.
    await eve.as(403, 'POST', at('meetings'), {});
    const meeting = await ada.as(201, 'POST', at('meetings'), { title: 'Stand-up' });
    equal((await eve.as(200, 'GET', at('meetings'))).items.map((item) => [item.id, item.title]), [[meeting.id, 'Stand-up']], 'meetings');
    await out.as(404, 'GET', at('meetings'));
    const started = await eve.as(200, 'GET', `events?after=${events.last}`);
    check(started.items.some((event) => event.type === 'meeting.started' && event.id === meeting.id), 'nobody was told of the meeting');

    const join = (person, more = {}) => identify(server, { meeting: meeting.id, name: 'x', account: person.token, ...more });
    const joined = await join(ada);
    equal([joined.t, joined.d.role], ['ready', 'cohost'], 'an editor in the meeting');
    equal((await join(bob)).d.role, 'host', 'the owner in the meeting');
    equal((await join(eve)).d.role, 'participant', 'a viewer in the meeting');
    equal((await join(out)).t, 'waiting', 'a guest at the meeting');

    // Demoted in the middle: at once.
    await bob.as(200, 'PATCH', at(`members/${ada.id}`), { role: 'viewer' });
    equal((await join(ada, { token: joined.d.token })).d.role, 'participant', 'who was an editor in the meeting');
    await ada.as(403, 'POST', at('files?name=late'), content);
    await bob.as(403, 'DELETE', at('members/me'));
    await bob.as(204, 'DELETE', at(`members/${ada.id}`));
    await ada.as(404, 'GET', at('messages'));

    // A link, once.
    const { token } = await bob.as(201, 'POST', at('links'), { role: 'editor', uses: 1 });
    await out.as(200, 'POST', `links/${token}/members`);
    await ada.as(404, 'POST', `links/${token}/members`);
    await out.as(201, 'POST', at('messages'), { text: 'in' });

    const listed = await parley(['space', 'list', '--data', server.data]);
    check(listed.code === 0 && listed.out.includes(space) && !listed.out.includes('Harbour'), `parley space list: ${listed.out}${listed.err}`);
    await bob.as(412, 'DELETE', `spaces/${space}`, undefined, { 'If-Match': '"99"' });
    await bob.as(204, 'DELETE', `spaces/${space}`);
    for (const person of [bob, eve, out]) await person.as(404, 'GET', at('messages'));
  },

  async 'the chat of a meeting is the space’s: members by their role, a guest in it only'() {
    const server = await startServer();
    const [ada, bob] = await people(server);
    const space = (await ada.as(201, 'POST', 'spaces', { name: 'Harbour' })).id;
    const at = (rest) => `spaces/${space}/${rest}`;
    await ada.as(201, 'POST', at('members'), { email: 'bob@example.org', role: 'viewer' });
    await ada.as(201, 'POST', at('messages'), { text: 'for members only' });
    const meeting = await ada.as(201, 'POST', at('meetings'), { title: 'Tides', open: true });
    const host = await atGateway(server, { meeting: meeting.id, name: 'x', account: ada.token });
    const guest = await atGateway(server, { meeting: meeting.id, name: 'Gus' });
    equal((await guest.command('chat.history', {})).messages, [], 'a guest sees nothing of the space');

    const { message } = await guest.command('chat.send', { text: 'hello', nonce: 'n' });
    equal([(await host.heard('chat.message')).message.id, message.author_name, message.author], [message.id, 'Gus', guest.ready.self], 'said in the meeting');
    const listed = (await bob.as(200, 'GET', at('messages'))).items;
    equal(listed.map(({ text, guest: by }) => [text, by]), [['hello', true], ['Tides', false], ['for members only', false]], 'and in the space');
    equal(listed[0].thread, listed[1].id, 'as a thread');

    // Answered from the space, by one who is not in the meeting.
    const { id } = await bob.as(201, 'POST', at('messages'), { text: 'hello Gus', reply_to: message.id });
    await guest.heard('chat.message'); // their own
    const told = (await guest.heard('chat.message')).message;
    equal([told.id, told.author, told.reply_to], [id, bob.id, message.id], 'heard in the meeting');
    await bob.as(200, 'POST', at(`messages/${message.id}/reactions`), { emoji: '👍' });
    equal((await guest.heard('chat.update')).message.reactions, [{ emoji: '👍', by: [bob.id] }], 'a reaction');

    equal((await guest.command('chat.delete', { id })).code, 'denied', 'a guest deletes nobody else’s');
    const page = await host.command('chat.history', {});
    equal([page.messages.map(({ text }) => text), page.self, page.moderates], [['hello', 'hello Gus'], ada.id, true], 'the host’s');
    equal((await host.command('chat.delete', { id })).message.text, '', 'an owner does');
    await guest.command('host.end', {});
    await host.command('host.end', {});
    equal((await ada.as(201, 'POST', at('messages'), { text: 'later', thread: listed[1].id })).meeting, meeting.id, 'the thread goes on');
  },

  async 'who types, who has read: told to those who have the space open'() {
    const server = await startServer();
    const [ada, bob, , out] = await people(server);
    const space = (await ada.as(201, 'POST', 'spaces', { name: 'Harbour' })).id;
    await ada.as(201, 'POST', `spaces/${space}/members`, { email: 'bob@example.org', role: 'viewer' });
    const open = (person) => atGateway(server, { spaces: true, account: person.token });
    const [adas, bobs, outs] = [await open(ada), await open(bob), await open(out)];
    await bobs.command('space.typing', { space });
    await bobs.command('space.typing', { space }); // at once again: not told
    equal(await adas.heard('space.typing'), { space, account: bob.id }, 'who types');
    const { id } = await bob.as(201, 'POST', `spaces/${space}/messages`, { text: 'hello' });
    await ada.as(204, 'POST', `spaces/${space}/messages/${id}/read`);
    equal(await bobs.heard('space.read'), { space, account: ada.id, read_to: id }, 'who has read');
    const marks = (await bob.as(200, 'GET', `spaces/${space}/receipts`)).items;
    equal(marks.find((mark) => mark.account === ada.id).read_to, id, 'and later too');

    equal((await outs.command('space.typing', { space })).code, 'not_found', 'an outsider types nowhere');
    equal((await adas.command('hand', { raised: true })).code, 'denied', 'no meeting');

    const socket = await websocket(server.ports.http, '/gateway');
    onCleanup(() => socket.end());
    socket.send(JSON.stringify({ op: 'identify', d: { spaces: true } }));
    for (let frame = {}; frame.op !== 'invalid'; ) {
      frame = JSON.parse(await socket.next());
      check(frame.op !== 'dispatch', 'let in without an account');
    }
  },

  async 'events come by themselves, from the number one knows on; who is put out hears no more'() {
    const server = await startServer();
    const [ada, bob, , out] = await people(server);
    const space = (await ada.as(201, 'POST', 'spaces', { name: 'Harbour' })).id;
    await ada.as(201, 'POST', `spaces/${space}/members`, { email: 'bob@example.org', role: 'editor' });
    const say = async (text) => (await ada.as(201, 'POST', `spaces/${space}/messages`, { text })).id;
    const open = (person) => atGateway(server, { spaces: true, account: person.token });
    const start = (await ada.as(200, 'GET', 'events?after=-1')).last;
    const missed = [];
    for (let i = 0; i < 450; i++) missed.push(await say(`m${i}`));

    // Three pages, then what comes.
    const bobs = await open(bob);
    const seen = [];
    let page = { last: start, more: true };
    while (page.more) {
      page = await bobs.command('space.events', { after: page.last });
      seen.push(...page.items.map(({ messages }) => messages[0].id));
    }
    equal(seen, missed, 'what was missed');
    const outs = await open(out);
    equal((await outs.command('space.events', { after: -1 })).items, [], 'an outsider asks where it is now');
    const told = performance.now();
    const id = await say('live');
    const pushed = await bobs.heard('space.events');
    check(performance.now() - told < 1000, 'within a second');
    equal([pushed.items.map(({ type, id: of }) => [type, of]), pushed.last > page.last], [[['message.added', id]], true], 'pushed');
    equal((await bob.as(200, 'GET', `events?after=${page.last}`)).items, pushed.items, 'the same by REST');

    equal((await bobs.command('space.events', { after: pushed.last + 1000 })).code, 'limited', 'a number that never was');
    equal((await bobs.command('space.events', {})).code, 'invalid', 'no number');
    await bobs.command('space.events', { after: pushed.last });
    await ada.as(204, 'DELETE', `spaces/${space}/members/${bob.id}`);
    equal((await bobs.heard('space.events')).items[0].type, 'space.left', 'put out');
    await say('not for Bob');
    // The next thing either of them hears is of a space of their own.
    for (const [person, session] of [[bob, bobs], [out, outs]]) {
      const own = (await person.as(201, 'POST', 'spaces', { name: 'Own' })).id;
      const { items } = await session.heard('space.events');
      check(items.every((event) => (event.space ?? event.id) === own), `heard ${JSON.stringify(items)}`);
    }
  },

  async 'a right that was just used is gone at once when it is taken'() {
    const server = await startServer();
    const [ada, bob] = await people(server);
    const space = (await ada.as(201, 'POST', 'spaces', { name: 'Harbour' })).id;
    const at = (rest) => `spaces/${space}/${rest}`;
    await ada.as(201, 'POST', at('members'), { email: 'bob@example.org', role: 'editor' });
    for (let i = 0; i < 20; i++) {
      await ada.as(200, 'PATCH', at(`members/${bob.id}`), { role: 'editor' });
      for (let again = 0; again < 2; again++) await bob.as(201, 'POST', at('files?name=x'), new Uint8Array([1]));
      await ada.as(200, 'PATCH', at(`members/${bob.id}`), { role: 'viewer' });
      await bob.as(403, 'POST', at('files?name=x'), new Uint8Array([1]));
    }
    await bob.as(200, 'GET', at('messages'));
    await ada.as(204, 'DELETE', at(`members/${bob.id}`));
    await bob.as(404, 'GET', at('messages'));
    // A session that was asked about just now, ended on another device.
    const other = await signIn(server, 'bob@example.org');
    await other.as(200, 'GET', 'me');
    const { items } = await bob.as(200, 'GET', 'me/sessions');
    for (const { id } of items.filter(({ current }) => !current)) await bob.as(204, 'DELETE', `me/sessions/${id}`);
    await other.as(401, 'GET', 'me');
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const reads = (result) => Number(new RegExp(`parley_cache_reads_total\\{result="${result}"\\} (\\d+)`).exec(metrics)?.[1] ?? 0);
    check(reads('hit') > reads('miss'), `cache: ${reads('hit')} hits, ${reads('miss')} misses`);
  },

  async 'written later: once, also when the server was killed, and down when its time came'() {
    const server = await startServer();
    const [ada, bob] = await people(server);
    const space = (await ada.as(201, 'POST', 'spaces', { name: 'Harbour' })).id;
    const at = (rest) => `spaces/${space}/${rest}`;
    await ada.as(201, 'POST', at('members'), { email: 'bob@example.org', role: 'viewer' });
    const texts = async () => (await bob.as(200, 'GET', at('messages'))).items.map(({ text }) => text);
    const send_at = Date.now() + 1500;
    const one = await ada.as(201, 'POST', at('scheduled'), { text: 'one', send_at });
    const two = await ada.as(201, 'POST', at('scheduled'), { text: 'two', send_at: Date.now() + 3_600_000 });
    await bob.as(404, 'DELETE', at(`scheduled/${one.id}`));
    await server.stop('SIGKILL');
    await until('its time has come', () => Date.now() > send_at);
    for (let i = 0; i < 2; i++) {
      await server.start();
      await until('written', async () => (await texts()).length > 0);
      await server.stop('SIGKILL');
    }
    await server.start();
    equal(await texts(), ['one'], 'once');
    equal((await ada.as(200, 'GET', at('scheduled'))).items.map(({ text }) => text), ['two'], 'what waits');
    await ada.as(200, 'PATCH', at(`scheduled/${two.id}`), { send_at: Date.now() + 300, text: 'two, sooner' });
    await until('written at its new time', async () => (await texts()).includes('two, sooner'));
    const three = await ada.as(201, 'POST', at('scheduled'), { text: 'three', send_at: Date.now() + 3_600_000 });
    await ada.as(204, 'DELETE', at(`scheduled/${three.id}`));
    equal((await ada.as(200, 'GET', at('scheduled'))).items, [], 'nothing waits');
  },
};
