// Scalable video in one stream: each viewer gets the layers it asks for and no more.
import { check, sleep, until } from './support/cleanup.mjs';
import { join, launchChromium, newPerson } from './support/people.mjs';
import { startServer } from './support/server.mjs';

/** In the publisher's page: one stream of this codec and scalability mode instead of simulcast. */
function sendScalable({ mimeType, scalabilityMode }) {
  const encoding = { scalabilityMode, scaleResolutionDownBy: 1, maxBitrate: 1_200_000, maxFramerate: 15 };
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (what, init) {
    const camera = init?.sendEncodings?.length === 3;
    const transceiver = add.call(this, what, camera ? { ...init, sendEncodings: [{ ...encoding, active: true }] } : init);
    if (camera) {
      const { codecs } = RTCRtpSender.getCapabilities('video');
      const wanted = codecs.filter((c) => c.mimeType === mimeType);
      transceiver.setCodecPreferences([...wanted, ...codecs.filter((c) => c.mimeType === 'video/rtx')]);
      window.__camera = transceiver.sender;
    }
    return transceiver;
  };
  const set = RTCRtpSender.prototype.setParameters;
  RTCRtpSender.prototype.setParameters = function (parameters) {
    if (this === window.__camera) parameters.encodings.forEach((e) => Object.assign(e, encoding, { active: true }));
    return set.call(this, parameters);
  };
}

/** The page's own wishes are replaced by one picture of this height. */
async function view(person, id, height) {
  await person.page.evaluate(async ([source, lines]) => {
    const { session } = window.__parley.probe();
    const command = (session.__command ??= session.command.bind(session));
    session.command = (type, d) => (type === 'media.view' ? Promise.resolve() : command(type, d));
    await command('media.view', { tiles: [{ source: { id: source, kind: 'camera' }, height: lines, priority: 1 }] });
  }, [id, height]);
}

async function picture(person) {
  const stats = await person.page.evaluate(() => window.__test.stats());
  return stats
    .filter((s) => s.type === 'inbound-rtp' && s.kind === 'video' && s.framesDecoded > 0)
    .sort((a, b) => b.bytesReceived - a.bytesReceived)[0];
}

async function measured(person, ms) {
  const before = await picture(person);
  await sleep(ms);
  const after = await picture(person);
  return {
    height: after.frameHeight,
    kbps: Math.round(((after.bytesReceived - before.bytesReceived) * 8) / ms),
    frames: after.framesDecoded - before.framesDecoded,
    freezes: after.freezeCount - before.freezeCount,
  };
}

async function twoHeights(mimeType, scalabilityMode) {
  const server = await startServer();
  const { id } = await server.createMeeting();
  const browser = await launchChromium();
  const ann = await newPerson(browser, server, { name: 'Ann', width: 1280, height: 720, busy: true });
  await ann.page.addInitScript(sendScalable, { mimeType, scalabilityMode });
  await join(ann, id);
  const [ben, eve] = [await newPerson(browser, server, { name: 'Ben' }), await newPerson(browser, server, { name: 'Eve' })];
  await join(ben, id);
  await join(eve, id);
  const source = await ann.page.evaluate(() => window.__parley.probe().self ?? window.__parley.probe().ids[0]);
  await view(ben, source, 180);
  await view(eve, source, 720);
  // A busy machine's encoder makes its picture smaller: layers are told apart by their ratio.
  const apart = async (small, large) => {
    const [low, high] = await Promise.all([picture(small), picture(large)]);
    return low?.frameHeight > 0 && high?.frameHeight >= 2 * low.frameHeight;
  };
  await until('Eve sees a larger picture than Ben', () => apart(ben, eve), 40_000, 200);
  const [low, high] = await Promise.all([measured(ben, 5000), measured(eve, 5000)]);
  console.log(`  ${scalabilityMode}: low ${JSON.stringify(low)}, high ${JSON.stringify(high)}`);
  check(low.kbps * 1.5 < high.kbps, `the low one costs less: ${low.kbps} against ${high.kbps} kbit/s`);
  check(low.frames >= 3 && high.frames >= 3, `both go on: ${low.frames} and ${high.frames} frames`);
  // The other way round: a layer up at a key picture, a layer down.
  await view(ben, source, 720);
  await view(eve, source, 180);
  await until('they have changed places', () => apart(eve, ben), 30_000, 100);
  const swapped = await measured(ben, 3000);
  check(swapped.frames >= 2, `the picture goes on: ${JSON.stringify(swapped)}`);
}

export const tests = {
  'VP9 in three spatial layers, key pictures between them': () => twoHeights('video/VP9', 'L3T3_KEY'),
  'AV1 in two spatial layers, each on the one below': () => twoHeights('video/AV1', 'L2T2'),
};
