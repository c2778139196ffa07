// A real telephone: baresip without sound card, its voice a tone from a file, what it hears in a file.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onCleanup, until } from './cleanup.mjs';
import { freePort } from './ports.mjs';

const RATE = 8000;

function wav(tone, seconds) {
  const samples = RATE * seconds;
  const bytes = Buffer.alloc(44 + samples * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + samples * 2, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(RATE * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) bytes.writeInt16LE(Math.round(9000 * Math.sin((2 * Math.PI * tone * i) / RATE)), 44 + i * 2);
  return bytes;
}

/** Power of `tone` against all of the sound, 0..1 (Goertzel). */
function share(samples, rate, tone) {
  const turn = 2 * Math.cos((2 * Math.PI * tone) / rate);
  let before = 0;
  let last = 0;
  let power = 0;
  for (const sample of samples) {
    const next = sample + turn * last - before;
    before = last;
    last = next;
    power += sample * sample;
  }
  if (power === 0) return 0;
  return ((last * last + before * before - turn * last * before) * 2) / (samples.length * power);
}

export class Phone {
  constructor(folder, control) {
    this.folder = folder;
    this.control = control;
    this.log = '';
  }

  command(command, params) {
    return new Promise((resolve, reject) => {
      const text = JSON.stringify({ command, params, token: command });
      const socket = connect(this.control, '127.0.0.1', () => socket.write(`${Buffer.byteLength(text)}:${text},`));
      let reply = '';
      socket.on('error', reject);
      socket.on('data', (bytes) => {
        reply += bytes;
        if (!reply.includes('"response":true')) return;
        socket.end();
        resolve(reply);
      });
    });
  }

  async press(keys) {
    for (const key of keys) {
      const sent = () => this.log.split(`DTMF digit end: '${key}'`).length;
      const before = sent();
      await this.command('sndcode', key);
      await until(`the key ${key} was sent`, () => sent() > before);
    }
  }

  /** The last `seconds` of what it heard at `rate` Hz: one channel of it. */
  heard(seconds) {
    const dump = readdirSync(this.folder).find((name) => name.endsWith('dec.wav'));
    if (dump === undefined) return [];
    const bytes = readFileSync(join(this.folder, dump));
    if (bytes.length < 44) return [];
    const channels = bytes.readUInt16LE(22);
    this.rate = bytes.readUInt32LE(24);
    const all = Math.floor((bytes.length - 44) / 2 / channels);
    const count = Math.min(all, seconds * this.rate);
    return Array.from({ length: count }, (_, i) => bytes.readInt16LE(44 + (all - count + i) * 2 * channels));
  }

  /** How much of the last second of what it heard is `tone`, 0..1; 0 before there is a second. */
  share(tone) {
    const samples = this.heard(1);
    return samples.length > 0 && samples.length === this.rate ? share(samples, this.rate, tone) : 0;
  }

  /** Waits until a second of what it heard is `tone` for the most part. */
  hears(tone) {
    return until(`the phone hears ${tone} Hz`, () => this.share(tone) > 0.8);
  }
}

/** `account`: parameters of baresip's account, such as ";mediaenc=srtp-mand"; `user`: whom it answers for. */
export async function startPhone({ tone = 1000, codec = 'PCMU/8000/1', account = '', user = 'ann' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-phone-'));
  const phone = new Phone(folder, await freePort());
  phone.port = await freePort();
  writeFileSync(join(folder, 'tone.wav'), wav(tone, 120));
  writeFileSync(join(folder, 'accounts'), `<sip:${user}@127.0.0.1>;regint=0;audio_codecs=${codec}${account}\n`);
  writeFileSync(
    join(folder, 'config'),
    `poll_method epoll
sip_listen 127.0.0.1:${phone.port}
net_interface 127.0.0.1
audio_source aufile,${folder}/tone.wav
audio_player aubridge,nothing
audio_alert aubridge,nobody
ausrc_srate ${RATE}
auplay_srate ${RATE}
ausrc_channels 1
auplay_channels 1
jitter_buffer_type fixed
jitter_buffer_delay 5-10
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module opus.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
module dtls_srtp.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:${phone.control}
snd_path ${folder}
`,
  );
  phone.process = spawn('baresip', ['-f', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise((resolve) => phone.process.on('exit', resolve));
  for (const stream of [phone.process.stdout, phone.process.stderr]) stream.on('data', (bytes) => (phone.log = (phone.log + bytes).slice(-500_000)));
  onCleanup(async () => {
    phone.process.kill();
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  await until('baresip is ready', () => phone.log.includes('baresip is ready'));
  return phone;
}
