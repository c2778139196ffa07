// The chat of a space as people use it: files, recordings, threads, pins, links, drafts, conversations,
// and a meeting whose chat it is.
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { check, until } from './support/cleanup.mjs';
import { axeFinds, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAGCAIAAAB1kpiRAAAAe0lEQVR4nA3JMRFEMQhAwZPzJURCJCAhFfWrqaKAQUIGBakQgaLLtvv76EFPWuhFQ2866ENf+vdRg5qUUIuC2lRQh7rU6xzkJIVcJOQmgzzkJV/7wCcu+MLBNx74wS/+2gY2McEWBraxwA52sdc60IkKulDQjQZ60Iv+AaLcW+G7X315AAAAAElFTkSuQmCC',
  'base64',
);

/** A space of Ann's with Ben as editor and Eva as viewer; those of `names` in browsers, in it. */
async function spaceOf(server, names, options = {}) {
  const accounts = await makeAccounts(server, 'Ann', 'Ben', 'Eva');
  const { id } = await rest(server, accounts[0].token, 'POST', 'spaces', { name: 'Design team' });
  for (const [i, role] of [[1, 'editor'], [2, 'viewer']])
    await rest(server, accounts[0].token, 'POST', `spaces/${id}/members`, { email: accounts[i].email, role });
  const browser = await launchChromium();
  const people = [];
  for (const name of names) {
    const account = accounts.find((one) => one.name === name);
    const person = await signedIn(browser, server, account, options[name] ?? {});
    await person.page.goto(`${server.url}/s/${id}`);
    await person.page.getByTestId('chat-input').waitFor();
    people.push({ ...person, account });
  }
  return { id, accounts, browser, people };
}

async function say(page, words) {
  await page.getByTestId('chat-input').first().fill(words);
  await page.getByTestId('chat-send').first().click();
}

const reads = (page, words) =>
  until(`"${words}" is there`, async () => (await page.getByTestId('chat-text').allInnerTexts()).some((line) => line.includes(words)));

async function menu(page, words, item) {
  const message = page.locator('article', { hasText: words }).first();
  await message.hover();
  await message.locator('.chat-actions button').last().click();
  await page.getByTestId(item).click();
}

const shot = async (page, name) => process.env.SHOTS && page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });

export const tests = {
  async 'files: by button, drop and paste; pictures keep their place, others open; viewers add none'() {
    const server = await startServer();
    const { people: [ann, eva] } = await spaceOf(server, ['Ann', 'Eva'], { Eva: { locale: 'zh-CN' } });
    check((await eva.page.getByTestId('attach').count()) === 0 && (await eva.page.getByTestId('record').count()) === 0, 'a viewer adds no file');
    await ann.page.getByTestId('attach-input').setInputFiles({ name: 'lake.png', mimeType: 'image/png', buffer: PNG });
    await ann.page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(['the plan'], 'plan.txt', { type: 'text/plain' }));
      document.querySelector('.composer-box').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
      const more = new DataTransfer();
      more.items.add(new File(['pasted'], 'pasted.txt', { type: 'text/plain' }));
      document.querySelector('.composer textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData: more, bubbles: true, cancelable: true }));
    });
    await until('three are there', async () => (await ann.page.getByTestId('outgoing').locator('li').count()) === 3);
    await until('uploaded', async () => (await ann.page.getByTestId('outgoing').locator('progress').count()) === 0);
    await shot(ann.page, 'outgoing');
    await say(ann.page, 'Look at these');
    for (const { page } of [ann, eva]) await page.getByTestId('picture-lake.png').waitFor();
    const box = await eva.page.getByTestId('picture-lake.png').locator('img').evaluate((image) => [image.width, image.height, image.complete]);
    check(box[0] > 0 && Math.abs(box[0] / box[1] - 10 / 6) < 0.4, `its place: ${box}`);
    await until('the picture', () => eva.page.getByTestId('picture-lake.png').locator('img').evaluate((image) => image.naturalWidth === 10));
    await eva.page.getByTestId('card-plan.txt').click();
    await until('the text', async () => (await eva.page.getByTestId('preview-text').innerText()) === 'the plan');
    await shot(eva.page, 'preview');
    for (const person of [ann, eva]) check(person.errors.length === 0, person.errors.join('\n'));
  },

  async 'a voice message is recorded, heard, sought in'() {
    const server = await startServer();
    const { people: [ann, ben] } = await spaceOf(server, ['Ann', 'Ben']);
    await ann.page.getByTestId('record').click();
    await ann.page.getByTestId('recording').waitFor();
    await until('two seconds', async () => /0:0[2-9]/.test(await ann.page.getByTestId('recording').innerText()));
    await shot(ann.page, 'recording');
    await ann.page.getByTestId('voice-send').click();
    const voice = ben.page.getByTestId('voice');
    await voice.waitFor();
    check((await voice.locator('rect').count()) > 10, 'its shape');
    await voice.getByTestId('voice-play').click();
    await until('it plays', async () => Number(await voice.getByTestId('voice-line').getAttribute('aria-valuenow')) >= 1);
    await voice.getByTestId('voice-line').press('Home');
    await until('from the start', async () => Number(await voice.getByTestId('voice-line').getAttribute('aria-valuenow')) === 0);
    await shot(ben.page, 'voice');
    check(ben.errors.length === 0, ben.errors.join('\n'));
  },

  async 'threads, earlier versions, pins, a link to a message, who has seen it, code, emoji'() {
    const server = await startServer();
    const { id, people: [ann, ben] } = await spaceOf(server, ['Ann', 'Ben'], { Ben: { locale: 'zh-CN' } });
    await say(ann.page, 'The boats leave at noon');
    await reads(ben.page, 'boats');
    await until('seen', async () => (await ann.page.getByTestId('seen-by').innerText()).includes('Ben'));
    await menu(ben.page, 'boats', 'open-thread');
    await ben.page.getByTestId('thread').getByTestId('chat-input').fill('好的');
    await ben.page.getByTestId('thread').getByTestId('chat-input').press('Enter');
    await until('counted', async () => (await ann.page.locator('.thread-button').innerText()).includes('1'));
    await ann.page.locator('.thread-button').click();
    await until('in the thread', async () => (await ann.page.getByTestId('thread').innerText()).includes('好的'));
    await until('who types', async () => {
      await ben.page.getByTestId('thread').getByTestId('chat-input').pressSequentially('x');
      return (await ann.page.getByTestId('thread').locator('.chat-typing').innerText()).includes('Ben');
    });
    await shot(ann.page, 'thread');
    await ann.page.getByTestId('close-panel').click();

    await menu(ann.page, 'boats', 'chat-edit');
    await say(ann.page, 'The boats leave at two');
    await reads(ben.page, 'at two');
    await ben.page.getByTestId('edited').first().click();
    await until('the earlier text', async () => (await ben.page.getByTestId('history-dialog').innerText()).includes('at noon'));
    await shot(ben.page, 'history');
    await ben.page.keyboard.press('Escape');

    await menu(ben.page, 'at two', 'pin');
    await ann.page.getByTestId('space-more').click();
    await ann.page.getByTestId('show-pins').click();
    await until('pinned', async () => (await ann.page.getByTestId('pins').innerText()).includes('at two'));
    await shot(ann.page, 'pins');

    await say(ann.page, '```js\nconst answer = 42;\n```');
    await reads(ben.page, 'answer');
    check((await ben.page.locator('.code-head').innerText()).includes('js'), 'its language');
    await ben.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await ben.page.getByTestId('copy-code').click();
    await until('copied', async () => (await ben.page.evaluate(() => navigator.clipboard.readText())) === 'const answer = 42;');

    await ann.page.getByTestId('chat-input').pressSequentially('Done :tad');
    await ann.page.getByTestId('mentions').waitFor();
    await ann.page.keyboard.press('Enter');
    check((await ann.page.getByTestId('chat-input').inputValue()) === 'Done 🎉 ', 'a short code');
    await ann.page.getByTestId('emoji').click();
    await ann.page.getByTestId('emoji-search').fill('sailboat');
    await until('found', async () => (await ann.page.locator('.emoji-grid .emoji').count()) > 0);
    await shot(ann.page, 'emoji');
    await ann.page.keyboard.press('Enter');
    check((await ann.page.getByTestId('chat-input').inputValue()).includes('⛵'), 'picked');
    await ann.page.getByTestId('chat-send').click();

    // Far back, and come to by its link.
    const { items } = await rest(server, ann.account.token, 'GET', `spaces/${id}/messages?limit=100`);
    const first = items.at(-1).id;
    for (let i = 0; i < 120; i++) await rest(server, ann.account.token, 'POST', `spaces/${id}/messages`, { text: `more ${i}` });
    await ben.page.goto(`${server.url}/s/${id}?message=${first}`);
    await ben.page.locator('.chat-message.sought').waitFor();
    await until('it is on screen', () => ben.page.locator('.chat-message.sought').evaluate((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      return top >= 0 && bottom <= window.innerHeight;
    }));
    for (const person of [ann, ben]) check(person.errors.length === 0, person.errors.join('\n'));
  },

  async 'a draft is on the other device; a conversation and a group begin; folders'() {
    const server = await startServer();
    const { id, browser, accounts, people: [ann] } = await spaceOf(server, ['Ann']);
    await ann.page.getByTestId('chat-input').fill('not yet sent');
    const other = await signedIn(browser, server, accounts[0]);
    await other.page.goto(`${server.url}/s/${id}`);
    await until('it is here too', async () => (await other.page.getByTestId('chat-input').inputValue()) === 'not yet sent');
    await say(other.page, 'sent now');
    await until('and gone there', async () => (await ann.page.getByTestId('chat-input').inputValue()) === '');

    await ann.page.getByTestId('new-conversation').click();
    await ann.page.getByTestId('find-person').fill('ben');
    await ann.page.getByTestId(`choose-${accounts[1].email}`).check();
    await ann.page.getByTestId('begin-conversation').click();
    await until('with Ben', async () => (await ann.page.getByTestId('space-title').innerText()) === 'Ben');
    await say(ann.page, 'Hello Ben');
    const bens = await rest(server, accounts[1].token, 'GET', 'spaces');
    check(bens.items.some(({ kind, unread }) => kind === 'direct' && unread === 1), 'Ben has it');
    await ann.page.getByTestId('new-conversation').click();
    for (const account of accounts.slice(1)) await ann.page.getByTestId(`choose-${account.email}`).check();
    await shot(ann.page, 'conversation');
    await ann.page.getByTestId('group-name').fill('Lunch');
    await ann.page.getByTestId('begin-conversation').click();
    await until('the group', async () => (await ann.page.getByTestId('space-title').innerText()) === 'Lunch');
    await ann.page.getByTestId('space-more').click();
    await ann.page.getByTestId('move-space').click();
    await ann.page.getByTestId('folder-name').fill('Breaks');
    await ann.page.getByTestId('into-folder').click();
    await until('in its folder', async () => (await ann.page.getByTestId('rail').innerText()).includes('Breaks'));
    await shot(ann.page, 'rail');
    check(ann.errors.length === 0, ann.errors.join('\n'));
  },

  async 'a message is written later, put off, and not at all'() {
    const server = await startServer();
    const { id, people: [ann] } = await spaceOf(server, ['Ann'], { Ann: { locale: 'zh-CN' } });
    for (const words of ['first', 'second']) {
      await ann.page.getByTestId('chat-input').fill(words);
      await ann.page.getByTestId('later').click();
      await ann.page.getByTestId('schedule').click();
      await ann.page.getByTestId('later-dialog').waitFor({ state: 'detached' });
    }
    check((await ann.page.getByTestId('chat-input').inputValue()) === '', 'it is out of the composer');
    await ann.page.getByTestId('space-more').click();
    await ann.page.getByTestId('show-scheduled').click();
    await until('both wait', async () => (await ann.page.getByTestId('scheduled').locator('li').count()) === 2);
    await shot(ann.page, 'scheduled');
    await ann.page.getByTestId('unschedule').first().click();
    await until('one is left', async () => (await ann.page.getByTestId('scheduled').locator('li').count()) === 1);
    await ann.page.keyboard.press('Escape');
    const { items } = await rest(server, ann.account.token, 'GET', `spaces/${id}/scheduled`);
    await rest(server, ann.account.token, 'PATCH', `spaces/${id}/scheduled/${items[0].id}`, { send_at: Date.now() + 500 });
    await reads(ann.page, items[0].text);
    await ann.page.getByTestId('space-more').click();
    await until('nothing waits', async () => (await ann.page.getByTestId('show-scheduled').count()) === 0);
    check(ann.errors.length === 0, ann.errors.join('\n'));
  },

  async 'the chat of a meeting is the space’s, for members and a guest'() {
    const server = await startServer();
    const { id, browser, people: [ann, ben] } = await spaceOf(server, ['Ann', 'Ben'], { Ben: { locale: 'zh-CN' } });
    const meeting = await rest(server, ann.account.token, 'POST', `spaces/${id}/meetings`, { title: 'Tides', open: true });
    await say(ann.page, 'for members');
    await ben.page.getByTestId('join-meeting').click();
    await ben.page.getByTestId('join-button').click();
    await ben.page.getByTestId('leave-button').waitFor();
    const guest = await newPerson(browser, server, { name: 'Gus' });
    await guest.page.goto(`${server.url}/m/${meeting.id}`);
    await guest.page.getByTestId('name-input').fill('Gus');
    await guest.page.getByTestId('join-button').click();
    await guest.page.getByTestId('leave-button').waitFor();
    for (const { page } of [ben, guest]) await page.getByTestId('chat-toggle').click();
    await say(guest.page, 'hello from outside');
    await reads(ben.page, 'hello from outside');
    await reads(ann.page, 'hello from outside');
    check((await ann.page.locator('article', { hasText: 'hello from outside' }).innerText()).includes('Guest'), 'a guest');
    check((await ann.page.getByTestId('meeting-card').innerText()).includes('Tides'), 'the meeting in the chat');
    check(!(await guest.page.getByTestId('chat-list').innerText()).includes('for members'), 'a guest sees the meeting only');
    await ann.page.getByTestId(/^thread-\d+$/).first().click();
    await ann.page.getByTestId('thread').getByTestId('chat-input').fill('hello Gus');
    await ann.page.getByTestId('thread').getByTestId('chat-input').press('Enter');
    await reads(guest.page, 'hello Gus');
    await shot(ann.page, 'meeting-space');
    await shot(ben.page, 'meeting-member');
    for (const person of [ann, ben, guest]) check(person.errors.length === 0, person.errors.join('\n'));
  },

  async 'axe finds nothing serious, light and dark, wide and narrow'() {
    const server = await startServer();
    const { id, accounts, browser } = await spaceOf(server, []);
    const token = accounts[0].token;
    const upload = async (name, type, body) =>
      (await fetch(`${server.url}/api/v1/spaces/${id}/files?name=${name}`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': type }, body })).json();
    const picture = await upload('lake.png', 'image/png', PNG);
    const voice = await upload('v.webm', 'audio/webm', 'x');
    const post = (body) => rest(server, token, 'POST', `spaces/${id}/messages`, body);
    await rest(server, token, 'POST', `spaces/${id}/meetings`, { title: 'Tides' });
    const root = await post({ text: 'See:\n```c\nint main(void);\n```', attachments: [{ file: picture.id, width: 300, height: 180 }] });
    await post({ text: '', attachments: [{ file: voice.id, kind: 'voice', duration: 65000, wave: '0123456789abcdeffedcba98765432100123456789abcdef' }] });
    await post({ text: 'an answer', reply_to: root.id });
    await rest(server, token, 'PATCH', `spaces/${id}/messages/${root.id}`, { pinned: true });
    for (const colorScheme of ['light', 'dark'])
      for (const width of [360, 1440]) {
        const { page } = await signedIn(browser, server, accounts[0], { colorScheme, viewport: { width, height: 800 } });
        const where = `${colorScheme}-${width}`;
        await page.goto(`${server.url}/s/${id}?message=${root.id}`);
        await page.locator('.chat-message.sought').waitFor();
        await page.getByTestId('voice').waitFor();
        await axeFinds(page, `chat, ${where}`);
        await shot(page, `chat-${where}`);
        await page.getByTestId(`thread-${root.id}`).click();
        await page.getByTestId('thread').getByTestId('chat-text').first().waitFor();
        await axeFinds(page, `thread, ${where}`);
        await shot(page, `thread-${where}`);
        await page.getByTestId('close-panel').click();
        await page.getByTestId('space-more').click();
        await page.getByTestId('show-pins').click();
        await page.getByTestId('pins').locator('li').first().waitFor();
        await axeFinds(page, `pins, ${where}`);
        if (width === 360) await page.getByTestId('close-panel').click();
        await page.getByTestId('emoji').first().click();
        await page.locator('.emoji-grid .emoji').first().waitFor();
        await axeFinds(page, `emoji, ${where}`);
        await shot(page, `emoji-${where}`);
      }
  },
};
