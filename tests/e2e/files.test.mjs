// Files as people handle them: large ones over bad networks, versions, the bin, previews, links for outsiders.
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { check, until } from './support/cleanup.mjs';
import { launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const MIB = 1 << 20;
const digestOf = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Ann's space with Ben as editor; Ann in a browser at its files. */
async function atFiles(settings = {}, options = {}) {
  const server = await startServer(settings);
  const accounts = await makeAccounts(server, 'Ann', 'Ben');
  const { id } = await rest(server, accounts[0].token, 'POST', 'spaces', { name: 'Design team' });
  await rest(server, accounts[0].token, 'POST', `spaces/${id}/members`, { email: accounts[1].email, role: 'editor' });
  const browser = await launchChromium();
  const ann = await signedIn(browser, server, accounts[0], options);
  await ann.page.goto(`${server.url}/s/${id}/files`);
  await ann.page.getByTestId('upload').waitFor();
  return { server, browser, ann, id, accounts };
}

async function contentOf(server, account, file) {
  const reply = await fetch(`${server.url}/api/v1/files/${file}/content`, { headers: { authorization: `Bearer ${account.token}` } });
  check(reply.ok, `content: ${reply.status}`);
  return Buffer.from(await reply.arrayBuffer());
}

async function put(server, account, space, name, type, bytes) {
  const reply = await fetch(`${server.url}/api/v1/spaces/${space}/files?name=${encodeURIComponent(name)}`, {
    method: 'POST', headers: { authorization: `Bearer ${account.token}`, 'content-type': type }, body: bytes,
  });
  check(reply.status === 201, `put: ${reply.status}`);
  return reply.json();
}

/** One second of a tone, and more silence: something to seek in. */
function wav(seconds) {
  const rate = 8000;
  const bytes = Buffer.alloc(44 + rate * seconds, 128);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + rate * seconds, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate, 28);
  bytes.writeUInt16LE(1, 32);
  bytes.writeUInt16LE(8, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(rate * seconds, 40);
  return bytes;
}

/** Two pages: a black box, and words. */
function pdf() {
  const pages = ['0 0 0 rg 50 50 200 200 re f', 'BT /F1 24 Tf 50 700 Td (Second page) Tj ET'];
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert(1)) >> >>',
    '<< /Type /Pages /Kids [4 0 R 6 0 R] /Count 2 >>',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...pages.flatMap((words, i) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${5 + 2 * i} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
      `<< /Length ${words.length} >>\nstream\n${words}\nendstream`,
    ]),
  ];
  let text = '%PDF-1.4\n';
  const at = objects.map((object, i) => {
    const offset = text.length;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const start = text.length;
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  text += at.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  return Buffer.from(`${text}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`);
}

async function menu(page, name, item) {
  await page.getByTestId(`file-more-${name}`).click();
  await page.getByTestId(item).click();
}

const close = (page) => page.keyboard.press('Escape');

export const tests = {
  async 'a large upload: paused, cut off, the server killed; what arrives is what was chosen'() {
    const { server, ann, id, accounts } = await atFiles();
    const bytes = randomBytes(60 * MIB + 77);
    const path = join(server.data, 'large.bin');
    writeFileSync(path, bytes);
    // As slow as a home's line: there is time for everything.
    const cdp = await ann.context.newCDPSession(ann.page);
    await cdp.send('Network.enable');
    const pace = (offline) =>
      cdp.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: 8 * MIB });
    await pace(false);
    await ann.page.getByTestId('upload-input').setInputFiles(path);
    const row = ann.page.getByTestId('uploading');
    const state = (wanted) => until(`state ${wanted}`, async () => (await row.getAttribute('data-state')) === wanted, 30_000);
    const done = () => row.locator('progress').evaluate((element) => element.value);
    await until('a part is up', async () => (await done()) > 0.15, 30_000);

    await ann.page.getByTestId('pause-upload').click();
    await state('paused');
    const before = await done();
    await ann.page.getByTestId('pause-upload').click();
    await until('it goes on', async () => (await done()) > before + 0.02, 30_000);

    await pace(true);
    await state('offline');
    await pace(false);
    await until('it went on by itself', async () => (await done()) > 0.4, 30_000);

    await server.stop('SIGKILL');
    await state('offline');
    await server.start();
    await row.waitFor({ state: 'detached', timeout: 60_000 });
    const { items } = await rest(server, accounts[0].token, 'GET', `spaces/${id}/files`);
    check(items.length === 1 && items[0].name === 'large.bin' && items[0].size === bytes.length, JSON.stringify(items));
    check(digestOf(await contentOf(server, accounts[0], items[0].id)) === digestOf(bytes), 'the same bytes');
    check(ann.errors.length === 0, ann.errors.join());
  },

  async 'no room: said clearly, and nothing is left of it'() {
    const { server, ann, id, accounts } = await atFiles({ 'files.space': 1 });
    await ann.page.getByTestId('upload-input').setInputFiles({ name: 'big', mimeType: 'text/plain', buffer: Buffer.alloc(2 * MIB) });
    const fault = ann.page.getByTestId('uploading').getByRole('alert');
    await fault.waitFor();
    check((await fault.innerText()).includes('no room'), await fault.innerText());
    const quota = await rest(server, accounts[0].token, 'GET', `spaces/${id}/quota`);
    check(quota.bytes === 0 && quota.max === MIB, JSON.stringify(quota));
    await rest(server, accounts[0].token, 'PUT', `quotas/spaces/${id}`, { max: 4 * MIB });
    await ann.page.getByTestId('upload-input').setInputFiles({ name: 'big', mimeType: 'text/plain', buffer: Buffer.alloc(2 * MIB) });
    await ann.page.getByTestId('file-big').waitFor();
  },

  async 'versions: listed, a new one, an earlier one back; the bin: back, and for good'() {
    const { server, ann, id, accounts } = await atFiles();
    const file = await put(server, accounts[0], id, 'plan.txt', 'text/plain', 'first');
    await ann.page.getByTestId('file-plan.txt').waitFor();
    await menu(ann.page, 'plan.txt', 'file-versions');
    await ann.page.getByTestId('version-input').setInputFiles({ name: 'other.txt', mimeType: 'text/plain', buffer: Buffer.from('second') });
    await ann.page.getByTestId('version-2').waitFor();
    check((await contentOf(server, accounts[0], file.id)).toString() === 'second', 'the new version');
    await ann.page.getByTestId('restore-1').click();
    await ann.page.getByTestId('version-3').waitFor();
    check((await contentOf(server, accounts[0], file.id)).toString() === 'first', 'the first is back');
    await close(ann.page);

    await menu(ann.page, 'plan.txt', 'delete-file');
    await ann.page.getByTestId('file-plan.txt').waitFor({ state: 'detached' });
    await ann.page.getByTestId('open-bin').click();
    await ann.page.getByTestId('bin-plan.txt').getByTestId('bring-back').click();
    await ann.page.getByTestId('bin-plan.txt').waitFor({ state: 'detached' });
    await close(ann.page);
    await ann.page.getByTestId('file-plan.txt').waitFor();
    await menu(ann.page, 'plan.txt', 'delete-file');
    await ann.page.getByTestId('file-plan.txt').waitFor({ state: 'detached' });
    await ann.page.getByTestId('open-bin').click();
    await ann.page.getByTestId('bin-plan.txt').getByTestId('purge').click();
    await ann.page.getByTestId('confirm-yes').click();
    await ann.page.getByTestId('bin-plan.txt').waitFor({ state: 'detached' });
    const gone = await fetch(`${server.url}/api/v1/files/${file.id}`, { headers: { authorization: `Bearer ${accounts[0].token}` } });
    check(gone.status === 404, `after the bin: ${gone.status}`);
  },

  async 'previews: PDF drawn without eval, Markdown cleaned, code, sound seeks by Range'() {
    const { server, ann, id, accounts } = await atFiles();
    const put1 = (name, type, bytes) => put(server, accounts[0], id, name, type, bytes);
    await put1('paper.pdf', 'application/pdf', pdf());
    await put1('notes.md', 'application/octet-stream', '# Head\n\n<script>window.bad = 1</script>\n\n| a | b |\n|---|---|\n| [x](javascript:alert(1)) | ![i](http://x/y) |\n');
    await put1('main.c', 'application/octet-stream', 'int main(void)\n{\n}\n');
    await put1('page.html', 'text/html', '<script>window.bad = 1</script>');
    await put1('talk.wav', 'audio/wav', wav(600));
    const { page } = ann;
    await page.getByTestId('file-paper.pdf').getByRole('button').first().click();
    const first = page.getByTestId('pdf-page-1');
    await until('the page is drawn', async () => (await first.getAttribute('data-drawn')) === 'yes', 30_000);
    const dark = await first.evaluate((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) count += data[i] < 64 ? 1 : 0;
      return count / (data.length / 4);
    });
    check(Math.abs(dark - 40000 / (612 * 792)) < 0.02, `the box: ${dark} of the page is dark`);
    await until('its words', async () => (await page.getByTestId('preview-pdf').textContent()).includes('Second page'));
    await close(page);

    await page.getByTestId('file-notes.md').getByRole('button').first().click();
    const document = page.getByTestId('preview-document');
    await document.waitFor();
    check((await document.locator('h1').innerText()) === 'Head' && (await document.locator('td').count()) === 2, 'headings and tables');
    const odd = await document.evaluate((element) => {
      const tags = new Set(['H1', 'P', 'TABLE', 'THEAD', 'TBODY', 'TR', 'TH', 'TD', 'A']);
      const names = new Set(['href', 'target', 'rel']);
      return [...element.querySelectorAll('*')]
        .filter((e) => !tags.has(e.tagName) || [...e.attributes].some(({ name }) => !names.has(name)) || !/^https?:/.test(e.href ?? 'http:'))
        .map((e) => e.outerHTML);
    });
    check(odd.length === 0, `nothing that runs or loads: ${odd}`);
    await close(page);

    await page.getByTestId('file-main.c').getByRole('button').first().click();
    await until('the code', async () => (await page.getByTestId('preview-text').innerText()).includes('int main'));
    await close(page);
    await page.getByTestId('file-page.html').getByRole('button').first().click();
    await until('the source', async () => (await page.getByTestId('preview-text').innerText()).includes('<script>'));
    await close(page);

    const parts = [];
    page.on('response', (reply) => reply.url().includes('/content') && parts.push(reply.status()));
    await page.getByTestId('file-talk.wav').getByRole('button').first().click();
    const at = await page.getByTestId('preview-audio').evaluate(
      (audio) =>
        new Promise((resolve, reject) => {
          audio.onerror = () => reject(new Error(audio.error?.message));
          audio.onseeked = () => resolve(audio.currentTime);
          if (audio.readyState > 0) audio.currentTime = 500;
          else audio.onloadedmetadata = () => (audio.currentTime = 500);
        }),
    );
    check(at === 500 && parts.length > 0 && parts.every((status) => status === 206), `at ${at}: ${parts}`);
    check((await page.evaluate(() => window.bad)) === undefined, 'nothing ran');
    check(ann.errors.length === 0, ann.errors.join());
  },

  async 'a link for outsiders: password, exactly what was chosen, counted, revoked, dead when its maker is demoted'() {
    const { server, browser, ann, id, accounts } = await atFiles();
    const chosen = await put(server, accounts[0], id, 'offer.txt', 'text/plain', 'for you');
    const secret = await put(server, accounts[0], id, 'secret.txt', 'text/plain', 'not for you');
    await ann.page.getByTestId('file-offer.txt').waitFor();
    await menu(ann.page, 'offer.txt', 'share-file');
    await ann.page.getByTestId('share-password').fill('quiet lake');
    await ann.page.getByTestId('make-share').click();
    const link = await ann.page.getByTestId('made-share').inputValue();
    const token = new URL(link).pathname.split('/').pop();

    const guest = await newPerson(browser, server, { name: 'Gus', locale: 'zh-CN' });
    await guest.page.goto(`${server.url}${new URL(link).pathname}`);
    await guest.page.getByTestId('shared-password').fill('loud hill');
    await guest.page.getByTestId('shared-open').click();
    check((await guest.page.getByTestId('shared-fault').innerText()).includes('密码不正确'), 'wrong password');
    await guest.page.getByTestId('shared-password').fill('quiet lake');
    await guest.page.getByTestId('shared-open').click();
    await guest.page.getByTestId('shared-offer.txt').click();
    await until('the text', async () => (await guest.page.getByTestId('preview-text').innerText()).includes('for you'));
    check((await guest.page.getByTestId('shared-secret.txt').count()) === 0, 'nothing else is listed');
    await close(guest.page);

    const ask = (path, pass) => fetch(`${server.url}/api/v1/shares/${path}${pass ? `?pass=${pass}` : ''}`);
    const { pass } = await (await fetch(`${server.url}/api/v1/shares/${token}/pass`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ password: 'quiet lake' }),
    })).json();
    check((await ask(`${token}/files/${chosen.id}/content`)).status === 401, 'without the pass');
    check((await ask(`${token}/files/${chosen.id}/content`, pass)).status === 200, 'with it');
    check((await ask(`${token}/files/${secret.id}/content`, pass)).status === 404, 'a file outside the selection');
    check((await ask(`${token}/messages`, pass)).status === 404, 'messages were not chosen');
    check((await ask('plv_wrong')).status === 404, 'a wrong token');

    await close(ann.page);
    await menu(ann.page, 'offer.txt', 'share-file');
    check((await ann.page.getByTestId('share').innerText()).includes('viewed once'), await ann.page.getByTestId('share').innerText());
    await ann.page.getByTestId('revoke-share').click();
    await ann.page.getByTestId('share').waitFor({ state: 'detached' });
    await guest.page.reload();
    await guest.page.getByTestId('space-blank').waitFor();
    check((await ask(token, pass)).status === 404, 'revoked');

    const [, ben] = accounts;
    const made = await rest(server, ben.token, 'POST', `spaces/${id}/shares`, { everything: true, messages: true });
    await rest(server, ben.token, 'POST', `spaces/${id}/messages`, { text: 'hello **guests**' });
    await guest.page.goto(`${server.url}/l/${made.token}`);
    await guest.page.getByTestId('shared-secret.txt').waitFor();
    await until('the message', async () => (await guest.page.getByTestId('shared-messages').innerText()).includes('hello guests'));
    const { id: who } = await rest(server, ben.token, 'GET', 'me');
    await rest(server, accounts[0].token, 'PATCH', `spaces/${id}/members/${who}`, { role: 'viewer' });
    check((await ask(made.token)).status === 404, 'its maker is a viewer now');
    await rest(server, accounts[0].token, 'PATCH', `spaces/${id}/members/${who}`, { role: 'editor' });
    check((await ask(made.token)).status === 200, 'and an editor again');
    const short = await rest(server, ben.token, 'POST', `spaces/${id}/shares`, { everything: true, expires: Date.now() + 300 });
    await until('it is over', async () => (await ask(short.token)).status === 404);
    check(guest.errors.length === 0, guest.errors.join());
  },
};
