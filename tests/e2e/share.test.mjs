// One presenter at a time; the screen is seen soon and readable.
import { check, until } from './support/cleanup.mjs';
import { figure, median } from './support/figures.mjs';
import { allSee, join, launchChromium, newPerson, openShared } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const SHARES = Number(process.env.SHARES ?? 3);

export const tests = {
  async 'a share is seen within a second, a host takes over'() {
    const server = await startServer();
    const { id, token } = await server.createMeeting();
    const browser = await launchChromium();
    // Small pages and cameras of few frames: one machine draws for three people what each draws for himself in life.
    const person = (name) => newPerson(browser, server, { name, fps: 10, viewport: { width: 800, height: 450 } });
    const host = await join(await person('Ann'), id, { token });
    const ben = await join(await person('Ben'), id);
    const eve = await join(await newPerson(browser, server, { name: 'Eve', fps: 10 }), id);
    await allSee([host, ben, eve]);
    await openShared(ben);
    const seen = (viewer) => until(`${viewer.name} sees the screen`, () => viewer.page.evaluate(() => {
      const video = document.querySelector('[data-testid="screen-video"]');
      return video && video.videoHeight >= 300 && video.readyState >= 2 ? video.videoHeight : 0;
    }), 10_000, 20);
    const button = ben.page.getByTestId('share-button');
    const waits = [];
    for (let share = 0; share < SHARES; share++) {
      if (share > 0) {
        await button.click();
        await until('the stage is the people again', () => eve.page.evaluate(() => window.__parley.probe().presenter === null));
        await ben.page.evaluate(() => { window.__test.shared = 0; });
      }
      await button.click();
      const start = await until('Ben has chosen', () => ben.page.evaluate(() => window.__test.shared), 10_000, 5);
      await Promise.all([seen(host), seen(eve)]);
      waits.push(Date.now() - start);
    }
    console.log(`  shares were seen after ${waits.join(', ')} ms`);
    figure('median share', median(waits), 1000, ' ms');
    const lines = await until('full size', async () => {
      const height = await seen(eve);
      return height >= 700 ? height : 0;
    }, 10_000);
    check(lines >= 700, `readable: ${lines} lines`);
    await eve.page.getByTestId('share-button').click();
    await until('Eve is told that Ben presents', async () => (await eve.page.getByTestId('toasts').innerText()).includes('Ben'));
    await openShared(host);
    await host.page.getByTestId('share-button').click();
    await host.page.getByTestId('confirm-yes').click();
    await until('Ann presents', () => eve.page.evaluate(() => window.__parley.probe().presenter === 'Ann'));
    await until("Ben's share has stopped", async () => (await ben.page.getByTestId('share-button').getAttribute('aria-pressed')) === 'false');
  },
};
