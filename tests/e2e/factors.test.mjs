// Second factors as a person meets them: an app's codes, codes on paper, passkeys of Chromium's
// virtual authenticator; and how others see one.
import { createHmac } from 'node:crypto';
import { check, until } from './support/cleanup.mjs';
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { launchChromium } from './support/people.mjs';
import { startServer } from './support/server.mjs';

/** What an authenticator app shows (RFC 6238). */
function totp(secret, steps = 0) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const seed = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const mac = createHmac('sha1', seed).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
}

async function begin() {
  const server = await startServer();
  const [ada, bo] = await makeAccounts(server, 'Ada', 'Bo');
  const browser = await launchChromium();
  const { page } = await signedIn(browser, server, ada);
  await page.goto(`${server.url}/account`);
  await page.getByTestId('security').waitFor();
  return { server, browser, page, ada, bo };
}

async function signOut(page, server) {
  await page.goto(`${server.url}/account`);
  await page.getByTestId('sign-out').click();
  await page.getByTestId('new-meeting').waitFor();
}

async function password(page, server, account) {
  await page.goto(`${server.url}/sign-in`);
  await page.getByTestId('email').fill(account.email);
  await page.getByTestId('password').fill(account.password);
  await page.getByTestId('sign-in').click();
}

const inside = (page) => page.getByTestId('rail').waitFor({ state: 'attached' });

/** Reads the codes on paper off the dialog and closes it. */
async function keepCodes(page) {
  await page.getByTestId('codes').waitFor();
  const codes = await page.getByTestId('recovery-code').allInnerTexts();
  check(codes.length === 10 && new Set(codes).size === 10, 'ten different codes');
  await page.getByTestId('codes-kept').click();
  return codes;
}

async function virtualDevice(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  return { cdp, authenticatorId };
}

export const tests = {
  async 'an app: set up, asked for, good once, turned off'() {
    const { server, page, ada } = await begin();
    await page.getByTestId('totp-set-up').click();
    await page.getByTestId('proof-password').fill('not it at all');
    await page.getByTestId('totp-next').click();
    await page.getByTestId('form-fault').waitFor();
    await page.getByTestId('proof-password').fill(ada.password);
    await page.getByTestId('totp-next').click();
    const secret = (await page.getByTestId('totp-secret').innerText()).replaceAll(' ', '');
    check((await page.locator('svg.qr').boundingBox()).width > 150, 'a QR code to scan');
    await page.getByTestId('totp-code').fill(totp(secret, -1));
    await page.getByTestId('totp-confirm').click();
    const codes = await keepCodes(page);
    await page.getByTestId('totp-turn-off').waitFor();
    // REST alike: no token for the password alone, and the problem says what is missing.
    const reply = await fetch(`${server.url}/api/v1/session`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: ada.email, password: ada.password }),
    });
    const problem = await reply.json();
    check(reply.status === 401 && problem.code === 'second_factor' && problem.second.totp && !problem.token, 'the problem');
    check(reply.headers.get('content-type') === 'application/problem+json', 'of RFC 9457');
    const code = totp(secret);
    const { token } = await rest(server, undefined, 'POST', 'session/second', { challenge: problem.second.challenge, code });
    check((await rest(server, token, 'GET', 'me')).email === ada.email, 'signed in');
    await signOut(page, server);
    await password(page, server, ada);
    await page.getByTestId('second-code').fill(code);
    await page.getByTestId('second-step').click();
    await page.getByTestId('form-fault').waitFor();
    await page.getByTestId('second-code').fill(codes[0].toUpperCase());
    await page.getByTestId('second-step').click();
    await inside(page);
    await page.goto(`${server.url}/account`);
    await until('one code less', async () => (await page.getByTestId('recovery').innerText()).includes('9'));
    await page.getByTestId('totp-turn-off').click();
    await page.getByTestId('proof-password').fill(ada.password);
    await page.getByTestId('totp-code').fill(codes[1]);
    await page.getByTestId('totp-off').click();
    await page.getByTestId('totp-set-up').waitFor();
    await signOut(page, server);
    await password(page, server, ada);
    await inside(page);
  },

  async 'a passkey: made, signs in alone and after a password, named, removed'() {
    const { server, page, ada } = await begin();
    const { cdp, authenticatorId } = await virtualDevice(page);
    await page.getByTestId('passkey-new').click();
    await page.getByTestId('passkey-name').fill('Laptop');
    await page.getByTestId('proof-password').fill(ada.password);
    await page.getByTestId('passkey-add').click();
    await keepCodes(page);
    await until('it is listed', async () => (await page.getByTestId('passkey-row').allInnerTexts()).join().includes('Laptop'));
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
    check(credentials.length === 1 && credentials[0].isResidentCredential && credentials[0].rpId === 'localhost', 'the device keeps it');
    await signOut(page, server);
    await page.goto(`${server.url}/sign-in`);
    await page.getByTestId('passkey').click();
    await inside(page);
    await signOut(page, server);
    await password(page, server, ada);
    await page.getByTestId('second-code').waitFor();
    await page.getByTestId('passkey').click();
    await inside(page);
    // A device that does not know who is there signs nobody in by itself.
    await signOut(page, server);
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await page.goto(`${server.url}/sign-in`);
    await page.getByTestId('passkey').click();
    await until('it came to nothing', async () => !(await page.getByTestId('passkey').isDisabled()));
    check(!(await page.evaluate(() => fetch('/api/v1/info').then((r) => r.json()))).signed_in, 'nobody is signed in');
    await password(page, server, ada);
    await page.getByTestId('second-code').waitFor();
    await page.getByTestId('passkey').click();
    await inside(page);
    await page.goto(`${server.url}/account`);
    await page.getByTestId('passkey-more').click();
    await page.getByTestId('passkey-rename').click();
    await page.getByTestId('confirm').locator('input').fill('Old laptop');
    await page.getByTestId('confirm-yes').click();
    await until('its new name', async () => (await page.getByTestId('passkey-row').innerText()).includes('Old laptop'));
    await page.getByTestId('passkey-more').click();
    await page.getByTestId('passkey-drop').click();
    await page.getByTestId('proof-password').fill(ada.password);
    await page.getByTestId('passkey-remove').click();
    await until('none is left', async () => (await page.getByTestId('passkey-row').count()) === 0);
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
    await signOut(page, server);
    await page.goto(`${server.url}/sign-in`);
    await page.getByTestId('passkey').click();
    await page.getByTestId('passkey-fault').waitFor();
    await password(page, server, ada);
    await inside(page);
  },

  async 'a picture: scaled before it is sent, seen by whom one shares a space with'() {
    const { server, page, ada, bo } = await begin();
    const big = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(1600, 900);
      const context = canvas.getContext('2d');
      context.fillStyle = '#c02040';
      context.fillRect(0, 0, 1600, 900);
      const blob = await canvas.convertToBlob({ type: 'image/png' });
      return [...new Uint8Array(await blob.arrayBuffer())];
    });
    await page.getByTestId('picture-file').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: Buffer.from(big) });
    await page.getByTestId('picture-drop').waitFor();
    const me = await rest(server, ada.token, 'GET', 'me');
    const seen = (token) => fetch(`${server.url}/api/v1/users/${me.id}/picture?v=${me.picture}`, { headers: { authorization: `Bearer ${token}` } });
    const reply = await seen(ada.token);
    check(reply.headers.get('content-type') === 'image/webp', 'as WebP');
    check(reply.headers.get('x-content-type-options') === 'nosniff', 'nosniff');
    check(reply.headers.get('content-security-policy').includes('sandbox'), 'sandboxed');
    check((await reply.arrayBuffer()).byteLength < 20_000, 'small');
    const [width, red] = await page.evaluate(async () => {
      const image = document.querySelector('.avatar.large img');
      await image.decode();
      const canvas = new OffscreenCanvas(1, 1);
      canvas.getContext('2d').drawImage(image, 0, 0, 1, 1);
      return [image.naturalWidth, canvas.getContext('2d').getImageData(0, 0, 1, 1).data[0]];
    });
    check(width === 256 && red > 150, 'what was chosen, 256 wide');
    check((await seen(bo.token)).status === 404, 'strangers see none');
    const space = await rest(server, ada.token, 'POST', 'spaces', { name: 'Lab' });
    await rest(server, ada.token, 'POST', `spaces/${space.id}/members`, { email: bo.email, role: 'viewer' });
    check((await seen(bo.token)).status === 200, 'members do');
    const bad = await fetch(`${server.url}/api/v1/me/picture`, {
      method: 'PUT', headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'image/png' }, body: '<svg xmlns="http://www.w3.org/2000/svg"/>',
    });
    check(bad.status === 415, 'what only says it is one is refused');
    await page.getByTestId('picture-drop').click();
    await until('none', async () => (await page.locator('.avatar.large img').count()) === 0);
    check((await seen(ada.token)).status === 404, 'gone');
  },
};
