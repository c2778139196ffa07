// A telephone dials in while somebody is in the meeting with a browser.
import { execFileSync } from 'node:child_process';
import { check, until } from './support/cleanup.mjs';
import { freePort, startPhone } from './support/baresip.mjs';
import { join, launchChromium, newPerson } from './support/people.mjs';
import { program, startServer } from './support/server.mjs';

const PHONE_TONE = 1000;

function createMeeting(server) {
  const text = execFileSync(program, ['meeting', 'create', '--data', server.data, '--name', 'Call', '--json']);
  return JSON.parse(text);
}

async function dialIn(server, port, pin, options = {}) {
  const phone = await startPhone({ tone: PHONE_TONE, ...options });
  await phone.command('dial', `sip:meet@127.0.0.1:${port}${options.uri ?? ''}`);
  await until('the phone hears the prompt', () => phone.heard(1).some((sample) => Math.abs(sample) > 500));
  await phone.press(`${pin}#`);
  await until('the caller is in', async () => (await server.metrics()).parley_phone_legs === 1);
  return phone;
}

const hears = (person) => until(`${person.name} hears the phone`, async () => (await level(person)) >= 20);
const level = async (person) => (await person.page.evaluate((tone) => window.__test.heard([tone]), PHONE_TONE))[PHONE_TONE] ?? 0;

export const tests = {
  async 'a telephone is in the meeting like everybody else'() {
    const port = await freePort();
    const server = await startServer({ 'phone.enabled': 'yes', 'phone.udp': `127.0.0.1:${port}`, 'phone.allow': '127.0.0.1' });
    const { id, pin } = createMeeting(server);
    check(/^\d{9,}$/.test(pin), `a PIN of nine digits or more: ${pin}`);
    const browser = await launchChromium();
    const ann = await join(await newPerson(browser, server, { name: 'Ann' }), id);
    const phone = await dialIn(server, port, pin);
    await hears(ann);
    await phone.hears(ann.tone);
    check(phone.share(PHONE_TONE) < 0.001, 'it does not hear itself');
    await phone.press('*6');
    await until('the browser no longer hears the phone', async () => (await level(ann)) < 20);
    await phone.press('*6');
    await hears(ann);
    await phone.command('hangup');
    await until('the caller has left', async () => (await server.metrics()).parley_phone_legs === 0);
  },

  async 'every codec, every transport, every way of sealing'() {
    const port = await freePort();
    const at = `127.0.0.1:${port}`;
    const server = await startServer({ 'phone.enabled': 'yes', 'phone.udp': at, 'phone.tcp': at, 'phone.allow': '127.0.0.1' });
    const { id, pin } = createMeeting(server);
    const browser = await launchChromium();
    const ann = await join(await newPerson(browser, server, { name: 'Ann' }), id);
    for (const [name, options] of Object.entries({
      PCMA: { codec: 'PCMA/8000/1' },
      'G.722': { codec: 'G722/16000/1' },
      Opus: { codec: 'opus/48000/2' },
      'SIP over TCP': { uri: ';transport=tcp' },
      SDES: { account: ';mediaenc=srtp-mand' },
      'DTLS-SRTP': { account: ';mediaenc=dtls_srtp' },
    })) {
      const phone = await dialIn(server, port, pin, options);
      await hears(ann);
      await phone.hears(ann.tone);
      check(phone.share(PHONE_TONE) < 0.001, `${name}: it does not hear itself`);
      await phone.command('hangup');
      await until('the caller has left', async () => (await server.metrics()).parley_phone_legs === 0);
      console.log(`  ${name}: both hear each other`);
    }
  },

  async 'a held call is silent, and goes on when it is taken up again'() {
    const port = await freePort();
    const server = await startServer({ 'phone.enabled': 'yes', 'phone.udp': `127.0.0.1:${port}`, 'phone.allow': '127.0.0.1' });
    const { id, pin } = createMeeting(server);
    const ann = await join(await newPerson(await launchChromium(), server, { name: 'Ann' }), id);
    const phone = await dialIn(server, port, pin);
    await hears(ann);
    await phone.command('hold');
    await until('Ann no longer hears the phone', async () => (await level(ann)) < 20);
    await phone.command('resume');
    await hears(ann); // baresip's own recording ends with a hold
  },
};
