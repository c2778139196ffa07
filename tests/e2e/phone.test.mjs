// A telephone dials in while somebody is in the meeting with a browser.
import { execFileSync } from 'node:child_process';
import { check, until } from './support/cleanup.mjs';
import { freePort, share, startPhone } from './support/baresip.mjs';
import { join, launchChromium, newPerson } from './support/people.mjs';
import { program, startServer } from './support/server.mjs';

const PHONE_TONE = 1000;
const RATE = 8000;

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

export const tests = {
  async 'a telephone is in the meeting like everybody else'() {
    const port = await freePort();
    const server = await startServer({ 'phone.enabled': 'yes', 'phone.udp': `127.0.0.1:${port}`, 'phone.allow': '127.0.0.1' });
    const { id, pin } = createMeeting(server);
    check(/^\d{9,}$/.test(pin), `a PIN of nine digits or more: ${pin}`);
    const browser = await launchChromium();
    const ann = await join(await newPerson(browser, server, { name: 'Ann' }), id);
    const phone = await dialIn(server, port, pin);
    await until('the browser hears the phone', async () => (await ann.page.evaluate((tone) => window.__test.heard([tone]), PHONE_TONE))[PHONE_TONE] >= 20);
    await phone.hears(ann.tone);
    check(share(phone.heard(1), RATE, PHONE_TONE) < 0.001, 'it does not hear itself');
    await phone.press('*6');
    await until('the browser no longer hears the phone', async () => !((await ann.page.evaluate((tone) => window.__test.heard([tone]), PHONE_TONE))[PHONE_TONE] >= 20));
    await phone.press('*6');
    await until('the browser hears it again', async () => (await ann.page.evaluate((tone) => window.__test.heard([tone]), PHONE_TONE))[PHONE_TONE] >= 20);
    await phone.command('hangup');
    await until('the caller has left', async () => (await server.metrics()).parley_phone_legs === 0);
  },
};
