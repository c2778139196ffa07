// What breaks comes back: the server's death, the network's absence, a restart that is meant.
import { check, sleep, until } from './support/cleanup.mjs';
import { makeNet, wrapper } from './support/net.mjs';
import { allHear, allSee, join, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';
import { chromium } from 'playwright-core';
import { onCleanup } from './support/cleanup.mjs';

const KILLS = Number(process.env.KILLS ?? 5);

const texts = (person) =>
  person.page.getByTestId('chat-list').locator('[data-testid="chat-text"]').allInnerTexts();

export const limitMs = 900_000;

export const tests = {
  async 'kill -9 in a busy meeting: everyone back, each acknowledged message there once'() {
    const server = await startServer();
    const { id } = await server.createMeeting();
    const browser = await launchChromium();
    const people = [];
    for (const name of ['Ann', 'Ben', 'Eve']) people.push(await join(await newPerson(browser, server, { name, width: 320, height: 180 }), id));
    await allSee(people);
    const acknowledged = [];
    let sent = 0;
    let busy = true;
    const talkers = people.map(async (person) => {
      while (busy) {
        const text = `message ${sent++} of ${person.name}`;
        const ok = await person.page.evaluate((t) => window.__parley.sendChat(t).then(() => true, () => false), text).catch(() => false);
        if (ok) acknowledged.push(text);
        await sleep(60);
      }
    });
    const back = [];
    for (let i = 0; i < KILLS; i++) {
      await sleep(800 + ((i * 377) % 900));
      const before = await Promise.all(people.map((person) => person.page.evaluate(() => window.__test.connections.length)));
      await server.stop('SIGKILL');
      await server.start();
      const start = Date.now();
      await Promise.all(people.map((person, n) => until(`${person.name} is back`, () => person.page.evaluate(async (count) => {
        const pcs = window.__test.connections;
        const pc = pcs[pcs.length - 1];
        if (pcs.length <= count || pc.connectionState !== 'connected') return false;
        return Object.values(await window.__test.decoded()).some((frames) => frames > 0);
      }, before[n]), 20_000, 100)));
      back.push(Date.now() - start);
    }
    busy = false;
    await Promise.all(talkers);
    console.log(`  ${KILLS} kills: media back after ${back.join(', ')} ms; ${acknowledged.length} messages acknowledged`);
    check(acknowledged.length > KILLS * 3, 'the meeting was busy');
    const late = await newPerson(browser, server, { name: 'Late' });
    await join(late, id);
    const kept = await late.page.evaluate(() => window.__parley.allChat());
    for (const text of acknowledged) {
      const times = kept.filter((message) => message.text === text).length;
      check(times === 1, `"${text}" is there ${times} times`);
    }
  },

  async 'the network goes away and comes back'() {
    const net = makeNet();
    const server = await startServer();
    const { id } = await server.createMeeting();
    const ann = await join(await newPerson(await launchChromium(), server, { name: 'Ann' }), id);
    const far = await chromium.launch({
      executablePath: wrapper(net, '/usr/bin/chromium'), headless: true,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
    });
    onCleanup(() => far.close());
    const ben = await newPerson(far, server, { name: 'Ben', url: `https://${net.host}:${server.ports.https}` });
    await join(ben, id);
    await allHear([ann, ben]);
    net.down();
    await until('the client says so', () => ben.page.getByTestId('reconnecting').isVisible(), 30_000);
    const send = ben.page.evaluate(() => window.__parley.sendChat('written while away').then(() => true));
    await sleep(4000);
    net.up();
    const start = Date.now();
    await until('media again', () => ben.page.evaluate(async () => {
      const now = Object.values(await window.__test.decoded()).reduce((a, b) => a + b, 0);
      const grew = window.__lastDecoded !== undefined && now > window.__lastDecoded;
      window.__lastDecoded = now;
      return grew;
    }), 20_000, 100);
    console.log(`  media after ${Date.now() - start} ms`);
    check(await send, 'what was written meanwhile was sent');
    await ann.page.getByTestId('chat-toggle').click();
    await ann.page.getByTestId('chat-list').getByText('written while away').waitFor();
    check((await texts(ann)).filter((text) => text.includes('written while away')).length === 1, 'once');
    await allHear([ann, ben]);
    await allSee([ann, ben]);
  },

  async 'SIGTERM: clients are told, exit 0, and they come back to the next server'() {
    const server = await startServer();
    const { id } = await server.createMeeting();
    const browser = await launchChromium();
    const people = [];
    for (const name of ['Ann', 'Ben']) people.push(await join(await newPerson(browser, server, { name }), id));
    await allHear(people);
    const start = Date.now();
    check((await server.stop()) === 0, 'exit code 0');
    check(Date.now() - start <= 5000, `within 5 s: ${Date.now() - start}`);
    await server.start();
    await allHear(people, 20_000);
  },
};
