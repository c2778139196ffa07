// Ports for servers of the tests.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const FIRST = 10240; // below those the kernel gives to who asks for any (ip_local_port_range)
const COUNT = 20000;
const TRIES = 100;

const udpFree = (port) => new Promise((done) => {
  const socket = createSocket('udp4').on('error', () => done(false));
  socket.bind({ port, address: '0.0.0.0', exclusive: true }, () => socket.close(() => done(true)));
});
const tcpFree = (port) => new Promise((done) => {
  const server = createServer().on('error', () => done(false));
  server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => done(true)));
});

/** A port that is free for UDP and TCP at every address, and that nobody is given who asks for any. */
export async function freePort() {
  for (let i = 0; i < TRIES; i++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if ((await udpFree(port)) && (await tcpFree(port))) return port;
  }
  throw new Error('no free port');
}
