// Photographs every page: both languages, light and dark, a phone and a desktop.
//   node shots/shots.mjs [FOLDER] [--only NAME] [--lang en] [--theme dark] [--width 360] [--axe]
// Exits with 1 when a page complained in its console or, with --axe, when axe found something serious.
import { createServer } from 'node:http';
import { mkdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { accountAnswer } from './account.mjs';
import { scene, statistics } from './scene.mjs';
import { spacesAnswer, user } from './spaces.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const dist = join(root, 'web/dist');
const args = process.argv.slice(2);
const option = (name) => (args.includes(`--${name}`) ? args[args.indexOf(`--${name}`) + 1] : undefined);
const folder = args[0] && !args[0].startsWith('--') ? args[0] : join(root, 'shots');

// The policy the server sends (signalling/http): a page that breaks it is not photographed well.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; media-src 'self' blob:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

let shown = ''; // the page being photographed
let spoken = 'en'; // and its language
const devices = [
  { id: 's1', device: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/130 Safari/537', address: '192.0.2.7', current: true },
  { id: 's2', device: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Safari/604', address: '2001:db8::7', current: false },
].map((device) => ({ ...device, created: Date.UTC(2025, 10, 1), seen: Date.UTC(2025, 10, 20, 9) }));

/** The built client, and the few answers it asks for by HTTP. */
function serve() {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://x');
    const json = (status, body) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (pathname === '/api/v1/info') {
      const setup = shown === 'setup' ? 'here' : 'done';
      return json(200, { version: '0', setup, signed_in: PAGES[shown].signedIn === true, meetings: { adhoc: true }, voices: 3, tiles: 9, sign_up: true });
    }
    const own = pathname.startsWith('/api/v1/') && accountAnswer(request.method, pathname.slice('/api/v1/'.length), shown, spoken);
    if (own) return json(...own);
    if (pathname === '/api/v1/session') return json(200, { id: 's1', csrf: 'x', user: user(spoken) });
    if (pathname === '/api/v1/invitations')
      return json(200, { mailed: shown !== 'account-no-mail', items: [
        { id: 'c1', kind: 'invite', email: 'wanda.kowalska@example.org', language: '', created: 0, expires: Date.UTC(2025, 10, 27, 9) },
        { id: 'c2', kind: 'password', email: 'noor@example.org', language: '', created: 0, expires: Date.UTC(2025, 10, 20, 10) },
      ] });
    if (pathname === '/api/v1/invitations/c1/link') return json(200, { link: `/confirm#plc_${'x'.repeat(43)}` });
    if (pathname === '/api/v1/confirmations') {
      const kind = shown.slice('confirm-'.length);
      return kind === 'over' ? json(404, { code: 'link' }) : json(200, { kind, email: 'wanda.kowalska@example.org', language: '' });
    }
    if (pathname === '/api/v1/password') return json(202, { mailed: true });
    if (pathname === '/api/v1/me/sessions') return json(200, { items: devices });
    if (pathname === '/api/v1/meetings/nowhere') return json(404, { title: 'not found' });
    if (/^\/api\/v1\/meetings\/[^/]+\/stats$/.test(pathname)) return json(200, statistics(spoken));
    if (pathname.startsWith('/api/v1/meetings/'))
      return json(200, { id: 'x', title: '', locked: false, lobby: false, participants: 4 });
    if (pathname === '/api/v1/shares/locked') return json(401, { title: 'a password is asked for' });
    if (pathname === '/api/v1/shares/gone') return json(404, { title: 'not found' });
    const space = pathname.startsWith('/api/v1/') ? spacesAnswer(pathname.slice('/api/v1/'.length), searchParams, spoken) : undefined;
    if (space) return json(200, space);
    const asset = /^\/(assets\/[\w.-]+|service-worker\.js)$/.test(pathname) ? pathname : '/index.html';
    response.writeHead(200, { 'Content-Type': TYPES[extname(asset)], 'Content-Security-Policy': POLICY });
    return response.end(readFileSync(join(dist, asset)));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const open = (testid) => (page) => page.getByTestId(testid).click();
const phoneMenu = async (page, wide, narrow) => {
  const button = page.getByTestId(wide);
  if (await button.isVisible()) return button.click();
  await page.getByTestId('more-button').click();
  return page.getByTestId(narrow).click();
};
const narrowOnly = async (page, testid) => {
  if (await page.getByTestId(testid).isVisible()) await page.getByTestId(testid).click();
};
const members = async (page) => {
  if (!(await page.getByTestId('members').isVisible())) await page.getByTestId('members-toggle').click();
};
const overlay = (item) => async (page) => {
  await page.getByTestId('more-button').click();
  await page.getByTestId(item).click();
  await page.waitForTimeout(2300);
};

/** name: {path?, state?, people?, knocks?, dials?, join?, then?, signedIn?, push?: what the browser permits} */
const PAGES = {
  home: { path: '/' },
  'home-options': { path: '/', then: open('new-meeting-options') },
  'sign-in': { path: '/sign-in' },
  setup: { path: '/setup' },
  'second-step': {
    path: '/sign-in',
    then: async (page) => {
      await page.getByTestId('email').fill('maya@example.org');
      await page.getByTestId('password').fill('a quiet lake at dawn');
      await page.getByTestId('sign-in').click();
    },
  },
  account: { path: '/account', signedIn: true },
  'account-push-on': { path: '/account', signedIn: true, push: 'granted', then: (page) => page.getByTestId('push').scrollIntoViewIfNeeded() },
  'account-push-off': { path: '/account', signedIn: true, push: 'granted', then: (page) => page.getByTestId('push').scrollIntoViewIfNeeded() },
  'account-push-blocked': { path: '/account', signedIn: true, push: 'denied', then: (page) => page.getByTestId('push').scrollIntoViewIfNeeded() },
  'account-no-mail': { path: '/account', signedIn: true, then: (page) => page.getByTestId('hand-over').first().click() },
  'sign-up': { path: '/sign-up' },
  forgotten: {
    path: '/forgotten',
    then: async (page) => (await page.getByTestId('email').fill('noor@example.org'), page.getByTestId('ask-password').click()),
  },
  'confirm-invite': { path: '/confirm#plc_x' },
  'confirm-password': { path: '/confirm#plc_x' },
  'confirm-email': { path: '/confirm#plc_x' },
  'confirm-over': { path: '/confirm#plc_x' },
  'account-safe': { path: '/account', signedIn: true, then: (page) => page.getByTestId('security').scrollIntoViewIfNeeded() },
  'account-app': {
    path: '/account', signedIn: true,
    then: async (page) => {
      await page.getByTestId('totp-set-up').click();
      await page.getByTestId('proof-password').fill('a quiet lake at dawn');
      await page.getByTestId('totp-next').click();
    },
  },
  'account-codes': {
    path: '/account', signedIn: true,
    then: async (page) => {
      await page.getByTestId('codes-new').click();
      await page.getByTestId('proof-password').fill('a quiet lake at dawn');
      await page.getByTestId('codes-renew').click();
    },
  },
  'account-passkey': { path: '/account', signedIn: true, then: open('passkey-new') },
  'not-found': { path: '/m/nowhere' },
  'home-signed-in': { path: '/', signedIn: true },
  rail: { path: '/', signedIn: true, then: (page) => narrowOnly(page, 'rail-open') },
  'new-space': { path: '/', signedIn: true, then: async (page) => (await narrowOnly(page, 'rail-open'), page.getByTestId('new-space').click()) },
  space: { path: '/s/s0', signedIn: true },
  'space-links': { path: '/s/s1', signedIn: true },
  'space-members': { path: '/s/s0', signedIn: true, then: members },
  'space-files': { path: '/s/s0/files', signedIn: true },
  'space-files-empty': { path: '/s/s2/files', signedIn: true },
  'space-archived': { path: '/s/s4', signedIn: true },
  'space-viewer': { path: '/s/s2', signedIn: true },
  'space-gone': { path: '/s/s9', signedIn: true },
  'space-role': {
    path: '/s/s0', signedIn: true,
    then: async (page) => (await members(page), page.getByTestId('manage-aiko@example.org').click()),
  },
  'space-more': { path: '/s/s0', signedIn: true, then: open('space-more') },
  'space-invite': { path: '/s/s0', signedIn: true, then: async (page) => (await members(page), page.getByTestId('invite').click()) },
  'space-invite-link': {
    path: '/s/s0', signedIn: true,
    then: async (page) => (await members(page), await page.getByTestId('invite').click(), page.getByRole('radio').nth(1).click()),
  },
  'space-settings': {
    path: '/s/s0', signedIn: true,
    then: async (page) => (await page.getByTestId('space-more').click(), page.getByTestId('open-space-settings').click()),
  },
  'space-shares': { path: '/s/s0/files', signedIn: true, then: open('share-space') },
  'space-file-menu': { path: '/s/s0/files', signedIn: true, then: (page) => page.locator('[data-testid^="file-more-"]').nth(2).click() },
  'space-thread': { path: '/s/s0', signedIn: true, then: open('thread-1') },
  'space-scheduled': { path: '/s/s0', signedIn: true, then: async (page) => (await page.getByTestId('space-more').click(), page.getByTestId('show-scheduled').click()) },
  search: {
    path: '/s/s0', signedIn: true,
    then: async (page) => (await narrowOnly(page, 'rail-open'), await page.getByTestId('search-open').first().click(), page.getByTestId('search-input').fill(spoken === 'en' ? 'onboarding' : '引导页')),
  },
  shared: { path: '/l/x' },
  'shared-locked': { path: '/l/locked' },
  'shared-gone': { path: '/l/gone' },
  prejoin: {},
  'prejoin-refused': { state: 'refused' },
  'prejoin-devices': { then: (page) => page.locator('.prejoin-devices summary').click() },
  lobby: { state: 'lobby', join: true },
  locked: { state: 'locked', join: true },
  removed: { state: 'removed', join: true },
  left: { join: true, then: async (page) => (await page.getByTestId('leave-button').click(), page.getByTestId('leave-now').click()) },
  'meeting-alone': { people: 1, join: true },
  'meeting-two': { people: 2, join: true },
  'meeting-five': { people: 5, join: true },
  'meeting-nine': { people: 9, join: true },
  'meeting-many': { people: 500, join: true, then: (page) => phoneMenu(page, 'people-toggle', 'more-people') },
  'meeting-speaker': { people: 7, join: true, then: (page) => page.keyboard.press('l') },
  'meeting-screen': { people: 6, state: 'screen', join: true },
  'meeting-weak': {
    people: 6, join: true,
    then: async (page) => {
      await page.evaluate(() => {
        const sources = window.__sources;
        window.__gateway.tell('slot', { mid: sources[1].mid, state: 'live', layer: 0, reason: 'link' });
        window.__gateway.tell('slot', { mid: sources[2].mid, state: 'paused', layer: 0, reason: 'link' });
      });
      await page.waitForTimeout(3200);
    },
  },
  'meeting-chat': { people: 6, join: true, then: open('chat-toggle') },
  'meeting-people': { people: 6, knocks: 2, join: true, then: (page) => phoneMenu(page, 'people-toggle', 'more-people') },
  'meeting-polls': { people: 6, state: 'polls', join: true, then: overlay('open-polls') },
  'meeting-poll-new': { people: 6, join: true, then: async (page) => (await overlay('open-polls')(page), page.getByTestId('poll-new').click()) },
  'meeting-dial-in': { people: 4, join: true, then: overlay('open-dial-in') },
  'meeting-dials': {
    people: 5, join: true,
    dials: [{ number: '+4915112345678', name: 'Wanda', state: 'ringing' }, { number: '+442071838750', state: 'busy', code: 486 }],
    then: (page) => phoneMenu(page, 'people-toggle', 'more-people'),
  },
  'meeting-call-out': {
    people: 4, join: true,
    then: async (page) => (await phoneMenu(page, 'people-toggle', 'more-people'), page.getByTestId('call-phone').click()),
  },
  'meeting-more': { people: 4, join: true, then: open('more-button') },
  'meeting-devices': { people: 4, join: true, then: async (page) => (await page.getByTestId('mic-menu').isVisible()) && page.getByTestId('mic-menu').click() },
  'meeting-away': {
    people: 4, tcp: true, join: true,
    then: (page) => page.evaluate(() => (window.__gateway.onclose({}), (window.WebSocket = class { close() {} send() {} }))),
  },
  'meeting-notices': {
    people: 6, join: true,
    then: (page) => page.evaluate(() => {
      window.__gateway.tell('asked_unmute', { by: 'p1' });
      for (const [id, emoji] of [['p2', '👏'], ['p3', '❤️'], ['p4', '🎉']]) window.__gateway.tell('reaction', { id, emoji });
    }),
  },
  settings: { people: 4, join: true, then: overlay('open-settings') },
  statistics: { people: 4, join: true, then: overlay('open-statistics') },
  shortcuts: { people: 4, join: true, then: overlay('open-shortcuts') },
};

async function photograph(browser, base, name, page, { language, theme, width }) {
  shown = name;
  spoken = language;
  const context = await browser.newContext({
    viewport: { width, height: width < 500 ? 780 : width > 2000 ? 2160 : 900 },
    colorScheme: theme,
    locale: language,
    hasTouch: width < 500,
    isMobile: width < 500,
  });
  const tab = await context.newPage();
  if (page.push)
    await tab.addInitScript((permission) => {
      Object.defineProperty(Notification, 'permission', { get: () => permission });
      PushManager.prototype.getSubscription = async () => ({});
    }, page.push);
  const complaints = [];
  tab.on('pageerror', (error) => complaints.push(error.message));
  tab.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  const { state = 'live', people = 1, knocks = 0, tcp = false, dials = [] } = page;
  await tab.addInitScript(scene, { state, people, knocks, tcp, dials, language });
  await tab.addInitScript((zh) => {
    localStorage.setItem('parley.name', JSON.stringify(zh ? '林晓' : 'Maya Lindqvist'));
    localStorage.setItem('parley.recent', JSON.stringify([
      { id: 'weekly-design-7Qz2', title: zh ? '设计周会' : 'Weekly design review', at: Date.UTC(2025, 10, 20, 9) },
      { id: 'a', title: '', at: Date.UTC(2025, 10, 18, 14, 30) },
    ]));
  }, language === 'zh-CN');
  tab.setDefaultTimeout(10_000);
  await tab.goto(base + (page.path ?? '/m/weekly-design-7Qz2'));
  await tab.waitForTimeout(500);
  if (page.join) {
    await tab.getByTestId('join-button').click();
    await tab.waitForTimeout(people > 1 ? 2200 : 700);
  }
  if (page.then) {
    await page.then(tab).catch((error) => complaints.push(error.message));
    await tab.waitForTimeout(700);
  }
  await tab.screenshot({ path: join(folder, `${name}-${language}-${theme}-${width}.png`) });
  if (args.includes('--axe')) {
    await tab.evaluate(axe.source);
    complaints.push(...(await tab.evaluate(async () => {
      const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
      return violations.map((v) => `axe ${v.impact} ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 140)).join(' | ')}`);
    })));
  }
  await context.close();
  const told = complaints.filter((complaint) => !/status of 40[14]/.test(complaint)); // the missing meeting is one, the second step another
  for (const complaint of told) console.log(`${name} ${language} ${theme} ${width}: ${complaint}`);
  return told.length;
}

mkdirSync(folder, { recursive: true });
const server = await serve();
const base = `http://localhost:${server.address().port}`;
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
});
const only = option('only')?.split(',');
const chosen = (name, all) => (option(name) ? option(name).split(',') : all);
let taken = 0;
let complained = 0;
for (const [name, page] of Object.entries(PAGES)) {
  if (only && !only.includes(name)) continue;
  for (const language of chosen('lang', ['en', 'zh-CN']))
    for (const theme of chosen('theme', ['light', 'dark']))
      for (const width of chosen('width', ['360', '1440']).map(Number)) {
        complained += await photograph(browser, base, name, page, { language, theme, width });
        taken += 1;
      }
}
await browser.close();
server.close();
console.log(`${taken} pictures in ${folder}`);
process.exit(complained > 0 ? 1 : 0);
