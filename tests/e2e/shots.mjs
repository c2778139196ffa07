// Screenshots of every page, both languages, light and dark, phone and desktop width: into shots/.
// `node tests/e2e/shots.mjs [FOLDER]`
import { mkdirSync } from 'node:fs';
import { dirname, join as path } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanup, sleep } from './support/cleanup.mjs';
import { allSee, join, launchChromium, newPerson, openShared } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const folder = process.argv[2] ?? path(dirname(fileURLToPath(import.meta.url)), '../../shots');
mkdirSync(folder, { recursive: true });

const NAMES = { 'en-US': ['Ann Baker', 'Ben Carter', 'Eve Novak'], 'zh-CN': ['安雅', '陈本', '林夕'] };
const WORDS = {
  'en-US': ['Morning! The **draft** is in the space.', 'Reading it now — page 3 needs a chart.', 'I will share my screen.'],
  'zh-CN': ['早上好！**草稿**已经放好了。', '正在看，第三页还缺一张图。', '我来共享屏幕。'],
};
const SIZES = { phone: { width: 360, height: 740 }, desktop: { width: 1440, height: 900 } };
let count = 0;

for (const locale of ['en-US', 'zh-CN']) {
  for (const colorScheme of ['light', 'dark']) {
    const server = await startServer();
    const { id, token } = await server.createMeeting({ title: locale === 'zh-CN' ? '周会' : 'Weekly' });
    const lobby = await server.createMeeting({ lobby: true });
    const browser = await launchChromium();
    const others = [];
    for (const name of NAMES[locale].slice(1)) others.push(await join(await newPerson(browser, server, { name }), id));
    for (const [i, text] of WORDS[locale].entries()) {
      await others[i % 2].page.evaluate((t) => window.__parley.sendChat(t), text);
    }
    for (const [size, viewport] of Object.entries(SIZES)) {
      const me = await newPerson(browser, server, { name: NAMES[locale][0], locale, colorScheme, viewport });
      const shot = async (name) => {
        await sleep(400); // let motion end
        await me.page.screenshot({ path: path(folder, `${name}.${locale}.${colorScheme}.${size}.png`) });
        count++;
      };
      await me.page.goto(server.url);
      await me.page.getByTestId('new-meeting').waitFor();
      await shot('start');
      await me.page.goto(`${server.url}/m/${id}`);
      await me.page.getByTestId('join-button').waitFor();
      await sleep(800);
      await shot('prejoin');
      await join(me, id, { token });
      await allSee([me, ...others]);
      await shot('meeting');
      await me.page.getByTestId('chat-toggle').click();
      await me.page.getByTestId('chat-text').first().waitFor();
      await shot('chat');
      await me.page.getByTestId('chat-toggle').click().catch(() => me.page.keyboard.press('Escape'));
      await me.page.getByTestId('people-toggle').click().catch(() => {});
      await shot('people');
      await me.page.keyboard.press('Escape');
      await openShared(others[0]);
      await others[0].page.getByTestId('share-button').click();
      await sleep(1500);
      await shot('screen');
      await others[0].page.getByTestId('share-button').click();
      for (const panel of ['settings', 'shortcuts', 'stats']) {
        await me.page.evaluate((name) => window.__parley.open(name), panel);
        await shot(panel);
        await me.page.keyboard.press('Escape');
      }
      await me.page.getByTestId('leave-button').click();
      await me.page.getByTestId('leave-now').click({ timeout: 1500 }).catch(() => {});
      await me.page.getByTestId('ended-page').waitFor().catch(() => {});
      await shot('left');
      const waiting = await join(me, lobby.id, { wait: false });
      await waiting.page.getByTestId('lobby').waitFor();
      await shot('lobby');
      await me.page.goto(`${server.url}/m/no-such-${'x'.repeat(70)}`);
      await sleep(800);
      await shot('notfound');
      await me.context.close();
    }
    await cleanup();
  }
}
console.log(`${count} screenshots in ${folder}`);
