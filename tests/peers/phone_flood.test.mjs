// A flood of scanners' packets from a source that is not let in, while calls go on: their sound loses
// nothing, and what the flood costs is told.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, until } from '../e2e/support/cleanup.mjs';
import { figure } from '../e2e/support/figures.mjs';
import { built, parley, run, scratch, startServer } from './support/parley.mjs';
import { freePort } from '../e2e/support/ports.mjs';
import { flood, telephone } from './support/telephone.mjs';

const CALLS = 20;
const RATE = 20000;
const SECONDS = 10;

/** CPU seconds of a process so far. */
const cpu = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

async function meeting() {
  const port = await freePort();
  const server = await startServer({ 'phone.enabled': 'yes', 'phone.udp': `127.0.0.1:${port}`, 'phone.allow': '127.0.0.1' });
  await until('the process is ready', () => server.log.includes('phone_ready'));
  const created = await parley(['meeting', 'create', '--data', server.data, '--name', 'Flood', '--json']);
  return { server, port, ...JSON.parse(created.out), pid: () => Number(server.log.match(/phone_ready pid=(\d+)/g).at(-1).slice(16)) };
}

async function callers(count, { server, port, pin }) {
  const phones = await Promise.all(Array.from({ length: count }, () => telephone(port)));
  await Promise.all(phones.map((phone) => phone.press(`${pin}#`)));
  await until('all are in', async () => (await server.metrics()).parley_phone_legs === count);
  return phones;
}

export const tests = {
  async '20,000 packets a second of a stranger: calls lose nothing'() {
    const place = await meeting();
    const phones = await callers(CALLS, place);
    phones.forEach((phone) => phone.count());
    const before = cpu(place.pid());
    const sent = await flood({ from: '127.0.0.77', port: place.port, rate: RATE, seconds: SECONDS });
    const spent = cpu(place.pid()) - before;
    const lost = phones.map((phone) => phone.counted());
    const gaps = lost.reduce((sum, one) => sum + one.lost, 0);
    const heard = lost.reduce((sum, one) => sum + one.received, 0);
    console.log(`  ${Math.round(sent / SECONDS)} packets a second for ${SECONDS} s: ${heard} RTP packets heard in ${CALLS} calls, ${gaps} missing; parley-phone used ${spent.toFixed(2)} s of CPU`);
    figure('packets a second under what was asked', Math.round(RATE - sent / SECONDS), RATE / 10);
    check(heard > CALLS * SECONDS * 40, `only ${heard} packets were heard`);
    check(gaps === 0, `${gaps} packets are missing`);
    check(spent < 0.5, `the flood cost ${spent} s`);
    check(!place.server.log.includes('phone_down'), 'the process ended');
    await Promise.all(phones.map((phone) => phone.hangUp()));
  },

  async 'killed under 50 calls: whoever is in the meeting by other ways notices nothing, and it is back'() {
    const place = await meeting();
    await callers(50, place);
    // Two publishers and six listeners beside them, who count what they miss.
    const file = join(scratch(), 'report.json');
    const at = `http://127.0.0.1:${place.server.ports.http}`;
    const sfuload = await built('sfuload');
    const loaded = run(sfuload, ['--via', 'whip', '--whip', `${at}/whip/${place.id}?as={pub}`, '--whep', `${at}/whep/${place.id}?from={pub}`, '--pubs', '2', '--subs', '6', '--kbps', '300', '--srtp', 'gcm128', '--warm', '2', '--time', '6', '--json', file]);
    await new Promise((resolve) => setTimeout(resolve, 4000)); // while it counts
    const killed = Date.now();
    process.kill(place.pid(), 'SIGKILL');
    await until('the callers are out', async () => (await place.server.metrics()).parley_phone_legs === 0);
    await until('it is back', () => place.server.log.match(/phone_ready/g).length === 2);
    console.log(`  50 legs gone and the process back after ${Date.now() - killed} ms`);
    check(Date.now() - killed < 2000, `after ${Date.now() - killed} ms`);
    const done = await loaded;
    check(done.code === 0, `sfuload: ${done.out}${done.err}`);
    const seen = JSON.parse(readFileSync(file, 'utf8'));
    console.log(`  ${seen.received} packets heard beside them, ${seen.lost} lost, ${seen.damaged} damaged`);
    check(seen.received > 0 && seen.lost === 0 && seen.damaged === 0 && seen.srtp_errors === 0, `lost or damaged: ${done.out}`);
    await callers(1, place);
  },
};
