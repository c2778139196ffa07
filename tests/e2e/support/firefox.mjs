// Firefox uses no loopback address for media, so it lives in a network namespace of its own,
// joined to this one by a veth pair, and comes to the server by HTTPS. Needs root.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { onCleanup } from './cleanup.mjs';
import { fakes } from './fakes.mjs';

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });

let nets = 0;

/** A namespace with a route to us: {name, host (our address), guest, down(), up()}. */
export function makeNet() {
  const mark = `${process.pid % 10000}${nets}`;
  const subnet = `10.${200 + (nets % 50)}.${process.pid % 250}`;
  nets++;
  const net = { name: `parley${mark}`, host: `${subnet}.1`, guest: `${subnet}.2` };
  const [outside, inside] = [`pv${mark}a`, `pv${mark}b`];
  ip('netns', 'add', net.name);
  onCleanup(() => {
    ip('netns', 'delete', net.name);
  });
  ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', net.name);
  ip('addr', 'add', `${net.host}/24`, 'dev', outside);
  ip('link', 'set', outside, 'up');
  const within = (...args) => ip('-n', net.name, ...args);
  within('link', 'set', 'lo', 'up');
  within('addr', 'add', `${net.guest}/24`, 'dev', inside);
  within('link', 'set', inside, 'up');
  within('route', 'add', 'default', 'via', net.host);
  net.down = () => ip('link', 'set', outside, 'down');
  net.up = () => ip('link', 'set', outside, 'up');
  return net;
}

/** A program that runs another inside the namespace: what browsers are launched by. */
export function wrapper(net, program) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-ns-'));
  onCleanup(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'run');
  writeFileSync(path, `#!/bin/sh\nexec ip netns exec ${net.name} ${program} "$@"\n`, { mode: 0o755 });
  return path;
}

const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'media.gmp-manager.updateEnabled': false,
  'media.gmp-provider.enabled': false,
  'intl.accept_languages': 'en-US',
};

/** Like newPerson, in Firefox; its page answers goto, evaluate and $ of puppeteer. */
export async function newFirefox(net, url, { name, tone, hue }) {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: wrapper(net, '/usr/bin/firefox-esr'),
    headless: true,
    acceptInsecureCerts: true,
    extraPrefsFirefox: PREFERENCES,
  });
  onCleanup(() => browser.close());
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(fakes, { tone, hue, width: 640, height: 360 });
  return { name, tone, hue, url, page, browser };
}

export async function joinFirefox(person, meeting) {
  const { page } = person;
  const by = (id) => `[data-testid="${id}"]`;
  await page.goto(`${person.url}/m/${meeting}`);
  await page.waitForSelector(by('name-input'), { timeout: 30_000 });
  await page.$eval(by('name-input'), (input) => (input.value = ''));
  await page.type(by('name-input'), person.name);
  await page.click(by('join-button'));
  await page.waitForSelector(by('leave-button'), { timeout: 30_000 });
}
