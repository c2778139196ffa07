// What phones cost and how they sound, each figure beside its aim: capacity of a core, delay by clicks, a rough
// line, keys, and calls a second by sipp. usage: node tools/bench/phone/phone.mjs TOOLS [--only capacity,delay,…]
// Ends with 1 when an aim is missed. PARLEY: the program. As root the C tools run before everything else
// on the machine, so that other load does not count as ours.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { cleanup, sleep, until } from '../../../tests/e2e/support/cleanup.mjs';
import { freePort } from '../../../tests/e2e/support/ports.mjs';
import { sipp } from '../../../tests/peers/support/sip.mjs';
import { bye, call, pause, scenario } from '../../../tests/peers/support/scenario.mjs';
import { startServer } from '../../../tests/peers/support/parley.mjs';

const [tools, ...rest] = process.argv.slice(2);
const option = (name, fallback) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : fallback);
const wanted = option('--only', 'capacity,delay,rough,digits,calls').split(',');
const room = option('--room', '10');
const seconds = option('--seconds', '10');
const figures = [];

/** `aim`: ['at most' | 'at least', number]; none: told only. */
function figure(what, value, unit, aim) {
  const missed = aim !== undefined && !(aim[0] === 'at most' ? value <= aim[1] : value >= aim[1]);
  const load = loadavg()[0].toFixed(1);
  figures.push({ what, value, unit, aim: aim?.join(' '), missed, load });
  console.error(`${what}: ${value} ${unit}${aim ? ` (aim: ${aim.join(' ')}${missed ? ', MISSED' : ''})` : ''}; load ${load}`);
}

const first = process.getuid() === 0 && spawnSync('chrt', ['-r', '5', 'true']).status === 0 ? ['chrt', '-r', '5'] : [];

function tool(name, ...args) {
  const [command, ...words] = [...first, `${tools}/${name}`, ...args.map(String)];
  const out = execFileSync(command, words, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 600_000 });
  return JSON.parse(out.toString().trim().split('\n').at(-1));
}

function capacity() {
  const shape = (what, legs, talking, security, heard, least, aim) => {
    const seen = tool('phone_capacity', legs, talking, room, seconds, security, 'pcmu', ...(heard ? ['heard'] : []));
    figure(`${what}: CPU of ${legs} legs`, seen.cpu_percent, '%', ['at most', 70]);
    figure(`${what}: legs at 70 %`, seen.legs_at_70, '', ['at least', least]);
    if (aim) console.error(`  better: ${aim}`);
    figure(`${what}: packets heard by each a second`, seen.heard_per_leg_s, '', ['at least', 48]);
  };
  shape('all talking, PCMU', 185, 100, 'plain', false, 150, 185);
  shape('all talking, AES_CM_128_HMAC_SHA1_80', 120, 100, 'sdes80', false, 120);
  shape('all talking, AEAD_AES_128_GCM', 120, 100, 'gcm', false, 120);
  shape('one in five talking', 600, 20, 'plain', false, 600);
  // Somebody in each room listens at the other rate, and somebody in Opus, as browsers do.
  shape('all talking, others in each room, PCMU', 185, 100, 'plain', true, 150, 185);
  shape('all talking, others in each room, AES_CM_128_HMAC_SHA1_80', 120, 100, 'sdes80', true, 120);
  shape('one in five talking, others in each room', 600, 20, 'plain', true, 600);
  const idle = tool('phone_capacity', 600, 'idle', room, seconds, 'plain', 'pcmu');
  figure('600 legs that say nothing, in rooms: CPU', idle.cpu_percent, '%', ['at most', 1]);
}

function delay() {
  const seen = tool('phone_path', 'delay', 12);
  figure('telephone to participant, median of clicks, besides packets of 20 ms', seen.to_browser_ms, 'ms', ['at most', 60]);
  figure('telephone to participant, 95th percentile', seen.to_browser_p95_ms, 'ms');
  figure('participant to telephone, median of clicks, besides packets of 20 ms', seen.to_phone_ms, 'ms', ['at most', 60]);
  figure('participant to telephone, 95th percentile', seen.to_phone_p95_ms, 'ms');
  figure('clicks not heard', seen.missed, `of ${seen.clicks + seen.clicks_back + seen.missed}`, ['at most', 0]);
}

function rough() {
  const seen = tool('phone_path', 'rough', 60);
  figure('5 % loss, 40 ms jitter: lost on the way', seen.lost_percent, '%');
  // What is lost is lost: the aim is the line's, or what the dice really took and a packet in two hundred.
  figure('5 % loss, 40 ms jitter: concealed', seen.concealed_percent, '%', ['at most', Math.max(5, seen.lost_percent + 0.5)]);
  figure('jitter buffer then', seen.buffer_ms, 'ms', ['at most', 120]);
  figure('jitter buffer after 10 s of calm', seen.buffer_after_ms, 'ms', ['at most', 60]);
}

function digits() {
  const seen = tool('phone_path', 'digits', 1000);
  figure('1,000 keys at 10 % loss: received', seen.received, '', ['at least', 1000]);
  figure('1,000 keys at 10 % loss: in their order, once each', seen.same ? 1 : 0, '', ['at least', 1]);
}

const kib = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

async function calls() {
  const RATE = 100;
  const WARM_S = 45; // the stack keeps transactions for 32 s: then as many end as begin
  const MEASURED_S = 60;
  const port = await freePort();
  const server = await startServer({ 'phone.enabled': 'yes', 'phone.udp': `127.0.0.1:${port}`, 'phone.allow': '127.0.0.1' });
  await until('the process is ready', () => server.log.includes('phone_ready'));
  const bridge = Number(/phone_ready pid=(\d+)/.exec(server.log)[1]);
  const steps = scenario('load', [call(), pause(500), bye(2)]);
  const run = (time) => sipp(steps, port, { calls: RATE * time, rate: RATE, seconds: time + 60, args: ['-l', '2000'] });
  await run(WARM_S);
  const engine = async () => Math.round((await server.metrics()).parley_db_memory_bytes / 1024);
  const before = [kib(server.process.pid), kib(bridge), await engine()];
  const begun = Date.now();
  let failed = 0;
  await run(MEASURED_S).catch((error) => {
    failed = Number(/Failed call\s*\|[^|]*\|\s*(\d+)/.exec(error.message)?.[1] ?? 1);
    console.error(error.message.slice(0, 2000));
  });
  const took = (Date.now() - begun) / 1000;
  const after = [kib(server.process.pid), kib(bridge), await engine()];
  figure('100 calls a second for a minute: failed', failed, `of ${RATE * MEASURED_S}`, ['at most', 0]);
  figure('calls a second', Math.round((RATE * MEASURED_S) / took), '', ['at least', 95]);
  // Call records are kept; the pages of them in memory are bounded by the engine's cache.
  figure('memory of the database engine, more after the minute', after[2] - before[2], `KiB over ${before[2]}`);
  figure('memory of the server besides, more after the minute', after[0] - before[0] - (after[2] - before[2]), `KiB over ${before[0] - before[2]}`, ['at most', (before[0] - before[2]) / 20]);
  figure('memory of parley-phone, more after the minute', after[1] - before[1], `KiB over ${before[1]}`, ['at most', before[1] / 20]);
  await sleep(1000);
  figure('legs left', (await server.metrics()).parley_phone_legs, '', ['at most', 0]);
}

const parts = { capacity, delay, rough, digits, calls };
for (const name of wanted) {
  if (!parts[name]) throw new Error(`there is no ${name}; there are ${Object.keys(parts)}`);
  await parts[name]();
  await cleanup();
}
console.log(JSON.stringify(figures, null, 1));
const missed = figures.filter((one) => one.missed).length;
console.error(missed === 0 ? 'every aim is met' : `${missed} aims are missed`);
process.exit(missed === 0 ? 0 : 1);
