// What a test started is ended after it, newest first, whether it passed or not.
const stack = [];

export function onCleanup(fn) {
  stack.push(fn);
}

export async function cleanup() {
  while (stack.length > 0) {
    try {
      await stack.pop()();
    } catch (error) {
      console.log(`  cleanup: ${error.message}`);
    }
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until fn returns something true; the error says what was not seen. */
export async function until(what, fn, ms = 15_000, everyMs = 50) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await fn();
      if (last) return last;
    } catch (error) {
      last = error.message;
    }
    if (Date.now() > end) throw new Error(`${what}: not seen in ${ms} ms (last: ${JSON.stringify(last)})`);
    await sleep(everyMs);
  }
}

export function check(condition, message) {
  if (!condition) throw new Error(message);
}
