// Waiting for a network, or a server, that is away for a while.
import { HttpError } from '../api';

const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

/** Whether the same request may succeed later as it is. */
export function passing(error: unknown): boolean {
  // fetch: nothing came back, or not in time.
  if (!(error instanceof HttpError))
    return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError');
  return error.status === 429 || error.status === 502 || error.status === 503 || error.status === 504;
}

/** After a growing while, half of it by chance, or as soon as the browser says the network is back. */
export function whenBack(attempt: number, stop: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      stop.removeEventListener('abort', done);
      if (stop.aborted) reject(new DOMException('closed', 'AbortError'));
      else resolve();
    };
    const timer = setTimeout(done, longest / 2 + (Math.random() * longest) / 2);
    window.addEventListener('online', done);
    stop.addEventListener('abort', done);
  });
}
