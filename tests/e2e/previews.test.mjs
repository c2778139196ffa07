// Cards of what messages link to, asked for by the server as it is: its guard knows no exception,
// so the page stands at a public address, which in the tests' own network is this machine.
import { createServer } from 'node:http';
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { check, onCleanup, until } from './support/cleanup.mjs';
import { makePublic, PUBLIC } from './support/net.mjs';
import { axeFinds, join, launchChromium } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const PAGE = `<!doctype html><meta charset="utf-8"><title>Plain</title>
<meta property="og:title" content="Lakes of the &Uuml;bersee &amp; 上海">
<meta name="description" content="Where they are, how deep they are, and who has rowed on them: a list that grows with each summer.">
<meta property="og:site_name" content="Rowing club"><script>document.title = 'never'</script>`;

/** What is asked of it: {asked: paths}. */
async function serve(address, port, answer) {
  const server = createServer((request, reply) => {
    site.asked.push(request.url);
    answer(request, reply);
  });
  const site = { asked: [] };
  await new Promise((resolve, reject) => server.on('error', reject).listen(port, address, resolve));
  onCleanup(() => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(resolve);
  }));
  return site;
}

/** The web, and what stands beside the server: whatever asks the latter was let through. */
async function makeWeb() {
  makePublic();
  const inside = await serve('127.0.0.1', 80, (_, reply) => reply.end('<title>Secret</title>'));
  const web = await serve(PUBLIC, 80, (request, reply) => {
    if (request.url === '/inside') reply.writeHead(302, { location: 'http://127.0.0.1/' });
    else if (request.url === '/mapped') reply.writeHead(302, { location: 'http://[::ffff:127.0.0.1]/' });
    else if (request.url === '/away') reply.writeHead(301, { location: '/lakes' });
    else reply.writeHead(200, { 'content-type': 'text/html' });
    reply.end(request.url === '/long' ? `<title>${'A title without an end '.repeat(20)}</title>` : PAGE);
  });
  return { web, inside };
}

async function say(page, words) {
  await page.getByTestId('chat-input').fill(words);
  await page.getByTestId('chat-send').click();
}

const cards = (page) => page.getByTestId('link-preview');
const count = (what, page, n) => until(what, async () => (await cards(page).count()) === n);

export const tests = {
  async 'a link gets its card for everybody, and its author takes it away'() {
    const { web, inside } = await makeWeb();
    const server = await startServer();
    const [ann, ben] = await makeAccounts(server, 'Ann', 'Ben');
    const { id } = await rest(server, ann.token, 'POST', 'spaces', { name: 'Lake' });
    await rest(server, ann.token, 'POST', `spaces/${id}/members`, { email: ben.email, role: 'editor' });
    const browser = await launchChromium();
    const her = await signedIn(browser, server, ann);
    const his = await signedIn(browser, server, ben, { locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 360, height: 720 } });
    for (const { page } of [her, his]) {
      await page.goto(`${server.url}/s/${id}`);
      await page.getByTestId('chat-input').waitFor();
    }
    const link = `http://${PUBLIC}/lakes`;
    await say(his.page, `看这里：${link}。`);
    for (const { page } of [her, his]) {
      await count('the card', page, 1);
      const card = await cards(page).innerText();
      check(card.includes('Lakes of the Übersee & 上海') && card.includes(`Rowing club · ${PUBLIC}`) && card.includes('how deep'), `what the page says: ${card}`);
      check((await cards(page).locator('a').getAttribute('href')) === link, 'it leads there');
      check((await cards(page).locator('img').count()) === 0, 'nothing of the page is loaded by browsers');
    }
    check(web.asked.length === 1, `asked for once: ${web.asked}`);
    await axeFinds(his.page, 'a card, dark and narrow');
    const { width } = await cards(his.page).boundingBox();
    check(width < 360 && (await his.page.evaluate(() => document.documentElement.scrollWidth)) <= 360, 'it fits');

    const remove = his.page.getByRole('button', { name: '移除“Lakes of the Übersee & 上海”的预览' });
    await remove.focus();
    await his.page.keyboard.press('Enter');
    for (const { page } of [her, his]) await count('it is gone', page, 0);
    await his.page.reload();
    await his.page.getByTestId('chat-text').waitFor();
    check((await cards(his.page).count()) === 0, 'and stays away');

    // A link that is edited away takes its card along; another's cannot be taken by an editor.
    await say(her.page, `http://${PUBLIC}/away and http://${PUBLIC}/long`);
    for (const { page } of [her, his]) await count('two cards', page, 2);
    check((await his.page.getByTestId('remove-preview').count()) === 0, 'no button for what others wrote');
    const message = her.page.locator('article.chat-message').last();
    await message.hover();
    await message.getByRole('button', { name: 'Message actions' }).click();
    await her.page.getByTestId('chat-edit').click();
    await say(her.page, `only http://${PUBLIC}/away`);
    for (const { page } of [her, his]) await count('one is left', page, 1);

    // What stands beside the server is not asked, however it is written.
    await say(her.page, 'http://127.0.0.1/ http://localhost/ http://[::ffff:127.0.0.1]/');
    await say(her.page, `http://${PUBLIC}/inside http://${PUBLIC}/mapped http://0x7f000001/`);
    await until('both redirects were followed', () => web.asked.includes('/inside') && web.asked.includes('/mapped'));
    await say(her.page, `last: http://${PUBLIC}/last`);
    for (const { page } of [her, his]) await count('and the one behind them', page, 2);
    check(inside.asked.length === 0, `inside was asked: ${inside.asked}`);
  },

  async 'in a meeting of the space its chat has the cards too'() {
    const { web } = await makeWeb();
    const server = await startServer();
    const [ann] = await makeAccounts(server, 'Ann');
    const { id } = await rest(server, ann.token, 'POST', 'spaces', { name: 'Lake' });
    const meeting = await rest(server, ann.token, 'POST', `spaces/${id}/meetings`, {});
    const browser = await launchChromium();
    const her = await join(await signedIn(browser, server, ann), meeting.id);
    await her.page.getByTestId('chat-toggle').click();
    await say(her.page, `http://${PUBLIC}/lakes`);
    await count('the card', her.page, 1);
    await her.page.getByRole('button', { name: 'Remove the preview of Lakes of the Übersee & 上海' }).click();
    await count('it is gone', her.page, 0);
    check(web.asked.length === 1, `asked for once: ${web.asked}`);
  },

  async 'switched off, no page is asked'() {
    const { web } = await makeWeb();
    const server = await startServer({ 'chat.previews': 'no' });
    const [ann] = await makeAccounts(server, 'Ann');
    const { id } = await rest(server, ann.token, 'POST', 'spaces', { name: 'Lake' });
    await rest(server, ann.token, 'POST', `spaces/${id}/messages`, { text: `http://${PUBLIC}/lakes` });
    await until('the job is done', async () => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      return /parley_jobs_done_total\{kind="message.preview"\} 1/.test(metrics);
    });
    const { items } = await rest(server, ann.token, 'GET', `spaces/${id}/messages`);
    check(items[0].previews === undefined && web.asked.length === 0, 'no card, no question');
  },
};
