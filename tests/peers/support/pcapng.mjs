// Reads a capture of one section and one interface of raw IP packets, and checks what it reads.
import { check } from '../../e2e/support/cleanup.mjs';

const SECTION = 0x0a0d0d0a;
const LINKTYPE_RAW = 101;

/** RFC 1071; a packet that holds its own checksum sums to 0. */
function sum(...parts) {
  let total = 0;
  for (const bytes of parts) for (let i = 0; i < bytes.length; i++) total += i % 2 === 0 ? bytes[i] << 8 : bytes[i];
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total ^ 0xffff;
}

function packet(bytes) {
  const version = bytes[0] >> 4;
  check(version === 4 || version === 6, `IP version ${version}`);
  const head = version === 4 ? 20 : 40;
  const protocol = version === 4 ? bytes[9] : bytes[6];
  const addresses = version === 4 ? bytes.subarray(12, 20) : bytes.subarray(8, 40);
  const length = version === 4 ? bytes.readUInt16BE(2) : bytes.readUInt16BE(4) + 40;
  check(length === bytes.length, `IP length ${length} of ${bytes.length}`);
  if (version === 4) check(sum(bytes.subarray(0, 20)) === 0, 'IPv4 checksum');
  const segment = bytes.subarray(head);
  const pseudo = Buffer.from([protocol >> 8, protocol, segment.length >> 8, segment.length & 0xff]);
  check(sum(addresses, pseudo, segment) === 0, 'UDP or TCP checksum');
  if (protocol === 17) check(segment.readUInt16BE(4) === segment.length, 'UDP length');
  const half = addresses.length / 2;
  const text = (ip) => (version === 4 ? ip.join('.') : ip.toString('hex'));
  return {
    protocol: { 17: 'udp', 6: 'tcp' }[protocol],
    from: { address: text(addresses.subarray(0, half)), port: segment.readUInt16BE(0) },
    to: { address: text(addresses.subarray(half)), port: segment.readUInt16BE(2) },
    payload: segment.subarray(protocol === 17 ? 8 : 20 + 2),
  };
}

function options(bytes) {
  const found = {};
  for (let at = 0; at + 4 <= bytes.length; ) {
    const [code, length] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)];
    if (code === 0) break;
    found[code] = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + ((length + 3) & ~3);
  }
  return found;
}

/** {application, comment, interface, packets: [{ms, outbound, from, to, payload, ...}], statistics} */
export function readCapture(file) {
  const capture = { packets: [], statistics: null };
  const types = [];
  for (let at = 0; at < file.length; ) {
    const [type, length] = [file.readUInt32LE(at), file.readUInt32LE(at + 4)];
    check(length >= 12 && at + length <= file.length, `block of ${length} at ${at} of ${file.length}`);
    check(file.readUInt32LE(at + length - 4) === length, `block at ${at} says two lengths`);
    const body = file.subarray(at + 8, at + length - 4);
    types.push(type);
    if (type === SECTION) {
      check(body.readUInt32LE(0) === 0x1a2b3c4d, 'byte order');
      const found = options(body.subarray(16));
      capture.application = found[4].toString();
      capture.comment = found[1].toString();
    } else if (type === 1) {
      check(body.readUInt16LE(0) === LINKTYPE_RAW, 'link type');
      const found = options(body.subarray(8));
      check(found[9][0] === 9, 'resolution');
      capture.interface = found[2].toString();
    } else if (type === 6) {
      const ns = (BigInt(body.readUInt32LE(4)) << 32n) + BigInt(body.readUInt32LE(8));
      const [kept, whole] = [body.readUInt32LE(12), body.readUInt32LE(16)];
      check(kept === whole, 'a cut packet');
      const flags = options(body.subarray(20 + ((kept + 3) & ~3)))[2].readUInt32LE(0);
      capture.packets.push({ ms: Number(ns / 1000000n), outbound: (flags & 3) === 2, ...packet(body.subarray(20, 20 + kept)) });
    } else if (type === 5) {
      const found = options(body.subarray(12));
      capture.statistics = { received: Number(found[4].readBigUInt64LE()), dropped: Number(found[5].readBigUInt64LE()) };
    }
    at += length;
  }
  check(types[0] === SECTION && types[1] === 1 && types.at(-1) === 5, `blocks: ${types.slice(0, 3)} … ${types.at(-1)}`);
  return capture;
}
