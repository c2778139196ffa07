// The network of the tests: a namespace with an interface and a default route, and others that
// hang on it by a veth pair and can be unplugged.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onCleanup } from './cleanup.mjs';

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** Our address that is no loopback address. */
export const HOST = '10.213.0.1';

/** Goes on in a network namespace of its own: there this program is run again, and ends here. */
export function enterNet() {
  if (process.env.PARLEY_E2E_NET !== '1') {
    const flags = process.getuid() === 0 ? ['--net'] : ['--map-root-user', '--net'];
    const args = [...flags, process.execPath, ...process.argv.slice(1)];
    const { status } = spawnSync('unshare', args, { stdio: 'inherit', env: { ...process.env, PARLEY_E2E_NET: '1' } });
    process.exit(status ?? 1);
  }
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'e0', 'type', 'veth', 'peer', 'name', 'e1');
  ip('addr', 'add', `${HOST}/24`, 'dev', 'e0');
  ip('link', 'set', 'e0', 'up');
  ip('link', 'set', 'e1', 'up');
  ip('route', 'add', 'default', 'via', '10.213.0.2');
}

let nets = 0;

/** Another namespace with a route to us: {name, host (our address there), down(), up()}. */
export function makeNet() {
  const number = ++nets;
  const net = { name: `parley-${process.pid}-${number}`, host: `10.213.${number}.1` };
  const [outside, inside] = [`pv${number}a`, `pv${number}b`];
  ip('netns', 'add', net.name);
  onCleanup(() => void ip('netns', 'delete', net.name));
  ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', net.name);
  ip('addr', 'add', `${net.host}/24`, 'dev', outside);
  ip('link', 'set', outside, 'up');
  const within = (...args) => ip('-n', net.name, ...args);
  within('link', 'set', 'lo', 'up');
  within('addr', 'add', `10.213.${number}.2/24`, 'dev', inside);
  within('link', 'set', inside, 'up');
  within('route', 'add', 'default', 'via', net.host);
  net.down = () => void ip('link', 'set', outside, 'down');
  net.up = () => void ip('link', 'set', outside, 'up');
  return net;
}

/** A program that runs another inside the namespace: what a browser there is launched by. */
export function wrapper(net, program) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-ns-'));
  onCleanup(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'run');
  writeFileSync(path, `#!/bin/sh\nexec ip netns exec ${net.name} ${program} "$@"\n`, { mode: 0o755 });
  return path;
}

/** An address of the public Internet, which here is this machine: nothing leaves the namespace. */
export const PUBLIC = '45.55.65.75';

export function makePublic() {
  ip('addr', 'replace', `${PUBLIC}/32`, 'dev', 'lo');
}
