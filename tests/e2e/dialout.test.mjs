// People in a meeting call others: a real telephone is called, and what becomes of it is shown.
import { execFileSync } from 'node:child_process';
import { check, until } from './support/cleanup.mjs';
import { figure } from './support/figures.mjs';
import { startPhone } from './support/baresip.mjs';
import { freePort } from './support/ports.mjs';
import { digestIsRight, startCallee } from './support/callee.mjs';
import { join, launchChromium, newPerson } from './support/people.mjs';
import { program, startServer } from './support/server.mjs';

const PHONE_TONE = 1000;
const NUMBER = '+4930901820';

async function stage(trunk, settings = {}) {
  const port = await freePort();
  const server = await startServer({
    'phone.enabled': 'yes',
    'phone.udp': `127.0.0.1:${port}`,
    'phone.allow': '127.0.0.1',
    'phone.trunk.main.host': `127.0.0.1:${trunk.port}`,
    'phone.trunk.main.register': 'no',
    'phone.out.allow': '+49',
    'phone.out.country': '49',
    'phone.out.number': '+49301234567',
    ...settings,
  });
  await until('the trunk answers', async () => (await server.metrics()).parley_phone_trunk_up === 1);
  const { id, token } = await server.createMeeting({});
  const browser = await launchChromium();
  const ann = await join(await newPerson(browser, server, { name: 'Ann' }), id, { token });
  return { server, browser, ann, id, token };
}

const hears = (person) => until(`${person.name} hears the phone`, async () => (await level(person)) >= 20);
const level = async (person) => (await person.page.evaluate((tone) => window.__test.heard([tone]), PHONE_TONE))[PHONE_TONE] ?? 0;
const legs = (server, count) => until(`${count} callers are in`, async () => (await server.metrics()).parley_phone_legs === count);

/** Calls by the people panel, as a person does. */
async function callByHand({ page }, number, name = '') {
  if (!(await page.getByTestId('call-phone').isVisible())) await page.getByTestId('people-toggle').click();
  await page.getByTestId('call-phone').click();
  await page.getByTestId('dial-number').fill(number);
  await page.getByTestId('dial-name').fill(name);
  await page.getByTestId('dial-start').click();
}

const shows = ({ page }, words) => page.getByTestId('dial-state').filter({ hasText: words }).first().waitFor({ timeout: 15_000 });

function records(server) {
  const text = execFileSync(program, ['calls', 'export', '--data', server.data]).toString();
  const [head, ...lines] = text.trim().split('\r\n').map((line) => line.split(',').map((field) => field.replace(/^"'?|"$/g, '')));
  return lines.map((fields) => Object.fromEntries(head.map((name, i) => [name, fields[i]])));
}

export const tests = {
  async 'who is called answers, presses 1, and is in the meeting'() {
    const phone = await startPhone({ tone: PHONE_TONE, user: NUMBER });
    const { server, ann } = await stage(phone);
    await callByHand(ann, '030 901820', 'Paula');
    await until('it rings', () => phone.log.includes('Incoming call'));
    await shows(ann, 'Ringing');
    await phone.command('accept');
    await until('the callee hears who calls', () => phone.heard(1).some((sample) => Math.abs(sample) > 500));
    await shows(ann, 'press 1');
    check((await server.metrics()).parley_phone_legs === 0, 'nobody is in before 1 is pressed');
    await phone.press('1');
    await legs(server, 1);
    await ann.page.getByTestId('people-list').getByText('Paula').waitFor();
    await hears(ann);
    await phone.hears(ann.tone);
    check(phone.share(PHONE_TONE) < 0.001, 'the phone does not hear itself');
    await phone.command('hangup');
    await legs(server, 0);
    const record = await until('the record', () => records(server).find((one) => one.reason === 'hung_up'));
    check(record.direction === 'out' && record.number === NUMBER && record.codec === 'PCMU', JSON.stringify(record));
    check(Number(record.mos) >= 1 && Number(record.mos) <= 4.5, `quality: ${record.mos}`);
    figure('quality of a loopback call, below 5 by', Math.round((5 - Number(record.mos)) * 100) / 100, 1.5);
  },

  async 'sealed by SDES and by DTLS'() {
    for (const [srtp, account] of [['sdes', ';mediaenc=srtp-mand'], ['dtls', ';mediaenc=dtls_srtp']]) {
      const phone = await startPhone({ tone: PHONE_TONE, user: NUMBER, account });
      const { server, ann, browser } = await stage(phone, { 'phone.out.srtp': srtp });
      await callByHand(ann, NUMBER);
      await until('it rings', () => phone.log.includes('Incoming call'));
      await phone.command('accept');
      await until('the callee hears', () => phone.heard(1).some((sample) => Math.abs(sample) > 500));
      await phone.press('1');
      await legs(server, 1);
      await hears(ann);
      await phone.hears(ann.tone);
      await phone.command('hangup');
      await legs(server, 0);
      await browser.close();
    }
  },

  async 'a machine that presses nothing is dropped after 30 s'() {
    const phone = await startPhone({ user: NUMBER });
    const { server, ann } = await stage(phone);
    await callByHand(ann, NUMBER);
    await until('it rings', () => phone.log.includes('Incoming call'));
    const before = Date.now();
    await phone.command('accept');
    await until('it is dropped', () => phone.log.includes('session closed'), 40_000);
    const seconds = (Date.now() - before) / 1000;
    check(seconds > 29 && seconds < 33, `dropped after ${seconds} s`);
    await shows(ann, 'Nobody pressed 1');
    await until('the record', () => records(server).some((one) => one.reason === 'machine'));
  },

  async 'what a telephone company says is told in plain words'() {
    let answer = '486 Busy Here';
    const callee = await startCallee((self, invite) => {
      self.respond(invite, '180 Ringing');
      self.respond(invite, answer, { extra: answer.startsWith('302') ? ['Contact: <sip:elsewhere@127.0.0.1:9>'] : [] });
    });
    const { server, ann } = await stage(callee);
    for (const [status, words] of [
      ['486 Busy Here', 'Busy (SIP 486)'],
      ['603 Decline', 'Declined (SIP 603)'],
      ['404 Not Found', 'There is no such number (SIP 404)'],
      ['503 Service Unavailable', 'could not put the call through (SIP 503)'],
      ['302 Moved Temporarily', 'forwards elsewhere'],
      ['488 Not Acceptable Here', 'no sound format'],
    ]) {
      answer = status;
      await callByHand(ann, NUMBER);
      await shows(ann, words);
      await ann.page.getByTestId('dial-cancel').first().click();
      await until('it is dismissed', async () => (await ann.page.getByTestId('dial-state').count()) === 0);
      console.log(`  ${status}: ${words}`);
    }
    check(callee.invites.length === 6, `a redirection is not followed: ${callee.invites.length} INVITEs`);
    check(callee.invites.every((invite) => /m=audio \d+ RTP\/AVP/.test(invite.body)), 'each INVITE offers');
    check(/^"Ann" <sip:\+49301234567@/.test(callee.invites[0].one('from')), callee.invites[0].one('from'));
    await until('each has a record', () => records(server).length === 6);
    // Nobody answers, and a call that is cancelled.
    callee.oninvite = (self, invite) => self.respond(invite, '180 Ringing');
    await callByHand(ann, NUMBER);
    await shows(ann, 'Ringing');
    await ann.page.getByTestId('dial-cancel').first().click();
    await until('CANCEL came', () => callee.count('CANCEL') === 1);
    await until('the record', () => records(server).some((one) => one.reason === 'cancelled'));
  },

  async 'nobody answers; early media; a fork; an answer that crosses our CANCEL; a challenge'() {
    const secret = { user: 'parley', password: 'hush', realm: 'trunk.example', nonce: 'n0nce' };
    const callee = await startCallee((self, invite) => self.respond(invite, '183 Session Progress', { sdp: true }));
    const { server, ann } = await stage(callee, { 'phone.out.ring': 5, 'phone.trunk.main.user': secret.user, 'phone.trunk.main.password': secret.password });
    await callByHand(ann, NUMBER);
    await shows(ann, 'announcement');
    await shows(ann, 'No answer');
    await until('CANCEL came', () => callee.count('CANCEL') === 1);
    // Two early dialogs, the second answers; then the first does too, and is hung up.
    callee.oninvite = (self, invite) => {
      self.respond(invite, '180 Ringing', { tag: 'one' });
      self.respond(invite, '183 Session Progress', { tag: 'two', sdp: true });
      self.respond(invite, '200 OK', { tag: 'two', sdp: true });
    };
    await callByHand(ann, NUMBER);
    await shows(ann, 'press 1');
    await until('ACK came', () => callee.count('ACK') >= 1);
    await ann.page.getByTestId('dial-cancel').first().click();
    await until('BYE came', () => callee.count('BYE') === 1);
    // CANCEL and 200 cross: the call is hung up, not left standing.
    callee.oninvite = (self, invite) => self.respond(invite, '180 Ringing');
    const cancel = callee.respond.bind(callee);
    callee.respond = (request, status, options) => cancel(request, status.startsWith('487') ? '200 OK' : status, status.startsWith('487') ? { sdp: true } : options);
    await callByHand(ann, NUMBER);
    await shows(ann, 'Ringing');
    await ann.page.getByTestId('dial-cancel').first().click();
    await until('BYE came', () => callee.count('BYE') === 2);
    callee.respond = cancel;
    // A challenge is answered with the trunk's credentials.
    let right = null;
    callee.oninvite = (self, invite) => {
      if (invite.one('proxy-authorization') === '') {
        self.respond(invite, '407 Proxy Authentication Required', { extra: [`Proxy-Authenticate: Digest realm="${secret.realm}", nonce="${secret.nonce}", algorithm=MD5`] });
        return;
      }
      right = digestIsRight(invite, 'proxy-authorization', secret);
      self.respond(invite, '486 Busy Here');
    };
    await callByHand(ann, NUMBER);
    await shows(ann, 'Busy');
    check(right === true, `credentials: ${right}`);
    await until('four records', () => records(server).filter((one) => one.ended !== '').length === 4);
  },

  async 'what may not be called is refused and recorded'() {
    const callee = await startCallee((self, invite) => self.respond(invite, '180 Ringing'));
    const { server, ann, id, token } = await stage(callee, { 'phone.out.calls': 1, 'phone.out.deny': '+4915' });
    for (const [number, words] of [
      ['0151 2345678', 'may not be called'],
      ['0900 123456', 'may not be called'],
      ['+1 212 555 0123', 'may not be called'],
      ['110', 'no phone number'],
    ]) {
      await callByHand(ann, number);
      await ann.page.getByTestId('dial-problem').filter({ hasText: words }).waitFor();
      await ann.page.keyboard.press('Escape');
    }
    check(callee.invites.length === 0, 'nothing was sent');
    check(records(server).filter((one) => one.reason === 'denied').length === 4, 'each is recorded');
    await callByHand(ann, NUMBER);
    await shows(ann, 'Ringing');
    const post = (body) => fetch(`${server.url}/api/v1/meetings/${id}/calls`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify(body) });
    const busy = await post({ number: NUMBER });
    check(busy.status === 403 && JSON.stringify(await busy.json()).includes('dial_lines'), 'one line only');
    const dials = await ann.page.evaluate(() => window.__parley.call.phones.dials.peek());
    const ended = await fetch(`${server.url}/api/v1/meetings/${id}/calls/${dials[0].id}`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
    check(ended.status === 204, `ended by REST: ${ended.status}`);
    await shows(ann, 'Cancelled');
    const again = await until('the line is free', async () => {
      const reply = await post({ number: NUMBER });
      return reply.status === 201 && reply;
    });
    check(/^\d+$/.test((await again.json()).id), 'called by REST');
    await shows(ann, 'Ringing');
    check((await fetch(`${server.url}/api/v1/calls.csv`)).status === 401, 'the export is for admins');
  },
};
