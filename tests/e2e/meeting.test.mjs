// The whole loop: people meet, hear, see and write to each other.
import { check, until } from './support/cleanup.mjs';
import { joinFirefox, newFirefox } from './support/firefox.mjs';
import { HOST } from './support/net.mjs';
import { allHear, allSee, join, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const DEPARTURES = Number(process.env.DEPARTURES ?? 2);

async function pair() {
  const path = (entry) => entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded';
  const stats = await window.__test.stats();
  const chosen = stats.find((entry) => entry.type === 'transport')?.selectedCandidatePairId;
  const route = stats.find((entry) => entry.id === chosen) ?? stats.find(path);
  return stats.find((entry) => entry.id === route?.localCandidateId)?.protocol;
}

export const tests = {
  async 'two open a meeting from the start page, hear, see and write'() {
    const server = await startServer();
    const browser = await launchChromium();
    const ann = await newPerson(browser, server, { name: 'Ann' });
    await ann.page.goto(server.url);
    await ann.page.getByTestId('new-meeting').click();
    await ann.page.getByTestId('name-input').fill('Ann');
    await ann.page.getByTestId('join-button').click();
    await ann.page.getByTestId('leave-button').waitFor();
    const meeting = new URL(ann.page.url()).pathname.split('/').pop();
    check(meeting.length >= 11, `a name of 64 bits or more: ${meeting}`);
    const ben = await join(await newPerson(browser, server, { name: 'Ben' }), meeting);
    await allHear([ann, ben]);
    await allSee([ann, ben]);
    await ben.page.getByTestId('chat-toggle').click();
    await ben.page.getByTestId('chat-input').fill('hello **there** <img src=x onerror=alert(1)>');
    await ben.page.getByTestId('chat-send').click();
    await ann.page.getByTestId('chat-toggle').click();
    const message = ann.page.getByTestId('chat-list');
    await message.getByText('there').waitFor();
    await until('Markdown is shown', async () => (await message.locator('strong').count()) === 1);
    check((await message.locator('img').count()) === 0, 'HTML is not');
    await ben.page.getByTestId('leave-button').click();
    await until('Ben has left', async () => (await ann.page.locator('[data-testid^="tile-"]').count()) === 1);
    check(ann.errors.length + ben.errors.length === 0, `page errors: ${ann.errors} ${ben.errors}`);
  },

  async 'four Chromium and one Firefox all hear and see each other'() {
    const server = await startServer({ 'media.voices': 5 });
    const { id } = await server.createMeeting();
    const browser = await launchChromium();
    const people = [];
    for (let i = 0; i < 4; i++) people.push(await join(await newPerson(browser, server, { width: 320, height: 180 }), id));
    const fox = await newFirefox(`https://${HOST}:${server.ports.https}`, { name: 'Fox', tone: 2900, hue: 300 });
    await joinFirefox(fox, id);
    people.push(fox);
    await allHear(people, 60_000);
    await allSee(people, 60_000);
  },

  async 'who comes after somebody left hears all and is heard'() {
    const server = await startServer({ 'media.voices': 5 });
    const { id } = await server.createMeeting();
    const browser = await launchChromium();
    const enter = async () => join(await newPerson(browser, server, { width: 320, height: 180 }), id);
    const people = [await enter(), await enter(), await enter()];
    await allHear(people);
    for (let i = 0; i < DEPARTURES; i++) {
      const [leaver] = people.splice(i % people.length, 1);
      // By the button, and as a page that is gone without a word.
      if (i % 2 === 0) await leaver.page.getByTestId('leave-button').click();
      await leaver.page.close();
      people.push(await enter());
      await allHear(people);
    }
  },

  async 'one whose UDP is blocked takes part over TCP'() {
    const server = await startServer();
    const { id } = await server.createMeeting();
    const browser = await launchChromium();
    const people = [];
    for (let i = 0; i < 2; i++) people.push(await join(await newPerson(browser, server, { width: 320, height: 180 }), id));
    const tcp = await newPerson(browser, server, { name: 'Tess', width: 320, height: 180, udpBlocked: true });
    await join(tcp, id);
    people.push(tcp);
    await allHear(people, 60_000);
    await allSee(people, 60_000);
    check((await tcp.page.evaluate(pair)) === 'tcp', 'Tess is connected by TCP');
    check((await people[0].page.evaluate(pair)) === 'udp', 'the others by UDP');
  },
};
