// Notifications on this device: the page that switches them, what the service worker shows and
// where a press on it leads. A browser without its maker's push service cannot subscribe, so what
// it would answer is put into the page; notices are given to the real service worker by DevTools.
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { check, until } from './support/cleanup.mjs';
import { axeFinds, launchChromium } from './support/people.mjs';
import { startServer } from './support/server.mjs';

/** In the page: a push service that gives a subscription for the key it is asked with. */
function fakePush() {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0)).buffer;
  const point = 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4';
  window.__push = { asked: 0, unavailable: false };
  const load = () => JSON.parse(localStorage.getItem('test.push') ?? 'null');
  const made = ({ key }) => ({
    endpoint: 'https://push.example/device/1',
    options: { userVisibleOnly: true, applicationServerKey: bytes(key) },
    getKey: (name) => (name === 'auth' ? bytes('BTBZMqHH6r4Tts7J_aSIgg') : bytes(point)),
    unsubscribe: async () => (localStorage.removeItem('test.push'), true),
  });
  PushManager.prototype.getSubscription = async () => (load() ? made(load()) : null);
  PushManager.prototype.subscribe = async ({ applicationServerKey: key }) => {
    if (window.__push.unavailable) throw new DOMException('Registration failed - push service not available', 'AbortError');
    localStorage.setItem('test.push', JSON.stringify({ key }));
    return made({ key });
  };
  const request = Notification.requestPermission.bind(Notification);
  Notification.requestPermission = () => (window.__push.asked++, request());
}

const stateIs = (page, state) => page.locator(`[data-testid="push"][data-state="${state}"]`).waitFor();

async function annAtHome({ permissions = ['notifications'], init, ...options } = {}) {
  const server = await startServer();
  const [ann, ben] = await makeAccounts(server, 'Ann', 'Ben');
  const browser = await launchChromium();
  const person = await signedIn(browser, server, ann, { serviceWorkers: 'allow', ...options });
  const { page, context } = person;
  if (permissions) await context.grantPermissions(permissions, { origin: server.url });
  await page.addInitScript(fakePush);
  if (init) await page.addInitScript(init);
  // `ready` is there while it is activating still, and what is delivered then may be lost.
  await until('the worker is active', () =>
    page.evaluate(async () => (await navigator.serviceWorker.ready).active.state === 'activated'));
  await page.goto(`${server.url}/account`);
  return { server, ann, ben, page, context };
}

const own = (page) => page.evaluate(async () => (await fetch('/api/v1/me/push')).json());

/** The worker's notifications. */
const shown = (page) =>
  page.evaluate(async () => {
    const worker = await navigator.serviceWorker.ready;
    return (await worker.getNotifications()).map(({ title, body, data, tag }) => ({ title, body, data, tag }));
  });

/** Gives the worker what a push service would bring it. */
async function pushService(context, page) {
  const devtools = await context.newCDPSession(page);
  const found = new Promise((resolve) =>
    devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0] && resolve(registrations[0].registrationId)));
  await devtools.send('ServiceWorker.enable');
  const registrationId = await found;
  const { origin } = new URL(page.url());
  return (notice) => devtools.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: JSON.stringify(notice) });
}

const press = (context) =>
  context.serviceWorkers()[0].evaluate(async () => {
    for (const notification of await self.registration.getNotifications())
      self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
  });

export const tests = {
  async 'switched on and off by a press, with what notices may show'() {
    const { page } = await annAtHome();
    await stateIs(page, 'off');
    check((await page.evaluate(() => window.__push.asked)) === 0, 'no permission is asked for by looking');
    await page.evaluate(() => (window.__push.unavailable = true));
    await page.getByTestId('push-on').click();
    await page.getByTestId('push-failed').waitFor();
    check(!(await own(page)).on, 'nothing was told to the server');
    await page.evaluate(() => (window.__push.unavailable = false));
    await page.getByTestId('push-on').click();
    await stateIs(page, 'on');
    check((await page.getByTestId('push-failed').count()) === 0 && (await page.evaluate(() => window.__push.asked)) === 2, 'asked when pressed');
    await axeFinds(page, 'notifications are on');
    check((await own(page)).on && !(await own(page)).texts, 'without texts');
    await page.getByTestId('push-texts').click();
    await until('with texts', async () => (await own(page)).texts);
    await page.getByTestId('push-test').click();
    await page.getByTestId('toast-push-test').waitFor();
    await page.reload();
    await stateIs(page, 'on');
    await page.getByTestId('push-off').click();
    await stateIs(page, 'off');
    check(!(await own(page)).on && (await page.evaluate(() => localStorage.getItem('test.push'))) === null, 'here and there');
  },

  async 'where it is blocked or missing it says what to do'() {
    const blocked = await annAtHome({ permissions: null, locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 360, height: 800 } });
    await blocked.page.evaluate(() => Notification.permission).then((permission) => check(permission === 'denied', permission));
    await stateIs(blocked.page, 'blocked');
    check((await blocked.page.getByTestId('push').innerText()).includes('允许本站发送通知'), 'in Chinese');
    check((await blocked.page.getByTestId('push').getByRole('button').count()) === 0, 'nothing to press in vain');
    await axeFinds(blocked.page, 'notifications are blocked');
    await blocked.context.grantPermissions(['notifications'], { origin: blocked.server.url });
    await stateIs(blocked.page, 'off');

    const missing = await annAtHome({ init: () => delete window.PushManager });
    await stateIs(missing.page, 'missing');
  },

  async 'the worker shows what is pushed, and a press leads there'() {
    const { server, ann, page, context } = await annAtHome();
    const { id } = await rest(server, ann.token, 'POST', 'spaces', { name: 'Lake' });
    const message = await rest(server, ann.token, 'POST', `spaces/${id}/messages`, { text: 'look here' });
    const url = `/s/${id}?message=${message.id}`;
    const deliver = await pushService(context, page);
    await deliver({ kind: 'mention', language: '', url, space: 'Lake', author: 'Ben', text: '@Ann look' });
    await until('it is shown', async () => (await shown(page)).length === 1);
    const [notice] = await shown(page);
    check(notice.title === 'Ben mentioned you in Lake' && notice.body === '@Ann look' && notice.data === url, JSON.stringify(notice));
    await deliver({ kind: 'direct', language: 'zh-CN', url: '/', space: '', author: 'Ben' });
    await until('another, in its language', async () => (await shown(page)).some(({ title }) => title === 'Ben 给你发来消息'));
    await deliver({ kind: 'mention', language: '', url, space: 'Lake', author: 'Ben' });
    await until('the same place again is one', async () => {
      const now = await shown(page);
      return now.length === 2 && now.some(({ data, body }) => data === url && body === '');
    });
    await page.evaluate(async () => {
      for (const each of await (await navigator.serviceWorker.ready).getNotifications()) if (each.data === '/') each.close();
    });
    await press(context);
    await until('the page is there', () => new URL(page.url()).pathname === `/s/${id}` && page.url().endsWith(url));
    await page.locator('article.sought').waitFor();
    check((await page.locator('article.sought').innerText()).includes('look here'), 'at its place');
    check((await shown(page)).length === 0, 'and it is gone');
  },
};
