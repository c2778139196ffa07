// Pages as a person meets them: words in both languages, keyboard, screen readers.
import { check, until } from './support/cleanup.mjs';
import { axeFinds, join, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';

export const tests = {
  async 'axe finds nothing serious, light and dark'() {
    const server = await startServer();
    const { id } = await server.createMeeting({ title: 'Weekly' });
    const browser = await launchChromium();
    for (const colorScheme of ['light', 'dark']) {
      const ann = await newPerson(browser, server, { name: 'Ann', colorScheme });
      await ann.page.goto(server.url);
      await ann.page.getByTestId('new-meeting').waitFor();
      await axeFinds(ann.page, `start, ${colorScheme}`);
      await ann.page.goto(`${server.url}/m/${id}`);
      await ann.page.getByTestId('join-button').waitFor();
      await axeFinds(ann.page, `before joining, ${colorScheme}`);
      await join(ann, id);
      await ann.page.getByTestId('chat-toggle').click();
      await axeFinds(ann.page, `meeting with chat, ${colorScheme}`);
      await ann.page.getByTestId('people-toggle').click();
      await axeFinds(ann.page, `meeting with people, ${colorScheme}`);
    }
  },

  async 'the language changes while the meeting runs'() {
    const server = await startServer();
    const { id } = await server.createMeeting();
    const ann = await newPerson(await launchChromium(), server, { name: 'Ann', locale: 'zh-CN' });
    await ann.page.goto(server.url);
    await until('Chinese by the browser', async () => /会议/.test(await ann.page.locator('body').innerText()));
    check((await ann.page.locator('html').getAttribute('lang')) === 'zh-CN', 'lang says so');
    await join(ann, id);
    await ann.page.evaluate(() => window.__parley.setLanguage('en'));
    await until('English', async () => (await ann.page.getByTestId('leave-button').getAttribute('aria-label'))?.includes('Leave'));
  },

  async 'no camera and no microphone: the page says so, and one can still join'() {
    const server = await startServer();
    const { id } = await server.createMeeting();
    const ann = await newPerson(await launchChromium(), server, { name: 'Ann' });
    await ann.page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException('refused', 'NotAllowedError');
      };
    });
    await ann.page.goto(`${server.url}/m/${id}`);
    await ann.page.getByTestId('device-problem').first().waitFor();
    await join(ann, id);
  },
};
