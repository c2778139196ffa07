// ./dev bench net: speech and picture on bad networks, Parley beside Janus, by the same proxy, page
// and browser. node net.mjs OUT.json [--servers "parley janus"] [--scenarios "step loss10"] [--repeats 3]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cleanup, sleep, until } from '../../../tests/e2e/support/cleanup.mjs';
import { median } from '../../../tests/e2e/support/figures.mjs';
import { startImpair } from '../../../tests/e2e/support/impair.mjs';
import { enterNet } from '../../../tests/e2e/support/net.mjs';
import { launchChromium } from '../../../tests/e2e/support/people.mjs';
import { Recording } from '../../../tests/e2e/support/recorder.mjs';
import { publisherPage, SIZE, viewerPage } from './pages.mjs';
import { scenarios } from './scenarios.mjs';
import { servers } from './servers.mjs';

enterNet();

const { values, positionals } = parseArgs({
  options: {
    servers: { type: 'string', default: 'parley' },
    scenarios: { type: 'string', default: Object.keys(scenarios).join(' ') },
    repeats: { type: 'string', default: '3' },
  },
  allowPositionals: true,
});

/** One server, one viewer at the top layer, one scenario. */
async function run(server, scenario, seed) {
  const at = await servers[server]();
  const impair = await startImpair(0, { seed });
  const browser = await launchChromium();
  await at.publisher(await publisherPage(browser));
  const viewer = await viewerPage(browser, impair.fronts[0]);
  await until('a viewer', () => at.viewer(viewer, impair).then(() => true), 20_000, 500);
  await viewer.evaluate(() => window.__record.start());
  const latest = () => viewer.evaluate(() => window.__record.samples[window.__record.samples.length - 1]);
  await until('the top layer', async () => {
    const { height, packets, frames } = await latest();
    if (height !== SIZE.height) throw new Error(`${height} lines, ${frames} frames, ${packets} packets of speech`);
    return true;
  }, 40_000, 100);
  await sleep(2000);
  const recording = () => Recording.of({ page: viewer });
  return scenarios[scenario]({
    say: (...lines) => impair.say(...lines),
    stats: () => impair.stats(),
    recording,
    async during(ms, skipMs = 0) {
      const from = Date.now() + skipMs;
      await sleep(ms + skipMs);
      return ms < 1000 ? null : (await recording()).between(from, Date.now());
    },
  });
}

const round = (value) => (Number.isFinite(value) ? Number(value.toFixed(value < 10 ? 2 : 0)) : 'never');
const runs = [];
const words = (list) => list.split(/\s+/).filter(Boolean);
for (const scenario of words(values.scenarios)) {
  for (let repeat = 1; repeat <= Number(values.repeats); repeat++) {
    for (const server of words(values.servers)) {
      try {
        const figures = await run(server, scenario, repeat);
        runs.push({ scenario, server, repeat, ...figures });
      } catch (error) {
        runs.push({ scenario, server, repeat, failed: error.message });
      }
      console.error(JSON.stringify(runs[runs.length - 1]));
      await cleanup();
    }
  }
}

const summary = [];
for (const scenario of words(values.scenarios)) {
  for (const server of words(values.servers)) {
    const list = runs.filter((one) => one.scenario === scenario && one.server === server);
    const good = list.filter((one) => !one.failed);
    const row = { scenario, server, runs: good.length, failed: list.length - good.length };
    const fields = Object.keys(good[0] ?? {}).filter((field) => !['scenario', 'server', 'repeat'].includes(field));
    for (const field of fields) row[field] = round(median(good.map((one) => one[field])));
    summary.push(row);
  }
}
console.table(summary);
if (positionals[0]) writeFileSync(positionals[0], JSON.stringify({ summary, runs }, null, 1));
process.exit(runs.some((one) => one.failed) ? 1 : 0);
