// A mail server on loopback that keeps what it is given. `secure`: over TLS, with {key, cert}.
import { createServer } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { onCleanup, until } from './cleanup.mjs';

function talk(socket, letters) {
  const say = (line) => socket.write(`${line}\r\n`);
  let buffer = '', letter = {}, data = false;
  const heard = (line) => {
    if (data) {
      if (line !== '.') return void (letter.data += `${line.replace(/^\./, '')}\r\n`);
      data = false;
      letters.push(letter);
      letter = {};
      return say('250 taken');
    }
    const [word] = line.toUpperCase().split(/[ :]/);
    if (word === 'EHLO') return say('250 test');
    if (word === 'QUIT') return void socket.end('221 bye\r\n');
    if (word === 'RCPT') letter.to = /<(.*)>/.exec(line)[1];
    if (word !== 'DATA') return say('250 ok');
    data = true;
    letter.data = '';
    return say('354 go on');
  };
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    buffer += bytes.toString('latin1');
    for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      heard(line);
    }
  });
  say('220 test');
}

/** The text of a letter's part, decoded. */
function partOf(letter, type) {
  const from = letter.data.indexOf(type);
  const body = letter.data.slice(letter.data.indexOf('\r\n\r\n', from) + 4).split('\r\n--')[0];
  return Buffer.from(body, 'base64').toString('utf8');
}

export async function startMailbox(secure) {
  const letters = [];
  const sockets = new Set();
  const taken = (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    talk(socket, letters);
  };
  const server = secure ? createSecureServer(secure, taken) : createServer(taken);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  onCleanup(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address();
  return {
    letters,
    url: `${secure ? 'smtps' : 'smtp'}://localhost:${port}`,
    /** The next letter to this address, with its text, its HTML and the link in it. */
    async next(to) {
      let found = -1;
      await until(`a letter to ${to}`, () => (found = letters.findIndex((letter) => letter.to === to)) >= 0);
      const [letter] = letters.splice(found, 1);
      const text = partOf(letter, 'text/plain');
      return { ...letter, text, html: partOf(letter, 'text/html'), link: /https?:\/\/\S+/.exec(text)[0] };
    },
  };
}
