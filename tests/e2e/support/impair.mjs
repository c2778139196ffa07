// A bad network between one participant and the server: the proxy of tests/support/impair.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { onCleanup } from './cleanup.mjs';
import { program } from './server.mjs';

const built = () => {
  const place = join(dirname(program), 'tests/support/impair/impair');
  if (!existsSync(place)) throw new Error(`${place} is not built: ninja -C ${dirname(program)} impair`);
  return place;
};

export class Impair {
  constructor(seed, serverPort, fronts) {
    this.process = spawn(built(), [seed, serverPort, fronts].map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.exited = new Promise((resolve) => this.process.on('exit', resolve));
    this.waiting = [];
    createInterface(this.process.stdout).on('line', (line) => this.waiting.shift()?.(JSON.parse(line)));
  }

  answer() {
    return new Promise((resolve, reject) => {
      this.waiting.push(resolve);
      this.exited.then((code) => reject(new Error(`impair ended with ${code}`)));
    });
  }

  /** Says the lines; the answer of the last. Syntax: tests/support/impair/main.c. */
  async say(...lines) {
    let answer;
    for (const line of lines) {
      const coming = this.answer();
      this.process.stdin.write(`${line}\n`);
      answer = await coming;
      if (answer.error) throw new Error(`impair: "${line}": ${answer.error}`);
    }
    return answer;
  }

  stats() {
    return this.say('stats');
  }
}

/** Ports to listen on are in `fronts`; a page comes by one of them when it was made with {via: PORT}. */
export async function startImpair(serverPort, { seed = 1, fronts = 1 } = {}) {
  const impair = new Impair(seed, serverPort, fronts);
  onCleanup(async () => {
    impair.process.stdin.end();
    await impair.exited;
  });
  impair.fronts = (await impair.answer()).fronts;
  return impair;
}
