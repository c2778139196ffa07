// A publisher's and a viewer's page with plain WebRTC: no client of anybody's. Signalling is done by
// servers.mjs; the pages only make and take SDP.
import { onCleanup } from '../../../tests/e2e/support/cleanup.mjs';
import { fakes } from '../../../tests/e2e/support/fakes.mjs';
import { recorder } from '../../../tests/e2e/support/recorder.mjs';

/** Large enough for three layers, and no larger: the machine encodes and decodes besides. */
export const SIZE = { width: 960, height: 540 };

// As our client's: 135, 270 and 540 lines.
const ENCODINGS = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 160_000, maxFramerate: 30 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 300_000, maxFramerate: 30 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_000_000, maxFramerate: 30 },
];

async function blank(browser, options) {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  onCleanup(() => context.close());
  await context.route('http://localhost/**', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>bench</title>' }));
  const page = await context.newPage();
  await page.addInitScript(fakes, { ...SIZE, busy: true, hue: 120, ...options });
  await page.addInitScript(recorder);
  await page.goto('http://localhost/');
  return page;
}

/** Sends a tone and a picture in three layers. */
export async function publisherPage(browser) {
  const page = await blank(browser, { tone: 570 });
  page.offer = ({ highestFirst = false } = {}) => page.evaluate(async (encodings) => {
    const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    pc.addTransceiver(media.getAudioTracks()[0], { direction: 'sendonly' });
    const { sender } = pc.addTransceiver(media.getVideoTracks()[0], { direction: 'sendonly', sendEncodings: encodings });
    // On a slow machine fewer pictures, not smaller ones: the lines tell the layer.
    await sender.setParameters({ ...sender.getParameters(), degradationPreference: 'maintain-resolution' });
    await pc.setLocalDescription(await pc.createOffer());
    return pc.localDescription.sdp;
  }, highestFirst ? [...ENCODINGS].reverse() : ENCODINGS);
  page.take = (sdp) => page.evaluate((answer) => window.__test.connections[0].setRemoteDescription({ type: 'answer', sdp: answer }), sdp);
  return page;
}

/** Receives by the proxy's port. */
export async function viewerPage(browser, via) {
  const page = await blank(browser, { tone: 0, via });
  await page.evaluate(() => {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    pc.ontrack = ({ track }) => {
      const element = document.createElement(track.kind);
      element.autoplay = true;
      element.srcObject = new MediaStream([track]);
      document.body.append(element);
    };
  });
  page.offer = () => page.evaluate(async () => {
    const [pc] = window.__test.connections;
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
    await pc.setLocalDescription(await pc.createOffer());
    return pc.localDescription.sdp;
  });
  page.take = (sdp) => page.evaluate((answer) => window.__test.connections[0].setRemoteDescription({ type: 'answer', sdp: answer }), sdp);
  /** The answer names no address of ours: the server shall not find a way around the proxy. */
  page.answer = (offer) => page.evaluate(async (sdp) => {
    const [pc] = window.__test.connections;
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await pc.setLocalDescription(await pc.createAnswer());
    return pc.localDescription.sdp.replace(/^a=candidate:.*\r\n/gm, '');
  }, offer);
  return page;
}
