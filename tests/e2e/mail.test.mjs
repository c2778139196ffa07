// Letters and what their links do: invitations, signing up, forgotten passwords, another address.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { check, onCleanup, until } from './support/cleanup.mjs';
import { axeFinds, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';
import { startMailbox } from './support/smtp.mjs';

const PASSWORD = 'two boats in the reeds';

/** A certificate for localhost that nobody else knows. */
function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'parley-mail-'));
  onCleanup(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
  { stdio: 'ignore' });
  return { cert, secure: { key: readFileSync(key), cert: readFileSync(cert) } };
}

/** A server whose letters go to a mailbox of the test; its links lead to itself. */
async function mailing(mailbox, settings = {}) {
  const wish = { 'mail.server': mailbox.url, 'mail.from': 'parley@example.org', 'mail.starttls': 'no', ...settings };
  const server = await startServer({ ...wish, 'http.url': 'https://parley.example.org' });
  return server;
}

/** Links lead to where people reach the server; the test reaches it on loopback. */
const here = (server, link) => link.replace('https://parley.example.org', server.url);

async function opened(browser, server, letter, options) {
  const person = await newPerson(browser, server, options);
  await person.page.goto(here(server, letter.link));
  return person.page;
}

export const tests = {
  async 'an invitation arrives by TLS, is opened, and its person is in the space'() {
    const { cert, secure } = certificate();
    const mailbox = await startMailbox(secure);
    const server = await mailing(mailbox, { 'mail.authorities': cert });
    const [ann] = await makeAccounts(server, 'Ann');
    const space = await rest(server, ann.token, 'POST', 'spaces', { name: '湖 & <Lake>' });
    await rest(server, ann.token, 'POST', `spaces/${space.id}/members`, { email: 'Zoe@example.org', role: 'editor' });
    const letter = await mailbox.next('zoe@example.org');
    check(letter.text.includes('Ann invites you to the space “湖 & <Lake>”'), 'who invites, and where to');
    check(letter.html.includes('&lt;Lake&gt;') && !letter.html.includes('<Lake>'), 'nothing of it is HTML');
    check(letter.link.startsWith('https://parley.example.org/confirm#plc_'), 'the link leads to the server');

    const browser = await launchChromium();
    const page = await opened(browser, server, letter, { locale: 'zh-CN' });
    await page.getByRole('heading', { name: '你收到了邀请' }).waitFor();
    await axeFinds(page, 'confirming an invitation');
    await page.getByTestId('name').fill('Zoe');
    await page.getByTestId('password').fill('short');
    await page.getByTestId('confirm-account').click();
    await page.getByText('密码至少需要 12 个字符').waitFor();
    await page.getByTestId('password').fill(PASSWORD);
    await page.getByTestId('confirm-account').click();
    await page.getByTestId(`space-${space.id}`).click();
    await page.getByTestId('space-title').waitFor();
    const { items } = await rest(server, ann.token, 'GET', `spaces/${space.id}/members`);
    check(items.some((one) => one.name === 'Zoe' && one.role === 'editor'), 'she is an editor of the space');

    const again = await opened(browser, server, letter);
    await again.getByTestId('link-over').waitFor();
    check(!server.log.includes(letter.link.split('#')[1]), 'the token is in no log');
  },

  async 'signing up by an open domain; a forgotten password; another address'() {
    const mailbox = await startMailbox();
    const server = await mailing(mailbox, { 'auth.domains': 'example.org,open.example' });
    await makeAccounts(server, 'Ann');
    const browser = await launchChromium();
    const { page } = await newPerson(browser, server);
    await page.goto(`${server.url}/sign-in`);
    await page.getByTestId('sign-up-link').click();
    await page.getByTestId('email').fill('eva@closed.example');
    await page.getByTestId('sign-up').click();
    await page.getByText('need an invitation').waitFor();
    await page.getByTestId('email').fill('eva@open.example');
    await page.getByTestId('sign-up').click();
    await page.getByTestId('letter-sent').waitFor();
    await page.goto(here(server, (await mailbox.next('eva@open.example')).link));
    await page.getByTestId('name').fill('Eva');
    await page.getByTestId('password').fill(PASSWORD);
    await page.getByTestId('confirm-account').click();
    await page.getByTestId('rail').waitFor({ state: 'attached' });

    const other = (await newPerson(browser, server)).page;
    await other.goto(`${server.url}/sign-in`);
    await other.getByTestId('forgotten-link').click();
    await other.getByTestId('email').fill('eva@open.example');
    await other.getByTestId('ask-password').click();
    await other.getByTestId('letter-sent').waitFor();
    await other.goto(here(server, (await mailbox.next('eva@open.example')).link));
    await other.getByTestId('password').fill('a heron stands very still');
    await other.getByTestId('confirm-password').click();
    await other.getByTestId('to-sign-in').click();
    await other.getByTestId('email').fill('eva@open.example');
    await other.getByTestId('password').fill('a heron stands very still');
    await other.getByTestId('sign-in').click();
    await other.getByTestId('rail').waitFor({ state: 'attached' });
    await page.goto(`${server.url}/account`);
    await page.getByTestId('sign-in').waitFor();

    await other.goto(`${server.url}/account`);
    await other.getByTestId('email-fold').click();
    await other.getByTestId('new-email').fill('eva@example.org');
    await other.getByTestId('email-password').fill('a heron stands very still');
    await other.getByTestId('change-email').click();
    await other.getByTestId('email-sent').waitFor();
    await other.goto(here(server, (await mailbox.next('eva@example.org')).link));
    await other.getByTestId('confirm-email').click();
    await other.getByTestId('to-account').click();
    await other.getByText('eva@example.org').waitFor();
  },

  async 'a mail server that is down gets the letter when it is back'() {
    const mailbox = await startMailbox();
    const server = await mailing({ url: 'smtp://127.0.0.1:1' });
    const [ann] = await makeAccounts(server, 'Ann');
    const made = await rest(server, ann.token, 'POST', 'invitations', { email: 'zoe@example.org' });
    check(made.mailed && made.link === undefined, 'it goes by mail');
    await until('it has failed', async () => (await server.metrics()).parley_jobs_failures_total >= 1);
    await server.stop();
    server.settings['mail.server'] = mailbox.url;
    await server.start();
    const letter = await mailbox.next('zoe@example.org');
    check(letter.text.includes('/confirm#plc_'), 'with its link');
  },

  async 'without mail an admin hands the links over'() {
    const server = await startServer();
    const [ann] = await makeAccounts(server, 'Ann');
    const browser = await launchChromium();
    const { page } = await signedIn(browser, server, ann);
    await page.goto(`${server.url}/account`);
    await page.getByText('No mail server is configured').waitFor();
    await page.getByTestId('invite-email').fill('zoe@example.org');
    await page.getByTestId('invite').click();
    const link = await page.getByTestId('link').inputValue();
    check(link.startsWith(`${server.url}/confirm#plc_`), 'the link is shown');
    await page.getByTestId('hand-over').click();
    await until('another link', async () => (await page.getByTestId('link').inputValue()) !== link);
    await axeFinds(page, 'the account page of an admin');
    const zoe = (await newPerson(browser, server)).page;
    await zoe.goto(link);
    await zoe.getByTestId('link-over').waitFor();
    await zoe.goto('about:blank');
    await zoe.goto(await page.getByTestId('link').inputValue());
    await zoe.getByTestId('name').fill('Zoe');
    await zoe.getByTestId('password').fill(PASSWORD);
    await zoe.getByTestId('confirm-account').click();
    await zoe.getByTestId('rail').waitFor({ state: 'attached' });
  },
};
