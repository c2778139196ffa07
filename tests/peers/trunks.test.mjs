// Trunks: registration with a provider (kamailio), calls through it, failover, names, certificates.
import { createSocket } from 'node:dgram';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, until } from '../e2e/support/cleanup.mjs';
import { certificate, scratch, startServer } from './support/parley.mjs';
import { freePort } from '../e2e/support/ports.mjs';
import { nameServer, provider, silence, sipp, trunkUp } from './support/sip.mjs';

const FAILOVER_MS_MAX = 5000;

async function phoneServer(settings) {
  const port = await freePort();
  const server = await startServer({ 'phone.enabled': 'yes', 'phone.udp': `127.0.0.1:${port}`, 'phone.options': 1, ...settings });
  return { server, port };
}

/** Whether OPTIONS from that address is answered within `ms`. */
async function answered(address, port, ms = 2000) {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, address, resolve));
  const heard = new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    socket.on('message', () => (clearTimeout(timer), resolve(true)));
  });
  const own = socket.address().port;
  socket.send(`OPTIONS sip:x@127.0.0.1:${port} SIP/2.0\r\nVia: SIP/2.0/UDP ${address}:${own};branch=z9hG4bK${own}${Date.now()};rport\r\nFrom: <sip:x@${address}>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: ${own}${Date.now()}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`, port, '127.0.0.1');
  return heard.finally(() => socket.close());
}

const silent = async (what, address, port) => check(!(await answered(address, port, 500)), `${what} is answered`);

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

  async 'a wrong password is refused, and tried again later each time'() {
    const kamailio = await provider({ password: 'another' });
    const { server } = await phoneServer(trunk('main', kamailio));
    const tries = () => kamailio.log().split('challenged parley').length - 1;
    await until('three attempts', () => tries() >= 6); // each is challenged twice
    check(tries() <= 10, `${tries()} challenges`);
    check(!(await trunkUp(server, 'main')), 'it is out');
    check(!server.log.includes('another') && !server.log.includes('secret'), 'no password in the log');
  },

  async 'found by NAPTR and SRV; the second target within 5 s of a dead first; the gate follows the names'() {
    const dead = await silence();
    const kamailio = await provider({ address: '127.0.0.4' });
    const zone = {
      'provider.test NAPTR': [[10, 10, 'SIP+D2U', '_sip._udp.provider.test'], [5, 10, 'SIP+D2T', '_sip._tcp.provider.test']],
      '_sip._tcp.provider.test SRV': [[1, 1, 5060, 'a.provider.test']],
      '_sip._udp.provider.test SRV': [[20, 1, kamailio.port, 'b.provider.test'], [10, 1, dead.port, 'a.provider.test']],
      'a.provider.test A': ['127.0.0.1'],
      'b.provider.test A': ['127.0.0.4'],
    };
    const { server, port } = await phoneServer({
      'phone.dns': await nameServer(zone),
      'phone.trunk.main.host': 'provider.test', 'phone.trunk.main.user': 'parley', 'phone.trunk.main.password': 'secret',
    });
    const begun = Date.now();
    await until('registered at the second', () => trunkUp(server, 'main'));
    check(dead.heard() > 0, 'the first was asked first');
    check(Date.now() - begun < FAILOVER_MS_MAX, `after ${Date.now() - begun} ms`);
    await sipp('call', kamailio.port, { address: '127.0.0.4', keys: { called: 'parley' }, target: null, args: [`127.0.0.4:${kamailio.port}`] });
    await silent('OPTIONS from an address of no trunk', '127.0.0.5', port);
    // The name moves: its new address is let in, and the trunk registers there.
    const moved = await provider({ address: '127.0.0.5' });
    zone['_sip._udp.provider.test SRV'] = [[10, 1, moved.port, 'c.provider.test']];
    zone['c.provider.test A'] = ['127.0.0.5'];
    await until('registered where the name points now', () => moved.log().includes('registered parley'));
    check(await answered('127.0.0.5', port), 'the new address is let in');
    await silent('OPTIONS from the old address', '127.0.0.4', port);
  },

  async 'a trunk that dies is out, the next one is registered already, and it comes back'() {
    const first = await provider();
    const second = await provider({ address: '127.0.0.4' });
    const { server } = await phoneServer({ ...trunk('first', first, { priority: 1 }), ...trunk('second', second, { priority: 2 }) });
    await until('both are registered', async () => (await trunkUp(server, 'first')) && trunkUp(server, 'second'));
    await first.stop();
    const dead = Date.now();
    await until('the first is out', async () => !(await trunkUp(server, 'first')));
    check(Date.now() - dead < FAILOVER_MS_MAX, `out after ${Date.now() - dead} ms`);
    await sipp('call', second.port, { address: '127.0.0.4', keys: { called: 'parley' }, target: null, args: [`127.0.0.4:${second.port}`] });
    console.log(`  out after ${Date.now() - dead} ms`);
    await provider({ port: first.port });
    await until('the first is back', () => trunkUp(server, 'first'));
  },

  async 'killed, the process has its trunks registered again within 2 s'() {
    const kamailio = await provider();
    const { server } = await phoneServer(trunk('main', kamailio));
    await until('registered', () => trunkUp(server, 'main'));
    const before = Number(/phone_ready pid=(\d+)/.exec(server.log)[1]);
    process.kill(before, 'SIGKILL');
    const killed = Date.now();
    await until('it is seen to be down', async () => !(await trunkUp(server, 'main')));
    await until('registered again', () => trunkUp(server, 'main'));
    console.log(`  registered again after ${Date.now() - killed} ms`);
    check(Date.now() - killed < 2000, `after ${Date.now() - killed} ms`);
  },

  async 'by TLS the certificate and the name in it are verified'() {
    const folder = scratch();
    const good = certificate(folder, 'good'); // for localhost
    const other = certificate(folder, 'other');
    copyFileSync(good.certificate, join(folder, 'cafile.pem'));
    writeFileSync(join(folder, 'agent.pem'), readFileSync(good.key, 'utf8') + readFileSync(good.certificate, 'utf8'));
    const kamailio = await provider({ tls: good, port: await freePort() });
    const registered = async (host, settings, expected) => {
      const server = await startServer({
        'phone.enabled': 'yes', 'phone.tls': `127.0.0.1:${await freePort()}`, 'phone.certificates': folder, 'phone.options': 1,
        ...trunk('main', { address: host, port: kamailio.port }, { transport: 'tls', ...settings }),
      });
      await until(`${host} with ${settings.ca}`, () => /trunk_(up|down)/.test(server.log));
      check((await trunkUp(server, 'main')) === expected, `${host} with ${settings.ca}: ${server.log}`);
      await server.stop();
    };
    await registered('localhost', { ca: good.certificate }, true);
    await registered('localhost', { ca: other.certificate }, false);
    await registered('127.0.0.1', { ca: good.certificate }, false);
  },

  async 'by its address alone: no registration, answers OPTIONS, speaks its language'() {
    const kamailio = await provider();
    const { server, port } = await phoneServer({ 'phone.trunk.pbx.host': `127.0.0.1:${kamailio.port}`, 'phone.trunk.pbx.allow': '127.0.0.6', 'phone.trunk.pbx.language': 'zh-CN' });
    await until('it answers', () => trunkUp(server, 'pbx'));
    check(!kamailio.log().includes('challenged'), 'nobody registers');
    await sipp('call', port, { address: '127.0.0.6', keys: { called: 'meet' } });
    await silent('OPTIONS from an address of no trunk', '127.0.0.5', port);
  },
};
