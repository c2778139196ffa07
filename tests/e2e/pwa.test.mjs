// The client as an installed app: it starts without a network and shows what was read, what is
// written then goes out once; it leaves nothing behind; a new version waits to be taken.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { check, onCleanup, until } from './support/cleanup.mjs';
import { axeFinds, launchChromium } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const dist = process.env.PARLEY_WEB ?? join(dirname(fileURLToPath(import.meta.url)), '../../web/dist');

/** Ann in a space with a message of Ben's, her page under a service worker that has all files. */
async function annAndSpace(options = {}) {
  const server = await startServer(options.settings);
  const [ann, ben] = await makeAccounts(server, 'Ann', 'Ben');
  const { id } = await rest(server, ann.token, 'POST', 'spaces', { name: 'Field work' });
  await rest(server, ann.token, 'POST', `spaces/${id}/members`, { email: ben.email, role: 'owner' });
  await rest(server, ben.token, 'POST', `spaces/${id}/messages`, { text: 'read before the tunnel' });
  const browser = await launchChromium();
  const person = await signedIn(browser, server, ann, { serviceWorkers: 'allow', locale: options.locale });
  await person.page.evaluate(() => navigator.serviceWorker.ready);
  await person.page.reload();
  await person.page.getByTestId(`space-${id}`).click();
  await shows(person.page, 'read before the tunnel');
  return { server, ann, ben, id, person, page: person.page };
}

const shows = (page, words) =>
  until(`"${words}" is shown`, async () => (await page.getByTestId('chat-text').allInnerTexts()).some((line) => line.includes(words)));

/** What the read cache holds: {key: value}. */
const kept = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const open = indexedDB.open('parley', 1);
        open.onupgradeneeded = () => open.result.createObjectStore('kept', { keyPath: 'key' });
        open.onerror = () => reject(open.error);
        open.onsuccess = () => {
          const all = open.result.transaction('kept').objectStore('kept').getAll();
          all.onsuccess = () => {
            open.result.close();
            resolve(Object.fromEntries(all.result.map(({ key, value }) => [key, value])));
          };
        };
      }),
  );

const keptChat = (page, id) => until('the chat is kept', async () => (await kept(page))[`chat.${id}`] !== undefined);

export const tests = {
  async 'without a network it starts, shows what was read, sends once when it is back'() {
    const { server, ben, id, person, page } = await annAndSpace({ locale: 'zh-CN' });
    await keptChat(page, id);
    await server.stop();
    await page.close();
    const again = await person.context.newPage();
    await again.goto(`${server.url}/s/${id}`);
    await shows(again, 'read before the tunnel');
    await again.getByTestId('offline').waitFor();
    check((await again.getByTestId('space-title').innerText()) === 'Field work', 'the space is named');
    check(await again.getByTestId(`space-${id}`).isVisible(), 'the rail has it');
    await again.getByTestId('chat-input').fill('written in the tunnel');
    await again.getByTestId('chat-send').click();
    await again.locator('.unsent').waitFor();
    await again.reload();
    await again.locator('.unsent').waitFor();
    await axeFinds(again, 'the space without a network');
    await server.start();
    await until('nothing waits', async () => (await again.locator('.unsent').count()) === 0, 60_000);
    const { items } = await rest(server, ben.token, 'GET', `spaces/${id}/messages?limit=10`);
    check(items.map(({ text }) => text).join() === 'written in the tunnel,read before the tunnel', `once: ${items.map(({ text }) => text)}`);
    await until('it says so no longer', async () => (await again.getByTestId('offline').count()) === 0);
  },

  async 'what was read is gone with access, and with signing out'() {
    const { server, ann, ben, id, page } = await annAndSpace();
    await keptChat(page, id);
    const session = (await kept(page)).session;
    check(session.csrf === '', 'no token is kept');
    const { items } = await rest(server, ben.token, 'GET', `spaces/${id}/members`);
    await rest(server, ben.token, 'DELETE', `spaces/${id}/members/${items.find(({ email }) => email === ann.email).id}`);
    await until('the space is gone', async () => {
      const now = await kept(page);
      return now[`chat.${id}`] === undefined && now.spaces.length === 0;
    });
    const other = await rest(server, ann.token, 'POST', 'spaces', { name: 'Own' });
    await rest(server, ann.token, 'POST', `spaces/${other.id}/messages`, { text: 'mine' });
    await page.getByTestId(`space-${other.id}`).click();
    await shows(page, 'mine');
    await keptChat(page, other.id);
    await page.getByTestId('chat-input').fill('not sent');
    await page.goto(`${server.url}/account`);
    await page.getByTestId('sign-out').click();
    await until('nothing is kept', async () => Object.keys(await kept(page)).length === 0);
    const left = await page.evaluate(() => Object.keys(localStorage).filter((key) => /outbox|written/.test(key)));
    check(left.length === 0, `nothing unsent either: ${left}`);
    await server.stop();
    await page.goto(`${server.url}/s/${other.id}`);
    await page.getByTestId('sign-in').waitFor();
    await server.start();
  },

  async 'it can be installed, and a new version waits to be taken'() {
    const web = mkdtempSync(join(tmpdir(), 'parley-web-'));
    onCleanup(() => rmSync(web, { recursive: true, force: true }));
    cpSync(dist, web, { recursive: true });
    const { server, person, page } = await annAndSpace({ settings: { 'http.web': web } });
    const devtools = await person.context.newCDPSession(page);
    const { errors, data } = await devtools.send('Page.getAppManifest');
    check(errors.length === 0, JSON.stringify(errors));
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    const faults = installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito');
    check(faults.length === 0, JSON.stringify(faults));
    for (const { src, sizes } of JSON.parse(data).icons) {
      const png = Buffer.from(await (await fetch(server.url + src)).arrayBuffer());
      check(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}` === sizes, `${src} is ${sizes}`);
    }

    await server.stop();
    for (const name of ['index.html', 'service-worker.js']) {
      const path = join(web, name);
      const next = readFileSync(path, 'utf8').replace('<html', '<html data-version="next"').replace(/parley-[0-9a-f]{16}/g, 'parley-next');
      writeFileSync(path, next);
      for (const packed of ['.br', '.gz']) rmSync(path + packed, { force: true });
    }
    await server.start();
    await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
    await page.getByTestId('toast-update').waitFor();
    check((await page.locator('html').getAttribute('data-version')) === null, 'nothing changes unasked');
    await page.getByTestId('take-update').click();
    await page.locator('html[data-version="next"]').waitFor();
    await until('the new one has the page', async () => {
      const names = await page.evaluate(() => caches.keys());
      return names.includes('parley-next');
    });
    await page.getByTestId('rail').waitFor({ state: 'attached' });
    check(person.errors.length === 0, person.errors.join('\n'));
  },
};
