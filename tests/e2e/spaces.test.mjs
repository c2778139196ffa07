// Spaces as people work in them: bringing others in, what each may do, talking, leaving.
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { check, until } from './support/cleanup.mjs';
import { axeFinds, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const roleOf = (page, account) => page.getByTestId(`member-${account.email}`).innerText();

async function makeSpace(person, name) {
  await person.page.getByTestId('new-space').click();
  await person.page.getByTestId('space-name').fill(name);
  await person.page.getByTestId('create-space').click();
  await person.page.getByTestId('space-title').waitFor();
  return new URL(person.page.url()).pathname.split('/').pop();
}

/** A space of Ann's with Ben as editor and Eva as viewer; all three in browsers, in it. */
async function threeInSpace(server, locales = []) {
  const accounts = await makeAccounts(server, 'Ann', 'Ben', 'Eva');
  const { id } = await rest(server, accounts[0].token, 'POST', 'spaces', { name: 'Design team' });
  for (const [i, role] of [[1, 'editor'], [2, 'viewer']])
    await rest(server, accounts[0].token, 'POST', `spaces/${id}/members`, { email: accounts[i].email, role });
  const browser = await launchChromium();
  const people = [];
  for (const [i, account] of accounts.entries()) {
    const person = await signedIn(browser, server, account, { locale: locales[i] ?? 'en-US' });
    await person.page.getByTestId(`space-${id}`).click();
    await person.page.getByTestId('chat-input').waitFor();
    people.push({ ...person, account });
  }
  return { id, people };
}

async function say(page, words) {
  await page.getByTestId('chat-input').fill(words);
  await page.getByTestId('chat-send').click();
}

const texts = (page) => page.getByTestId('chat-text').allInnerTexts();
const reads = (page, words) => until(`"${words}" is there`, async () => (await texts(page)).some((line) => line.includes(words)));

export const tests = {
  async 'two and a viewer talk: messages, replies, reactions, edits, mentions, unread'() {
    const server = await startServer();
    const { id, people: [ann, ben, eva] } = await threeInSpace(server, ['en-US', 'zh-CN', 'en-US']);
    await say(ann.page, 'Hello **all** <img src=x onerror=alert(1)>');
    await reads(ben.page, 'Hello all');
    const message = ben.page.locator('article').first();
    check((await message.locator('strong').innerText()) === 'all' && (await message.locator('img').count()) === 0, 'Markdown, no HTML');
    await message.hover();
    await message.getByRole('button', { name: '回复', exact: true }).click();
    await say(ben.page, '收到');
    await reads(ann.page, '收到');
    check(await ann.page.locator('.chat-quote', { hasText: 'Hello' }).isVisible(), 'what was answered is quoted');

    await reads(eva.page, 'Hello all');
    await eva.page.locator('article').first().hover();
    await eva.page.locator('article').first().getByRole('button', { name: 'Message actions' }).click();
    await eva.page.getByRole('menuitem', { name: '👍' }).click();
    await until('the reaction', async () => (await ann.page.locator('.chat-reactions').count()) === 1);
    check((await eva.page.getByTestId('chat-delete').count()) === 0, 'a viewer deletes nobody else’s message');

    await ann.page.locator('article').first().hover();
    await ann.page.locator('article').first().getByRole('button', { name: 'Message actions' }).click();
    await ann.page.getByTestId('chat-edit').click();
    await say(ann.page, 'Hello everyone');
    await reads(ben.page, 'Hello everyone');
    check(!(await texts(ben.page)).some((line) => line.includes('Hello all')), 'the earlier text is gone');

    await eva.page.getByRole('link', { name: 'Home' }).click();
    await ann.page.getByTestId('chat-input').pressSequentially('Look, @ev');
    await ann.page.getByTestId('mentions').waitFor();
    await ann.page.keyboard.press('Enter');
    await ann.page.keyboard.press('Enter');
    await until('the mention is counted', async () => (await eva.page.getByTestId(`unread-${id}`).innerText()).startsWith('@1'));
    await eva.page.getByTestId(`space-${id}`).click();
    await reads(eva.page, '@Eva');
    await until('and read', async () => {
      const { items } = await rest(server, eva.account.token, 'GET', 'spaces');
      return items[0].unread === 0 && items[0].mentions === 0;
    });
    for (const person of [ann, ben, eva]) check(person.errors.length === 0, person.errors.join('\n'));
  },

  async 'the network goes in mid-send: what was written arrives once, what was not sent is kept'() {
    const server = await startServer();
    const { id, people: [ann, ben] } = await threeInSpace(server);
    await say(ann.page, 'before');
    await reads(ben.page, 'before');
    // The server takes it, and its answer is lost on the way.
    let lost = 0;
    await ann.page.route(`**/spaces/${id}/messages`, async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      if (lost++ === 0) await route.fetch();
      return route.abort('connectionfailed');
    });
    await say(ann.page, 'one');
    await say(ann.page, 'two');
    await reads(ben.page, 'one');
    await until('tried again', () => lost > 1);
    await ann.page.getByTestId('chat-input').fill('not sent yet');
    await ann.page.unroute(`**/spaces/${id}/messages`);
    await ann.page.reload();
    await reads(ben.page, 'two');
    await until('nothing waits', async () => (await ann.page.locator('.unsent').count()) === 0);
    const { items } = await rest(server, ann.account.token, 'GET', `spaces/${id}/messages?limit=100`);
    check(items.map(({ text }) => text).reverse().join() === 'before,one,two', `once and in order: ${items.map(({ text }) => text)}`);
    check((await ann.page.getByTestId('chat-input').inputValue()) === 'not sent yet', 'the draft is kept');
  },

  async 'files: up by button and drop, shown, renamed, moved, deleted and back'() {
    const server = await startServer();
    const { people: [ann, ben, eva] } = await threeInSpace(server, ['zh-CN', 'en-US', 'en-US']);
    for (const { page } of [ann, ben, eva]) await page.getByTestId('view-folder').click();
    await ann.page.getByTestId('upload-input').setInputFiles([
      { name: '计划.txt', mimeType: 'text/plain', buffer: Buffer.from('第一步 <b>second</b>') },
      { name: 'page.html', mimeType: 'text/html', buffer: Buffer.from('<script>document.title = "run"</script>') },
    ]);
    for (const { page } of [ann, ben, eva]) await page.getByTestId('file-计划.txt').waitFor();
    await eva.page.getByTestId('file-计划.txt').getByRole('button').first().click();
    await until('the text', async () => (await eva.page.getByTestId('preview-text').innerText()) === '第一步 <b>second</b>');
    const [saved] = await Promise.all([eva.page.waitForEvent('download'), eva.page.getByTestId('download').click()]);
    check(saved.suggestedFilename() === '计划.txt', 'saved under its name');
    await eva.page.keyboard.press('Escape');
    check((await eva.page.getByTestId('upload').count()) === 0, 'a viewer uploads nothing');

    await ben.page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(300_000)], 'dropped.bin'));
      document.querySelector('[data-testid=files]').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await ann.page.getByTestId('file-dropped.bin').waitFor();
    await ben.page.getByTestId('new-folder').click();
    await ben.page.getByTestId('confirm').locator('input').fill('Old');
    await ben.page.getByTestId('confirm-yes').click();
    await ben.page.getByTestId('file-more-dropped.bin').click();
    await ben.page.getByTestId('rename-file').click();
    await ben.page.getByTestId('confirm').locator('input').fill('kept.bin');
    await ben.page.getByTestId('confirm-yes').click();
    await ben.page.getByTestId('file-more-kept.bin').click();
    await ben.page.getByTestId('move-file').click();
    await ben.page.getByTestId('into-Old').click();
    await ben.page.getByTestId('move-here').click();
    await until('it is out of the top', async () => (await ann.page.getByTestId('file-list').innerText()).includes('bin') === false);
    await ann.page.getByTestId('file-Old').getByRole('button').first().click();
    await ann.page.getByTestId('file-kept.bin').waitFor();
    await ann.page.getByTestId('file-more-kept.bin').click();
    await ann.page.getByTestId('delete-file').click();
    await until('deleted', async () => (await ann.page.getByTestId('file-kept.bin').count()) === 0);
    await ann.page.getByTestId('undo').click();
    await ann.page.getByTestId('file-kept.bin').waitFor();
    for (const person of [ann, ben, eva]) check(person.errors.length === 0, person.errors.join('\n'));
  },

  async 'a meeting from the space: one press to start, one to join, each with their role'() {
    const server = await startServer();
    const { people: [ann, ben, eva] } = await threeInSpace(server, ['en-US', 'zh-CN', 'en-US']);
    check((await eva.page.getByTestId('start-meeting').count()) === 0, 'a viewer starts none');
    await ben.page.getByTestId('start-meeting').click();
    await ben.page.getByTestId('join-button').click();
    await ben.page.getByTestId('leave-button').waitFor();
    await eva.page.getByTestId('join-meeting').click();
    await eva.page.getByTestId('join-button').click();
    await until('they see each other', async () =>
      (await ben.page.evaluate(() => window.__parley.probe().people.map(({ name }) => name).sort().join())) === 'Ben,Eva');
    const role = (page) => page.evaluate(() => {
      const { self, people } = window.__parley.probe();
      return people.find(({ id }) => id === self).role;
    });
    check((await role(ben.page)) === 'cohost' && (await role(eva.page)) === 'participant', 'by their role in the space');
    check(await ann.page.getByTestId('join-meeting').isVisible(), 'the others are told');
  },

  async 'roles change in mid-use: what one may not do any more is not offered'() {
    const server = await startServer();
    const { id, people: [ann, ben] } = await threeInSpace(server);
    await ben.page.getByTestId('invite').waitFor();
    await ann.page.getByTestId(`manage-${ben.account.email}`).click();
    await ann.page.getByTestId('role-viewer').click();
    await until('a viewer invites nobody', async () => (await ben.page.getByTestId('invite').count()) === 0);
    await say(ben.page, 'still here');
    await reads(ann.page, 'still here');
    await ann.page.getByTestId(`manage-${ben.account.email}`).click();
    await ann.page.getByTestId('remove-member').click();
    await ann.page.getByTestId('confirm-yes').click();
    await ben.page.getByTestId('space-blank').waitFor();
    check((await ben.page.getByTestId(`space-${id}`).count()) === 0, 'gone from the rail');
    await rest(server, ann.account.token, 'PATCH', `spaces/${id}`, { archived: true });
    await until('an archived space is not written in', async () => (await ann.page.getByTestId('chat-input').count()) === 0);
  },

  async 'a space is made, one comes by address and one by link, an owner decides'() {
    const server = await startServer();
    const [ann, ben, eva] = await makeAccounts(server, 'Ann', 'Ben', 'Eva');
    const browser = await launchChromium();
    const owner = await signedIn(browser, server, ann);
    const id = await makeSpace(owner, 'Design team');
    check((await owner.page.title()).startsWith('Design team'), 'the title of the page');

    await owner.page.getByTestId('invite').click();
    await owner.page.getByTestId('invite-email').fill(ben.email);
    await owner.page.getByTestId('invite-role').selectOption('editor');
    await owner.page.getByTestId('invite-send').click();
    await owner.page.getByTestId(`member-${ben.email}`).waitFor();
    await owner.page.getByTestId('invite-dialog').getByRole('radio').nth(1).click();
    await owner.page.getByTestId('make-link').click();
    const link = await owner.page.getByTestId('made-link').inputValue();
    await owner.page.keyboard.press('Escape');

    const editor = await signedIn(browser, server, ben, { locale: 'zh-CN' });
    await editor.page.getByTestId(`space-${id}`).click();
    await until('Ben is an editor, in Chinese', async () => (await roleOf(editor.page, ben)).includes('编辑者'));
    check((await editor.page.getByTestId(`manage-${ann.email}`).count()) === 0, 'an editor decides about nobody');
    await editor.page.getByTestId('space-more').click();
    check((await editor.page.getByTestId('open-space-settings').count()) === 0, 'nor about the space');
    await editor.page.keyboard.press('Escape');

    const viewer = await signedIn(browser, server, eva);
    check((await viewer.page.getByTestId(`space-${id}`).count()) === 0, 'outside there is no such space');
    await viewer.page.goto(`${server.url}/s/${id}`);
    await viewer.page.getByTestId('space-blank').waitFor();
    await viewer.page.goto(link);
    await viewer.page.getByTestId('space-title').waitFor();
    await until('Eva is a viewer', async () => (await roleOf(viewer.page, eva)).includes('Viewer'));
    check((await viewer.page.getByTestId('invite').count()) === 0, 'a viewer invites nobody');

    await owner.page.reload();
    await owner.page.getByTestId(`manage-${eva.email}`).click();
    await owner.page.getByTestId('role-editor').click();
    await until('Eva is an editor', async () => (await roleOf(owner.page, eva)).includes('Editor'));
    await owner.page.getByTestId(`manage-${ben.email}`).click();
    await owner.page.getByTestId('remove-member').click();
    await owner.page.getByTestId('confirm-yes').click();
    await until('Ben is out', async () => (await owner.page.getByTestId(`member-${ben.email}`).count()) === 0);
    check((await rest(server, ben.token, 'GET', 'spaces')).items.length === 0, 'for the server too');
  },

  async 'favourite, archived, left, deleted'() {
    const server = await startServer();
    const [ann] = await makeAccounts(server, 'Ann');
    const { page } = await signedIn(await launchChromium(), server, ann);
    const id = await makeSpace({ page }, 'Plans');
    const listed = async () => (await rest(server, ann.token, 'GET', 'spaces')).items[0];
    await page.getByTestId('space-more').click();
    await page.getByTestId('favourite').click();
    await until('a favourite', async () => (await listed()).favourite);
    await page.getByTestId('space-more').click();
    await page.getByTestId('leave-space').click();
    await page.getByTestId('confirm-yes').click();
    check((await listed()).id === id, 'the only owner stays');
    await page.getByTestId('space-more').click();
    await page.getByTestId('open-space-settings').click();
    await page.getByTestId('archive-space').click();
    await until('archived', async () => (await listed()).archived);
    await page.getByTestId('delete-space').click();
    await page.getByTestId('confirm').locator('input').fill('Plans');
    await page.getByTestId('confirm-yes').click();
    await page.getByTestId('new-meeting').waitFor();
    check((await listed()) === undefined, 'nothing is left');
  },

  async 'a guest by link: a name and nothing more, reads and writes, is out when the link is revoked'() {
    const server = await startServer();
    const [ann] = await makeAccounts(server, 'Ann');
    const browser = await launchChromium();
    const owner = await signedIn(browser, server, ann);
    const id = await makeSpace(owner, 'Open house');
    await owner.page.getByTestId('invite').click();
    await owner.page.getByTestId('invite-dialog').getByRole('radio').nth(1).click();
    await owner.page.getByTestId('link-guests').check();
    await owner.page.getByTestId('make-link').click();
    const link = await owner.page.getByTestId('made-link').inputValue();

    const guest = await newPerson(browser, server, { locale: 'zh-CN', viewport: { width: 360, height: 800 } });
    await guest.page.goto(link);
    await axeFinds(guest.page, 'the name of a guest');
    await guest.page.getByTestId('guest-name').fill('Gus');
    await guest.page.getByTestId('guest-enter').click();
    await guest.page.getByTestId('space-title').waitFor();
    await guest.page.getByTestId('chat-input').fill('Hello from outside');
    await guest.page.getByTestId('chat-send').click();
    const told = owner.page.locator('article', { hasText: 'Hello from outside' });
    await owner.page.keyboard.press('Escape');
    await told.waitFor();
    check((await told.locator('.tag').innerText()).includes('Guest') && (await told.innerText()).includes('Gus'), await told.innerText());
    await axeFinds(guest.page, 'a guest in the chat');
    if (process.env.SHOTS) await guest.page.screenshot({ path: `${process.env.SHOTS}/guest.png` });
    await guest.page.getByTestId('members-toggle').click();
    await guest.page.getByTestId('members').waitFor();
    check(!(await guest.page.content()).includes(ann.email), 'no addresses');
    check((await guest.page.getByTestId('new-space').count()) === 0 && (await guest.page.getByTestId('invite').count()) === 0, 'nothing to make');
    await guest.page.reload();
    await guest.page.getByTestId('chat-text').first().waitFor();

    const { items: [made] } = await rest(server, ann.token, 'GET', `spaces/${id}/links`);
    await rest(server, ann.token, 'DELETE', `spaces/${id}/links/${made.id}`);
    await guest.page.getByTestId('sign-in').waitFor();
    for (const person of [owner, guest]) check(person.errors.length === 0, person.errors.join());
  },

  async 'axe finds nothing serious, light and dark, wide and narrow'() {
    const server = await startServer();
    const [ann, ben] = await makeAccounts(server, 'Ann', 'Ben');
    const { id } = await rest(server, ann.token, 'POST', 'spaces', { name: 'Design team' });
    await rest(server, ann.token, 'POST', `spaces/${id}/members`, { email: ben.email, role: 'viewer' });
    for (let i = 0; i < 30; i++)
      await rest(server, ann.token, 'POST', `spaces/${id}/messages`, { text: `Hello **all**, see \`this\` ${i}` });
    const file = await fetch(`${server.url}/api/v1/spaces/${id}/files?name=a.txt`, {
      method: 'POST', headers: { authorization: `Bearer ${ann.token}`, 'content-type': 'text/plain' }, body: 'a',
    });
    check(file.status === 201, 'a file');
    const browser = await launchChromium();
    for (const colorScheme of ['light', 'dark'])
      for (const width of [360, 1440]) {
        const { page } = await signedIn(browser, server, ann, { colorScheme, viewport: { width, height: 800 } });
        const where = `${colorScheme}, ${width}`;
        await axeFinds(page, `start, ${where}`);
        // The pointer stays where it signed in, which on a phone's width is on a button.
        await page.locator('.button.primary:visible').first().hover();
        await axeFinds(page, `start, its button pointed at, ${where}`);
        if (width === 360) {
          await page.getByTestId('rail-open').click();
          await page.getByTestId(`space-${id}`).waitFor();
          await axeFinds(page, `drawer, ${where}`);
        }
        await page.getByTestId(`space-${id}`).click();
        await page.getByTestId('chat-text').first().waitFor();
        await axeFinds(page, `chat, ${where}`);
        check(await page.evaluate(() => document.scrollingElement.scrollHeight <= window.innerHeight), `only the log scrolls, ${where}`);
        if (width === 360) await page.getByTestId('members-toggle').click();
        await page.getByTestId(`member-${ben.email}`).waitFor();
        await axeFinds(page, `members, ${where}`);
        await page.getByTestId('invite').click();
        await axeFinds(page, `inviting, ${where}`);
        await page.goto(`${server.url}/s/${id}/files`);
        await page.getByTestId('file-a.txt').waitFor();
        await axeFinds(page, `files, ${where}`);
      }
  },
};
