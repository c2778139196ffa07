// Who is there: in a space, in a conversation of two, in a meeting; and who is there as a guest.
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { check, until } from './support/cleanup.mjs';
import { axeFinds, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const ZONE = 'Asia/Kathmandu'; // minutes apart from everybody else's

const stateOf = (row) => row.locator('.presence').first().getAttribute('aria-label', { timeout: 5000 });
const shows = (row, label) => until(`it says ${label}`, async () => (await row.locator('.presence').count()) > 0 && (await stateOf(row)) === label);

/** As the browser says it of a page in the background. */
const hide = (page, hidden) =>
  page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);

async function shot(page, name) {
  if (!process.env.SHOTS) return;
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => undefined))));
  await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
}

const picture = (page) =>
  page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
    const context = canvas.getContext('2d');
    context.fillStyle = '#0a7';
    context.fillRect(0, 0, 64, 64);
    context.fillStyle = '#fd5';
    context.arc(32, 32, 18, 0, 7);
    context.fill();
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
    return [...new Uint8Array(await blob.arrayBuffer())];
  });

export const tests = {
  async 'here, away, gone, not to be disturbed: in the list, beside a conversation, in a meeting'() {
    const server = await startServer();
    const [ann, ben] = await makeAccounts(server, 'Ann', 'Ben');
    const { id } = await rest(server, ann.token, 'POST', 'spaces', { name: 'Design team' });
    await rest(server, ann.token, 'POST', `spaces/${id}/members`, { email: ben.email, role: 'editor' });
    const me = await rest(server, ben.token, 'GET', 'me');
    const direct = await rest(server, ann.token, 'POST', 'spaces', { kind: 'direct', with: me.id });
    const browser = await launchChromium();
    const one = await signedIn(browser, server, ann, { viewport: { width: 1440, height: 900 } });
    await one.page.getByTestId(`space-${id}`).click();
    const row = one.page.getByTestId(`member-${ben.email}`);
    await row.waitFor();
    const beside = one.page.getByTestId(`space-${direct.id}`);
    await rest(server, ben.token, 'PATCH', 'me', { zone: ZONE });
    const two = await signedIn(browser, server, ben, { locale: 'zh-CN' });
    await shows(row, 'Online');
    await shows(beside, 'Online');
    await hide(two.page, true);
    await shows(row, 'Away');
    await shows(beside, 'Away');
    await shot(one.page, 'people-away');
    await hide(two.page, false);
    await shows(row, 'Online');
    await rest(server, ben.token, 'PATCH', 'me', { quiet_until: Date.now() + 3_600_000 });
    await shows(row, 'Do not disturb');
    await rest(server, ben.token, 'PATCH', 'me', { quiet_until: -1 });
    await shows(row, 'Online');

    // What Ben sees of Ann, in his language.
    await two.page.getByTestId(`space-${id}`).click();
    await shows(two.page.getByTestId(`member-${ann.email}`), '在线');
    const message = await rest(server, ann.token, 'POST', `spaces/${id}/messages`, { text: 'Good morning' });
    const written = await two.page.getByTestId(`message-${message.id}`).locator('time').innerText();
    const there = new Intl.DateTimeFormat('zh-CN', { hour: '2-digit', minute: '2-digit', timeZone: ZONE }).format(message.created);
    check(written.includes(there), `${written}, not ${there} as it is there`);
    const response = await fetch(`${server.url}/api/v1/me/picture`, {
      method: 'PUT', headers: { authorization: `Bearer ${ben.token}`, 'content-type': 'image/png' }, body: Uint8Array.from(await picture(two.page)),
    });
    check(response.ok, `a picture: ${response.status}`);
    await until('his picture comes by itself', async () => (await row.locator('img').count()) === 1);

    // A meeting, in which he has his face and is there.
    const { meeting } = await rest(server, ann.token, 'POST', `spaces/${id}/meetings`, {});
    const { items: [made] } = meeting ? { items: [{ id: meeting }] } : await rest(server, ann.token, 'GET', `spaces/${id}/meetings`);
    for (const { page } of [one, two]) {
      await page.goto(`${server.url}/m/${made.id}`);
      await page.getByTestId('join-button').click();
      await page.getByTestId('leave-button').waitFor();
    }
    await one.page.evaluate(() => window.__parley.open('people'));
    const his = one.page.locator('.panel .face', { has: one.page.locator('img') });
    await his.waitFor();
    await shows(his, 'Online');
    await shot(one.page, 'people-meeting');
    await axeFinds(one.page, 'people of a meeting');

    // Not to be disturbed: what others write is counted, and nothing comes up until he may be again.
    const notice = two.page.getByTestId('toast-chat');
    await rest(server, ben.token, 'PATCH', 'me', { quiet_until: Date.now() + 3_600_000 });
    await shows(his, 'Do not disturb');
    await one.page.evaluate(() => window.__parley.sendChat('Psst'));
    await until('it is counted', async () => (await two.page.getByTestId('chat-count').textContent()) === '1');
    check((await notice.count()) === 0, 'a notice came up');
    await rest(server, ben.token, 'PATCH', 'me', { quiet_until: -1 });
    await shows(his, 'Online');
    await one.page.evaluate(() => window.__parley.sendChat('There you are'));
    await notice.getByText('There you are').waitFor();
    for (const person of [one, two]) check(person.errors.length === 0, person.errors.join());
  },

  async 'guests: owners see who came by which link and when, and put one out at once'() {
    const server = await startServer();
    const [ann, ben] = await makeAccounts(server, 'Ann', 'Ben');
    const { id } = await rest(server, ann.token, 'POST', 'spaces', { name: 'Open house' });
    await rest(server, ann.token, 'POST', `spaces/${id}/members`, { email: ben.email, role: 'viewer' });
    const link = await rest(server, ann.token, 'POST', `spaces/${id}/links`, { role: 'viewer', guests: true });
    const browser = await launchChromium();
    const guest = await newPerson(browser, server, { viewport: { width: 360, height: 800 } });
    await guest.page.goto(`${server.url}/i/${link.token}`);
    await guest.page.getByTestId('guest-name').fill('Gus Outside');
    await guest.page.getByTestId('guest-enter').click();
    await guest.page.getByTestId('chat-input').waitFor();

    const owner = await signedIn(browser, server, ann, { viewport: { width: 1440, height: 900 } });
    await owner.page.getByTestId(`space-${id}`).click();
    const row = owner.page.getByTestId('guest-Gus Outside');
    await row.waitFor();
    const words = await row.innerText();
    for (const part of ['By Ann’s link', 'In since', 'last seen']) check(words.includes(part), words);
    await axeFinds(owner.page, 'guests of a space');
    await shot(owner.page, 'guests-owner');
    const viewer = await signedIn(browser, server, ben, { locale: 'zh-CN', viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
    await viewer.page.getByTestId(`space-${id}`).click();
    await viewer.page.getByTestId('guest-Gus Outside').waitFor();
    check((await viewer.page.getByTestId('guest-out-Gus Outside').count()) === 0, 'a viewer puts nobody out');
    await shot(viewer.page, 'guests-viewer');

    // The guest hears of messages, and sees who is there, by the gateway: nothing is asked again and again.
    const asked = [];
    guest.page.on('request', (request) => request.url().includes('/api/v1/events') && asked.push(request.url()));
    await guest.page.getByTestId('members-toggle').click();
    await shows(guest.page.getByTestId('members').locator('li', { hasText: 'Ann' }), 'Online');
    await rest(server, ann.token, 'POST', `spaces/${id}/messages`, { text: 'Welcome in' });
    await guest.page.getByText('Welcome in').first().waitFor({ state: 'attached' });
    check(asked.length === 0, asked.join());
    await shot(guest.page, 'guests-guest');

    // Who writes is seen, by the name they gave.
    const writes = owner.page.locator('.chat-typing', { hasText: 'Gus Outside' });
    await until('that he writes', async () => {
      await guest.page.getByTestId('chat-input').pressSequentially('x');
      return (await writes.count()) > 0;
    });

    await owner.page.getByTestId('guest-out-Gus Outside').click();
    await shot(owner.page, 'guests-confirm');
    await owner.page.getByTestId('confirm-yes').click();
    await guest.page.getByTestId('sign-in').waitFor();
    await until('nobody is listed', async () => (await owner.page.getByTestId('guests').count()) === 0);
    for (const person of [owner, viewer, guest]) check(person.errors.length === 0, person.errors.join());
  },
};
