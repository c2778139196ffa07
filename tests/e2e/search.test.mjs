// Search as people use it: by keys, in words and characters, to the place of what was found.
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { check, until } from './support/cleanup.mjs';
import { axeFinds, launchChromium } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const FAR = 130; // messages after the one looked for: more than a page

async function stage(locale, size) {
  const server = await startServer();
  const [ann, ben] = await makeAccounts(server, 'Ann', 'Ben');
  const { id } = await rest(server, ann.token, 'POST', 'spaces', { name: 'Design team' });
  await rest(server, ann.token, 'POST', `spaces/${id}/members`, { email: ben.email, role: 'viewer' });
  const say = (who, text) => rest(server, who.token, 'POST', `spaces/${id}/messages`, { text });
  const found = await say(ben, '我家在上海东边, near the Crème café: https://example.org');
  for (let i = 0; i < FAR; i++) await say(ann, `Line ${i} about the budget of the quarter`);
  const file = await fetch(`${server.url}/api/v1/spaces/${id}/files?name=${encodeURIComponent('Budget 上海.txt')}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${ann.token}`, 'Content-Type': 'text/plain' },
    body: 'What it costs',
  });
  check(file.status === 201, `the file was taken: ${file.status}`);
  const browser = await launchChromium();
  const person = await signedIn(browser, server, ann, { locale });
  if (size) await person.page.setViewportSize(size);
  return { server, id, found, page: person.page };
}

const hits = (page, kind) => page.getByTestId(`hit-${kind}`);
const shot = async (page, name) => process.env.PARLEY_SHOTS && page.screenshot({ path: `${process.env.PARLEY_SHOTS}/${name}.png` });

export const tests = {
  async 'found by keys, opened at its place'() {
    const { id, found, page } = await stage('en-US');
    await page.getByTestId(`space-${id}`).click();
    await page.getByTestId('chat-input').click();
    await page.keyboard.press('Meta+k');
    const input = page.getByTestId('search-input');
    await until('the box has the keyboard', () => input.evaluate((box) => box === document.activeElement));
    await input.pressSequentially('上海');
    await until('the message and the file', async () => (await hits(page, 'message').count()) === 1 && (await hits(page, 'file').count()) === 1);
    check((await page.locator('mark').allInnerTexts()).every((text) => text === '上海'), 'what was found is marked');
    await shot(page, 'search-results');
    await axeFinds(page, 'search');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const message = page.getByTestId(`message-${found.id}`);
    await message.waitFor();
    await until('it is in view', () =>
      message.evaluate((element) => {
        const { top, bottom } = element.getBoundingClientRect();
        return top >= 0 && bottom <= window.innerHeight;
      }),
    );
    await shot(page, 'search-opened');
    await page.getByTestId('chat-newest').click();
    await page.getByText(`Line ${FAR - 1} about`).waitFor();

    await page.getByTestId('chat-list').focus();
    await page.keyboard.press('/');
    await input.fill('quart');
    await until('a page of what begins so', async () => (await hits(page, 'message').count()) === 20);
    await page.getByTestId('search-more').click();
    await until('and the next', async () => (await hits(page, 'message').count()) === 40);
    await input.fill('"the budget" li');
    await until('a phrase', async () => (await hits(page, 'message').count()) === 20);
    await input.fill('"budget the"');
    await until('another order is another phrase', async () => (await hits(page, 'message').count()) === 0);
    await input.fill('creme CAFE');
    await until('folded', async () => (await hits(page, 'message').count()) === 1);
    const of = page.getByTestId('search-from');
    await of.selectOption({ label: 'Ann (you)' });
    await until('nothing of hers', async () => (await hits(page, 'message').count()) === 0);
    await of.selectOption({ label: 'Ben' });
    await until('it is his', async () => (await hits(page, 'message').count()) === 1);
    await of.selectOption({ label: 'From anyone' });
    await page.getByTestId('search-kind-file').click();
    await until('only files', async () => (await hits(page, 'message').count()) === 0);
    await input.fill('budget');
    await hits(page, 'file').first().click();
    await page.getByTestId('preview-dialog').waitFor();
    await page.getByText('What it costs').waitFor();
  },

  async 'on a phone, in Chinese'() {
    const { page } = await stage('zh-CN', { width: 360, height: 740 });
    await page.getByTestId('rail-open').first().click();
    await page.getByTestId('search-open').click();
    await page.getByTestId('search-input').fill('上海');
    await until('hits', async () => (await hits(page, 'message').count()) === 1);
    check(await page.getByText('成员').first().isVisible(), 'in Chinese');
    check(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing is wider than the phone');
    await shot(page, 'search-phone');
    await hits(page, 'message').first().click();
    await page.getByText('我家在上海东边').first().waitFor();
  },
};
