// A poll in a meeting: a host asks, browsers and a telephone vote, counts are live, results stay.
import { check, until } from './support/cleanup.mjs';
import { startPhone } from './support/baresip.mjs';
import { freePort } from './support/ports.mjs';
import { axeFinds, join, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const openPolls = async ({ page }) => {
  await page.getByTestId('more-button').click();
  await page.getByTestId('open-polls').click();
};
const counts = ({ page }) => page.getByTestId('poll').first().getByTestId('poll-votes').allTextContents();
const sees = (person, wanted) =>
  until(`${person.name} sees ${wanted}`, async () => {
    const seen = (await counts(person)).map((words) => Number(words.split(' ')[0]));
    if (JSON.stringify(seen) !== JSON.stringify(wanted)) throw new Error(JSON.stringify(seen));
    return true;
  });

export const tests = {
  async 'browsers and a caller vote, all see it, results stay'() {
    const port = await freePort();
    const server = await startServer({ 'phone.enabled': 'yes', 'phone.udp': `127.0.0.1:${port}`, 'phone.allow': '127.0.0.1', 'phone.numbers': '+49 30 1234567' });
    const { id, token } = await server.createMeeting({});
    const browser = await launchChromium();
    const ann = await join(await newPerson(browser, server, { name: 'Ann' }), id, { token });
    const bob = await join(await newPerson(browser, server, { name: 'Bob', locale: 'zh-CN', viewport: { width: 360, height: 720 } }), id);
    const { pin } = await until('the PIN', () => ann.page.evaluate(() => window.__parley.call.phones.info.peek().pin && window.__parley.call.phones.info.peek()));
    const phone = await startPhone();
    await phone.command('dial', `sip:meet@127.0.0.1:${port}`);
    await until('the prompt', () => phone.heard(1).some((sample) => Math.abs(sample) > 500));
    await phone.press(`${pin}#`);
    await until('the caller is in', async () => (await server.metrics()).parley_phone_legs === 1);
    await openPolls(ann);
    await ann.page.getByTestId('poll-new').click();
    await ann.page.getByTestId('poll-question').fill('What do we eat?');
    await ann.page.getByTestId('poll-answer').nth(0).fill('Noodles');
    await ann.page.getByTestId('poll-answer').nth(1).fill('Rice');
    await ann.page.getByTestId('poll-more').click();
    await ann.page.getByTestId('poll-answer').nth(2).fill('Bread');
    await ann.page.getByTestId('poll-anonymous').click();
    await axeFinds(ann.page, 'the form of a poll');
    await ann.page.getByTestId('poll-start').click();
    await bob.page.getByTestId('toast-vote').click(); // told to others at once
    await bob.page.getByTestId('poll-option').nth(1).click();
    await sees(ann, [0, 1, 0]);
    await sees(bob, [0, 1, 0]);
    await bob.page.getByTestId('poll-option').nth(0).click();
    await sees(ann, [1, 0, 0]);
    await phone.press('*8');
    await phone.press('3');
    await sees(ann, [1, 0, 1]); // how fast: phone.test.mjs
    await axeFinds(bob.page, 'a poll');
    if (process.env.SHOTS) await Promise.all([ann.page.screenshot({ path: `${process.env.SHOTS}/poll-host.png` }), bob.page.screenshot({ path: `${process.env.SHOTS}/poll-narrow-zh.png` })]);
    await ann.page.getByTestId('poll-close').click();
    await until('it is closed for all', async () => (await bob.page.getByTestId('poll-option').first().evaluate((node) => node.tagName)) === 'DIV');
    await until('the host sees who voted', async () => (await ann.page.getByTestId('poll').textContent()).includes('Bob'));
    check(!(await bob.page.getByTestId('poll').textContent()).includes('Ann'), 'others do not');
    // Results are there for who comes later, also after a restart.
    await server.stop();
    await server.start();
    const eve = await join(await newPerson(browser, server, { name: 'Eve' }), id);
    await openPolls(eve);
    await sees(eve, [1, 0, 1]);
  },
};
