// Bad networks between one participant and the server; what is asked of us there is in
// docs/design/congestion.md. Ann speaks and is filmed on a good network, Ben is on the bad one.
import { check, sleep, until } from './support/cleanup.mjs';
import { figure } from './support/figures.mjs';
import { startImpair } from './support/impair.mjs';
import { allHear, join, launchChromium, newPerson } from './support/people.mjs';
import { recorder, Recording } from './support/recorder.mjs';
import { startServer } from './support/server.mjs';
import { startPublishers } from './support/whip.mjs';

export const limitMs = 180_000;

const MBIT = 1_000_000;
const TOP = 540;
const TILES = 8; // besides the speaker
/** A home router's: as much as passes in a third of a second. */
const QUEUE_MS = 300;

const round = (value, digits = 1) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : value);

function tell(what, part) {
  const { concealed, freezes, frozen, fps, kbps, lowest, height, plis } = part;
  console.log(`  ${what}: concealed ${round(concealed, 2)} %, freezes ${freezes} (${round(frozen)} s), ${round(fps)} fps, ` +
    `${round(kbps, 0)} kbit/s, ${lowest}-${height} lines, ${plis} PLI`);
}

/** The two in a meeting, Ben's picture of Ann at its top layer and being recorded. */
async function meeting({ fronts = 1, seed = 1, impaired = [] } = {}) {
  const server = await startServer();
  const impair = await startImpair(server.ports.media, { seed, fronts });
  await impair.say('stats', ...impaired);
  const { id } = await server.createMeeting();
  const browser = await launchChromium();
  const ann = await join(await newPerson(browser, server, { name: 'Ann', width: 960, height: TOP, busy: true }), id);
  const ben = await newPerson(browser, server, { name: 'Ben', width: 320, height: 180, via: impair.fronts[0] });
  await ben.page.addInitScript(recorder);
  await join(ben, id);
  await allHear([ann, ben]);
  await keepSize(ann);
  await ben.page.evaluate(() => window.__record.start());
  await until('the top layer', async () => (await latest(ben)).height === TOP, 40_000, 100);
  return { server, impair, id, browser, ann, ben };
}

/** On a slow machine fewer pictures, not smaller ones: the lines tell the layer. */
const keepSize = (person) => person.page.evaluate(async () => {
  for (const sender of window.__parley.pc.getSenders().filter((candidate) => candidate.track?.kind === 'video')) {
    await sender.setParameters({ ...sender.getParameters(), degradationPreference: 'maintain-resolution' });
  }
});

const latest = (person) => person.page.evaluate(() => window.__record.samples[window.__record.samples.length - 1]);

/** Waits, then what was received meanwhile. */
async function during(person, ms, skipMs = 0) {
  const from = Date.now() + skipMs;
  await sleep(ms + skipMs);
  return (await Recording.of(person)).between(from, Date.now());
}

/** Frames a second of each picture received over so long, by the id of who is in it. */
async function framesBySource(person, ms) {
  const now = () => person.page.evaluate(async () => {
    const { slots } = window.__parley.probe();
    const frames = await window.__test.decoded();
    return Object.fromEntries(slots.filter((slot) => slot.source?.kind === 'camera').map((slot) => [slot.source.id, frames[slot.mid] ?? 0]));
  });
  const before = await now();
  await sleep(ms);
  const after = await now();
  return Object.fromEntries(Object.keys(after).map((id) => [id, ((after[id] - (before[id] ?? 0)) * 1000) / ms]));
}

export const tests = {
  async '3, then 0.5, then 3 Mbit/s: speech whole, the picture smaller and back'() {
    const { impair, ben } = await meeting({ impaired: [`down rate ${3 * MBIT}`, `down queue 0 ${QUEUE_MS}`] });
    tell('3 Mbit/s', await during(ben, 5000));
    const start = Date.now();
    await impair.say(`down rate ${MBIT / 2}`);
    const narrow = await during(ben, 15_000);
    tell('0.5 Mbit/s', narrow);
    const back = Date.now();
    await impair.say(`down rate ${3 * MBIT}`);
    await until('the top layer again', async () => (await latest(ben)).height === TOP, 30_000, 100);
    await sleep(3000);
    const recording = await Recording.of(ben);
    const all = recording.between(start, Date.now());
    tell('all of it', all);
    check(narrow.height < TOP && narrow.fps > 0, `a smaller picture that moves: ${JSON.stringify(narrow)}`);
    check(all.concealed <= 3, `concealed: ${all.concealed} %`);
    figure('concealed', all.concealed, 1, ' %');
    figure('top layer again after', recording.after(back, (sample) => sample.height === TOP), 5000, ' ms');
  },

  async 'lost packets: 5, 10, 20 and 30 %'() {
    const { impair, ben } = await meeting();
    for (const [percent, concealed, freezes] of [[5, 2, 1], [10, 2, 1], [20, 4, Infinity], [30, 6, Infinity]]) {
      await impair.say(`both loss ${percent}`);
      const part = await during(ben, 15_000, 2000);
      tell(`${percent} % lost`, part);
      check(part.concealed <= 2 * concealed, `${percent} %: concealed ${part.concealed} %`);
      check(part.fps > 0, `${percent} %: ${part.fps} fps`);
      figure('concealed', part.concealed, concealed, ' %');
      figure('freezes a minute', (part.freezes * 60) / part.seconds, freezes);
    }
  },

  async 'lost in bursts, out of order and twice'() {
    const { impair, ben } = await meeting();
    await impair.say('both burst 1 30 80', 'both jitter 15 reorder', 'both duplicate 2', 'both delay 20');
    const part = await during(ben, 15_000, 2000);
    tell('bursts', part);
    check((await impair.stats()).down.reordered > 100, 'packets changed their order');
    check(part.concealed <= 4, `concealed: ${part.concealed} %`);
    check(part.fps > 0, `${part.fps} fps`);
    figure('concealed', part.concealed, 2, ' %');
  },

  async 'a round trip of 200 ms'() {
    const { impair, ben } = await meeting();
    await impair.say('both delay 100');
    const part = await during(ben, 15_000, 4000);
    tell('200 ms', part);
    check(part.concealed <= 2, `concealed: ${part.concealed} %`);
    check(part.fps > 0, `${part.fps} fps`);
    figure('lines lost', TOP - part.height, 0);
    figure('concealed', part.concealed, 1, ' %');
  },

  async 'a queue of a second is not kept full'() {
    const { impair, ben } = await meeting({ impaired: ['down queue 0 1000'] });
    await impair.say(`down rate ${MBIT}`);
    const whole = await during(ben, 15_000);
    tell('1 Mbit/s behind a second of queue', whole);
    const waits = [];
    for (let i = 0; i < 25; i++) {
      waits.push(((await impair.stats()).down.queued_bytes * 8000) / MBIT);
      await sleep(200);
    }
    waits.sort((a, b) => a - b);
    console.log(`  afterwards the queue holds ${round(waits[12], 0)} ms (median of 25), at most ${round(waits[24], 0)}`);
    check(waits[12] < 500, `the queue stays at ${waits[12]} ms`);
    check(whole.concealed <= 4, `concealed: ${whole.concealed} %`);
    check(whole.fps > 0, `${whole.fps} fps`);
    figure('median wait', waits[12], 100, ' ms');
    figure('concealed', whole.concealed, 2, ' %');
  },

  async 'no network for 3 s'() {
    const { impair, ben } = await meeting();
    await impair.say('both outage 3000');
    const end = Date.now() + 3000;
    await sleep(9000);
    const recording = await Recording.of(ben);
    const after = recording.between(end + 3000, Date.now());
    tell('from 3 s after it on', after);
    const took = recording.mediaAfter(end);
    check(took <= 10_000, `media after ${took} ms`);
    check(after.concealed <= 2 && after.fps > 0, `as before: ${JSON.stringify(after)}`);
    figure('media after', took, 1000, ' ms');
  },

  async 'another address: the NAT forgot, then an ICE restart by another way'() {
    const { impair, ben } = await meeting({ fronts: 2 });
    const start = Date.now();
    await impair.say('rebind');
    await sleep(6000);
    const rebound = (await Recording.of(ben)).mediaAfter(start);
    check(rebound <= 15_000, `media ${rebound} ms after the NAT forgot`);
    await ben.page.evaluate((port) => { window.__test.via = port; }, impair.fronts[1]);
    await impair.say('front 0 off');
    const restart = Date.now();
    await ben.page.evaluate(() => window.__parley.call.connection.peek().restart());
    await sleep(4000);
    const restarted = (await Recording.of(ben)).mediaAfter(restart);
    check(restarted <= 10_000, `media ${restarted} ms after the restart`);
    check((await impair.stats()).flows >= 2, 'by the other way');
    check(await ben.page.evaluate(() => window.__test.connections.filter((pc) => pc.connectionState !== 'closed').length) === 1, 'the same connection');
    figure('media after the NAT forgot', rebound, 1000, ' ms');
    figure('media after the restart', restarted, 1000, ' ms');
  },

  async 'nine pictures at 1 Mbit/s, then 150 kbit/s: speech and speaker stay, the least wanted go'() {
    const { server, impair, id, browser, ben } = await meeting({ impaired: [`down queue 0 ${QUEUE_MS}`] });
    await startPublishers(browser, server, id, TILES);
    await until('all are there', () => ben.page.evaluate((n) => window.__parley.probe().ids.length === n, TILES + 1));
    const order = await ben.page.evaluate(() => {
      const { session, people } = window.__parley.probe();
      const rank = (person) => (person.name === 'Ann' ? 0 : Number(person.name.replace('Tile', '')));
      const others = people.filter((person) => person.name !== 'Ben').sort((a, b) => rank(a) - rank(b)).map((person) => person.id);
      const command = session.command.bind(session);
      session.command = (type, d) => (type === 'media.view' ? Promise.resolve() : command(type, d)); // ours, not the page's
      void command('media.view', { tiles: others.map((who, i) => ({ source: { id: who, kind: 'camera' }, height: 180, priority: 100 - i })) });
      return others;
    });
    await until('nine pictures', async () => Object.values(await framesBySource(ben, 500)).filter((fps) => fps > 0).length === TILES + 1, 30_000);
    const mid = await ben.page.evaluate((ann) => window.__parley.probe().slots.find((slot) => slot.source?.id === ann)?.mid, order[0]);
    await ben.page.evaluate((speaker) => window.__record.start(speaker), mid);
    await impair.say(`down rate ${MBIT}`);
    await sleep(8000);
    const from = Date.now();
    const rates = await framesBySource(ben, 12_000);
    const part = (await Recording.of(ben)).between(from, Date.now());
    tell('1 Mbit/s', part);
    const frames = order.map((who) => round(rates[who] ?? 0));
    console.log(`  pictures a second, most wanted first: ${frames.join(' ')}`);
    check(part.concealed <= 2, `concealed: ${part.concealed} %`);
    check(frames[0] > 0, `the speaker: ${frames[0]} fps`);
    const gone = frames.findIndex((fps) => fps < 0.5);
    check(gone >= 2 && frames.slice(gone + 1).every((fps) => fps < 2), `not in their order: ${frames}`);
    figure('concealed', part.concealed, 1, ' %');
    figure("the speaker's freezes", part.freezes, 0);
    await impair.say('down rate 150000');
    const narrow = await during(ben, 15_000, 5000);
    tell('150 kbit/s', narrow);
    check(narrow.concealed <= 6, `concealed: ${narrow.concealed} %`);
    figure('concealed', narrow.concealed, 2, ' %');
  },
};
