// What hosts do to others, seen by the others.
import { check, until } from './support/cleanup.mjs';
import { allHear, join, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const idOf = (person) => person.page.evaluate(() => window.__parley.probe().self);
const act = (person, type, args) =>
  person.page.evaluate(({ t, d }) => window.__parley.probe().session.command(t, d).then(() => 'ok', (e) => e.code), { t: type, d: args });

export const tests = {
  async 'lobby: knock, admit, refuse'() {
    const server = await startServer();
    const { id, token } = await server.createMeeting({ lobby: true });
    const browser = await launchChromium();
    const host = await join(await newPerson(browser, server, { name: 'Ann' }), id, { token });
    const ben = await join(await newPerson(browser, server, { name: 'Ben' }), id, { wait: false });
    await ben.page.getByTestId('lobby').waitFor();
    await host.page.getByTestId('people-toggle').click();
    await host.page.getByTestId('admit').first().click();
    await ben.page.getByTestId('leave-button').waitFor();
    await allHear([host, ben]);
    const eve = await join(await newPerson(browser, server, { name: 'Eve' }), id, { wait: false });
    await eve.page.getByTestId('lobby').waitFor();
    await host.page.getByTestId('refuse').first().click();
    await eve.page.getByTestId('ended-page').waitFor();
  },

  async 'mute, unmute, remove: the removed cannot come back by their token'() {
    const server = await startServer();
    const { id, token } = await server.createMeeting();
    const browser = await launchChromium();
    const host = await join(await newPerson(browser, server, { name: 'Ann' }), id, { token });
    const ben = await join(await newPerson(browser, server, { name: 'Ben' }), id);
    await allHear([host, ben]);
    const benId = await idOf(ben);
    check((await act(ben, 'host.mute', { id: await idOf(host) })) === 'denied', 'Ben is no host');
    check((await act(host, 'host.mute', { id: benId })) === 'ok', 'Ann mutes Ben');
    await until('Ben is silent', async () => ((await host.page.evaluate((t) => window.__test.heard([t]), ben.tone))[ben.tone] ?? 0) < 6);
    await until('Ben sees it', async () => (await ben.page.getByTestId('mic-toggle').getAttribute('aria-pressed')) === 'false');
    await ben.page.getByTestId('mic-toggle').click();
    await allHear([host, ben]);
    check((await act(host, 'host.remove', { id: benId })) === 'ok', 'Ann removes Ben');
    await ben.page.getByTestId('ended-page').waitFor();
    await ben.page.reload();
    await ben.page.getByTestId('name-input').fill('Ben');
    await ben.page.getByTestId('join-button').click();
    await ben.page.getByTestId('ended-page').waitFor();
  },

  async 'statistics: a host reads of each person what the server measures beside what they report'() {
    const server = await startServer();
    const { id, token } = await server.createMeeting();
    const browser = await launchChromium();
    const host = await join(await newPerson(browser, server, { name: 'Ann' }), id, { token });
    const ben = await join(await newPerson(browser, server, { name: 'Ben' }), id);
    await allHear([host, ben]);
    const benId = await idOf(ben);
    const ask = (bearer) =>
      fetch(`${server.url}/api/v1/meetings/${id}/stats`, { headers: { authorization: `Bearer ${bearer}` } });
    const tokenOf = (person) => person.page.evaluate((meeting) => sessionStorage.getItem(`parley.token.${meeting}`), id);
    check((await ask(await tokenOf(ben))).status === 404, 'Ben is no host');
    const seen = await until('a report of Ben', async () => {
      const { participants } = await (await ask(token)).json();
      const found = participants.find((p) => p.id === benId);
      return found.client.ago >= 0 && found.client.report.sent_bytes > 500_000 && found;
    }, 90_000, 60);
    const { report, ago } = seen.client;
    const sum = (streams, field) => streams.reduce((all, s) => all + s[field], 0);
    // Five parts in a hundred, and what has gone over the wire since the report was made.
    const alike = (ours, theirs) => {
      const since = (sum(ours, 'bitrate') / 8) * (ago / 1000 + 1);
      return Math.abs(sum(ours, 'bytes') - theirs) < theirs * 0.05 + since;
    };
    check(alike(seen.server.tracks, report.sent_bytes), `sent: ${JSON.stringify(seen)}`);
    check(alike(seen.server.slots, report.received_bytes), `received: ${JSON.stringify(seen)}`);
    check(report.streams.some((s) => s.height > 0) && report.loss_in === 0, `report: ${JSON.stringify(report)}`);
    check(seen.server.slots.some((s) => s.kind === 'tile' && s.state === 'live' && s.layer >= 0), `slots: ${JSON.stringify(seen.server)}`);
    check(seen.server.switches.some((s) => s.reason === 'source'), `switches: ${JSON.stringify(seen.server.switches)}`);
    const metrics = await server.metrics();
    for (const name of ['client_round_trip_seconds', 'client_freezes', 'client_frame_height', 'round_trip_seconds', 'downlink_loss_ratio'])
      check(metrics[`parley_${name}_count`] > 0, `nothing in ${name}`);
    await host.page.evaluate(() => window.__parley.open('stats'));
    await until('Ben in the panel', async () => (await host.page.getByTestId('everyone').textContent()).includes('Ben'));
    await ben.page.evaluate(() => window.__parley.open('stats'));
    await ben.page.getByTestId('statistics').waitFor();
    check((await ben.page.getByTestId('everyone').count()) === 0, 'Ben sees the others');
  },

  async 'lock, and end for all'() {
    const server = await startServer();
    const { id, token } = await server.createMeeting();
    const browser = await launchChromium();
    const host = await join(await newPerson(browser, server, { name: 'Ann' }), id, { token });
    const ben = await join(await newPerson(browser, server, { name: 'Ben' }), id);
    check((await act(host, 'host.set', { locked: true })) === 'ok', 'locked');
    const eve = await join(await newPerson(browser, server, { name: 'Eve' }), id, { wait: false });
    await eve.page.getByTestId('ended-page').waitFor();
    await act(host, 'host.end', {}); // its session ends with it: what the pages show counts
    await Promise.all([host, ben].map((person) => person.page.getByTestId('ended-page').waitFor()));
    check((await fetch(`${server.url}/api/v1/meetings/${id}`)).status === 410, 'the meeting is over');
  },
};
