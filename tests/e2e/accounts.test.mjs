// Accounts as a person meets them: the first one, signing in and out, ending a session elsewhere.
import { check, until } from './support/cleanup.mjs';
import { figure } from './support/figures.mjs';
import { join, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const EMAIL = 'ada@example.org';
const PASSWORD = 'a quiet lake at dawn';

async function makeFirst(page, url) {
  await page.goto(url);
  await page.getByTestId('account-link').click();
  await page.getByTestId('name').fill('Ada Lovelace');
  await page.getByTestId('email').fill(EMAIL);
  await page.getByTestId('password').fill(PASSWORD);
  await page.getByTestId('create-first').click();
  await page.getByTestId('sign-out').waitFor();
}

async function signIn(page, url, password = PASSWORD) {
  await page.goto(`${url}/sign-in`);
  await page.getByTestId('email').fill(EMAIL);
  await page.getByTestId('password').fill(password);
  await page.getByTestId('sign-in').click();
}

export const tests = {
  async 'the first account, signing out and in again'() {
    const server = await startServer();
    const { page } = await newPerson(await launchChromium(), server, { name: 'Ada' });
    await page.goto(`${server.url}/setup`);
    await page.getByTestId('name').fill('Ada');
    await page.getByTestId('email').fill(EMAIL);
    await page.getByTestId('password').fill('short');
    await page.getByTestId('create-first').click();
    await page.getByTestId('form-fault').waitFor();
    await makeFirst(page, server.url);
    await page.reload();
    await page.getByTestId('sign-out').click();
    await page.getByTestId('new-meeting').waitFor();
    await signIn(page, server.url);
    await until('the name on the first page', async () =>
      (await page.getByTestId('account-link').innerText()).includes('Ada Lovelace'));
    check((await page.context().cookies()).some((cookie) => cookie.name === '__Host-parley' && cookie.httpOnly), 'the cookie');
    check(!(await page.evaluate(() => document.cookie)).includes('parley'), 'no script reads it');
    await page.goto(`${server.url}/setup`);
    await page.getByRole('heading').waitFor();
    check((await page.getByTestId('create-first').count()) === 0, 'there is only one first account');
  },

  async 'a session ended elsewhere ends its meeting'() {
    const server = await startServer();
    const browser = await launchChromium();
    const { id } = await server.createMeeting();
    const here = await newPerson(browser, server, { name: 'Ada' });
    await makeFirst(here.page, server.url);
    const there = await newPerson(browser, server, { name: 'Somebody' });
    await signIn(there.page, server.url);
    await until('signed in', async () => (await there.page.getByTestId('account-link').innerText()).includes('Ada'));
    await join(there, id);
    await until('the name of the account', async () =>
      there.page.evaluate(() => /Ada Lovelace/.test(document.body.innerText)));
    await here.page.goto(`${server.url}/account`);
    await here.page.getByTestId('revoke').click();
    const began = Date.now();
    await there.page.locator('[data-reason="signed_out"]').waitFor();
    figure('until the other device was out', Date.now() - began, 1000, ' ms');
    check((await there.page.evaluate(async () => (await fetch('/api/v1/info').then((r) => r.json())).signed_in)) === false,
      'REST too');
    await until('one device is left', async () => (await here.page.getByTestId('device').count()) === 0);
  },
};
