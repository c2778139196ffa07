// A websocket as RFC 6455 has it, of Node's own parts: Node 18 has none to give.
import { randomBytes } from 'node:crypto';
import http from 'node:http';

/** {send(text), next(): the next text, end()}. */
export async function websocket(port, path) {
  const request = http.get({
    host: 'localhost',
    port,
    path,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    },
  });
  const [socket, first] = await new Promise((resolve, reject) => {
    request.on('upgrade', (_, socket, head) => resolve([socket, head]));
    request.on('response', (reply) => reject(new Error(`${path}: ${reply.statusCode}`)));
    request.on('error', reject);
  });
  const texts = [];
  const waiting = [];
  let bytes = first;
  const take = () => {
    while (bytes.length >= 2) {
      const short = bytes[1] & 127;
      const start = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (bytes.length < start) return;
      const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
      if (bytes.length < start + length) return;
      const text = bytes.subarray(start, start + length).toString();
      if ((bytes[0] & 15) === 1) (waiting.shift() ?? ((late) => texts.push(late)))(text);
      bytes = bytes.subarray(start + length);
    }
  };
  socket.on('data', (more) => {
    bytes = Buffer.concat([bytes, more]);
    take();
  });
  socket.on('error', () => {});
  socket.on('close', () => waiting.forEach((tell) => tell('{"op":"invalid","d":"closed"}')));
  take();
  return {
    send(text) {
      const payload = Buffer.from(text);
      const mask = randomBytes(4);
      const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
      const head = Buffer.from([0x81, 0x80 | length[0], ...length.slice(1), ...mask]);
      socket.write(Buffer.concat([head, payload.map((byte, i) => byte ^ mask[i % 4])]));
    },
    next: () => (texts.length > 0 ? Promise.resolve(texts.shift()) : new Promise((resolve) => waiting.push(resolve))),
    end: () => socket.destroy(),
  };
}
