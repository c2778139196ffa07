// Trunks: registration with a provider (kamailio), calls through it, failover, names, certificates.
import { check, until } from '../e2e/support/cleanup.mjs';
import { startServer } from './support/parley.mjs';
import { freeUdp, provider, sipp, trunkUp } from './support/sip.mjs';

const FAILOVER_MS_MAX = 5000;

async function phoneServer(settings) {
  const port = await freeUdp();
  const server = await startServer({ 'phone.enabled': 'yes', 'phone.udp': `127.0.0.1:${port}`, 'phone.options': 1, ...settings });
  return { server, port };
}

const trunk = (name, { address, port }, settings = {}) =>
  Object.fromEntries(
    Object.entries({ host: `${address}:${port}`, user: 'parley', password: 'secret', ...settings }).map(([key, value]) => [`phone.trunk.${name}.${key}`, value]),
  );

export const tests = {
  async 'it registers with MD5 and with SHA-256, and is called through the provider'() {
    for (const algorithm of ['MD5', 'SHA-256']) {
      const kamailio = await provider({ algorithm });
      const { server } = await phoneServer(trunk('main', kamailio));
      await until(`registered with ${algorithm}`, () => trunkUp(server, 'main'));
      check(kamailio.log().includes(`algorithm=${algorithm}`), `no answer by ${algorithm}: ${kamailio.log()}`);
      await sipp('call', kamailio.port, { keys: { called: 'parley' } });
    }
  },
};
