// Firefox ESR by WebDriver BiDi. It uses no loopback address for media, so it comes to the server
// by the interface of the tests' namespace, over HTTPS.
import puppeteer from 'puppeteer-core';
import { onCleanup } from './cleanup.mjs';
import { fakes } from './fakes.mjs';

const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'media.autoplay.block-webaudio': false,
  'media.autoplay.blocking_policy': 0,
  'media.gmp-manager.updateEnabled': false,
  'media.gmp-provider.enabled': false,
  'intl.accept_languages': 'en-US',
};

/** Like newPerson, in Firefox; its page is puppeteer's. */
export async function newFirefox(url, { name, tone, hue }) {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    headless: true,
    acceptInsecureCerts: true,
    extraPrefsFirefox: { ...PREFERENCES, 'media.navigator.audio.fake_frequency': tone },
  });
  onCleanup(() => browser.close());
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(fakes, { tone, hue, width: 640, height: 360, fps: 30, ownTone: true });
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
