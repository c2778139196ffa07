// One presenter at a time; the screen is seen soon and readable.
import { check, until } from './support/cleanup.mjs';
import { figure } from './support/figures.mjs';
import { join, launchChromium, newPerson, openShared } from './support/people.mjs';
import { startServer } from './support/server.mjs';

export const tests = {
  async 'a share is seen within a second, a host takes over'() {
    const server = await startServer();
    const { id, token } = await server.createMeeting();
    const browser = await launchChromium();
    const host = await join(await newPerson(browser, server, { name: 'Ann' }), id, { token });
    const ben = await join(await newPerson(browser, server, { name: 'Ben', viewport: { width: 1920, height: 1080 } }), id);
    const eve = await join(await newPerson(browser, server, { name: 'Eve' }), id);
    await openShared(ben);
    await openShared(host);
    await ben.page.getByTestId('share-button').click();
    const start = await until('Ben has chosen', () => ben.page.evaluate(() => window.__test.shared), 10_000, 5);
    const seen = (person) => until(`${person.name} sees the screen`, () => person.page.evaluate(() => {
      const video = document.querySelector('[data-testid="screen-video"]');
      return video && video.videoHeight >= 300 && video.readyState >= 2 ? video.videoHeight : 0;
    }), 10_000, 20);
    await Promise.all([seen(host), seen(eve)]);
    figure('the share is seen after', Date.now() - start, 1000, ' ms');
    const lines = await until('full size', async () => {
      const height = await seen(eve);
      return height >= 700 ? height : 0;
    }, 10_000);
    check(lines >= 700, `readable: ${lines} lines`);
    await eve.page.getByTestId('share-button').click();
    await until('Eve is told that Ben presents', async () => (await eve.page.getByTestId('toasts').innerText()).includes('Ben'));
    await host.page.getByTestId('share-button').click();
    await host.page.getByTestId('confirm-yes').click();
    await until('Ann presents', () => eve.page.evaluate(() => window.__parley.probe().presenter === 'Ann'));
    await until("Ben's share has stopped", async () => (await ben.page.getByTestId('share-button').getAttribute('aria-pressed')) === 'false');
  },
};
