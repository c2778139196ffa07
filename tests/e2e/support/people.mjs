// Participants: real browsers on the client's own pages.
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import { check, onCleanup, until } from './cleanup.mjs';
import { fakes } from './fakes.mjs';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required', '--auto-select-tab-capture-source-by-title=SHAREME',
  '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding',
];

export async function launchChromium(extra = []) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: [...FLAGS, ...extra] });
  onCleanup(() => browser.close());
  return browser;
}

let count = 0;

/** A page with fakes, not yet in a meeting. */
export async function newPerson(browser, server, options = {}) {
  const number = count++;
  const person = {
    name: options.name ?? `Person ${number + 1}`,
    tone: 400 + 170 * (number % 12),
    hue: (40 + 67 * number) % 360,
    url: options.url ?? server.url,
  };
  const context = await browser.newContext({
    permissions: ['camera', 'microphone'],
    locale: options.locale ?? 'en-US',
    colorScheme: options.colorScheme ?? 'light',
    viewport: options.viewport ?? { width: 1280, height: 720 },
    ignoreHTTPSErrors: true,
    serviceWorkers: options.serviceWorkers ?? 'block', // what goes through one cannot be routed
  });
  onCleanup(() => context.close());
  person.context = context;
  person.page = await context.newPage();
  person.errors = [];
  person.page.on('pageerror', (error) => person.errors.push(error.message));
  await person.page.addInitScript(fakes, {
    tone: person.tone,
    hue: person.hue,
    width: options.width ?? 640,
    height: options.height ?? 360,
    udpBlocked: options.udpBlocked ?? false,
    via: options.via ?? 0,
    busy: options.busy ?? false,
    fps: options.fps ?? 30,
  });
  return person;
}

/** Opens what `person` will share: a page full of text, chosen without asking by its title. */
export async function openShared(person) {
  const shared = await person.context.newPage();
  await shared.setViewportSize({ width: 1920, height: 1080 });
  const lines = Array.from({ length: 40 }, (_, i) => `<p>${i}: the quick brown fox jumps over the lazy dog</p>`);
  await shared.setContent(`<title>SHAREME</title><body style="font:20px sans-serif"><p id="clock">0</p>${lines.join('')}<script>
    let ticks = 0;
    setInterval(() => { document.getElementById('clock').textContent = ++ticks; }, 100)</script>`);
  await person.page.bringToFront();
  return shared;
}

/** Goes to the meeting's page and through the pre-join page. */
export async function join(person, meeting, { token, wait = true } = {}) {
  const { page } = person;
  if (token) await page.addInitScript(({ id, secret }) => sessionStorage.setItem(`parley.token.${id}`, secret), { id: meeting, secret: token });
  await page.goto(`${person.url}/m/${meeting}`);
  await page.getByTestId('name-input').fill(person.name);
  await page.getByTestId('join-button').click();
  if (wait) await page.getByTestId('leave-button').waitFor({ timeout: 20_000 });
  return person;
}

/** Fails when axe finds something serious on the page, once what moves on it has come to its end. */
export async function axeFinds(page, where) {
  await page.evaluate(axe.source);
  await page.evaluate(async () => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    for (const animation of document.getAnimations())
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
  });
  const serious = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`);
  });
  check(serious.length === 0, `${where}:\n${serious.join('\n')}`);
}

export const near = (hue, wanted) => Math.min(Math.abs(hue - wanted), 360 - Math.abs(hue - wanted)) <= 14;

/** Everyone hears everyone else's tone and not their own; returns the levels. */
export async function allHear(people, ms = 20_000) {
  for (const listener of people) {
    const others = people.filter((other) => other !== listener);
    await until(`${listener.name} hears ${others.map((o) => o.tone)}`, async () => {
      const heard = await listener.page.evaluate((tones) => window.__test.heard(tones), others.map((o) => o.tone));
      const missing = others.filter((other) => (heard[other.tone] ?? 0) < 20);
      if (missing.length > 0) throw new Error(`missing ${missing.map((o) => o.name)}: ${JSON.stringify(heard)}`);
      return true;
    }, ms, 200);
  }
}

/** Everyone sees everyone else's colour. */
export async function allSee(people, ms = 20_000) {
  for (const viewer of people) {
    await until(`${viewer.name} sees the others`, async () => {
      const shown = await viewer.page.evaluate(() => window.__test.shown());
      const missing = people.filter((other) => !shown.some((video) => near(video.hue, other.hue)));
      if (missing.length > 0) throw new Error(`missing ${missing.map((o) => `${o.name} ${o.hue}`)}: ${JSON.stringify(shown)}`);
      return true;
    }, ms, 200);
  }
}
