// Publishers by WHIP, all in one page: small pictures, so that many of them cost little.
import { fakes } from './fakes.mjs';
import { onCleanup } from './cleanup.mjs';

/** `count` people with a camera of 180 lines, 10 pictures a second and `kbps` each, and no voice. */
export async function startPublishers(browser, server, meeting, count, kbps = 150) {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  onCleanup(() => context.close());
  const page = await context.newPage();
  await page.addInitScript(fakes, { tone: 0, hue: 300, width: 320, height: 180, fps: 30, busy: true });
  await page.goto(server.url);
  await page.evaluate(async ({ meeting, count, kbps }) => {
    const track = (await navigator.mediaDevices.getUserMedia({ video: true })).getVideoTracks()[0];
    const publish = async (name) => {
      const pc = new RTCPeerConnection();
      pc.addTransceiver(track, { direction: 'sendonly', sendEncodings: [{ maxBitrate: kbps * 1000, maxFramerate: 10 }] });
      await pc.setLocalDescription(await pc.createOffer());
      const reply = await fetch(`/whip/${meeting}?as=${name}`, {
        method: 'POST', headers: { 'content-type': 'application/sdp' }, body: pc.localDescription.sdp,
      });
      if (reply.status !== 201) throw new Error(`WHIP: ${reply.status} ${await reply.text()}`);
      await pc.setRemoteDescription({ type: 'answer', sdp: await reply.text() });
    };
    for (let i = 1; i <= count; i++) await publish(`Tile${i}`);
  }, { meeting, count, kbps });
  return page;
}
