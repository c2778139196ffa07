// What went wrong, told to the person.
import { HttpError } from '../../api';
import { text } from '../../text';
import { toast } from '../../ui/toast';

export function faultOf(error: unknown): string {
  const t = text.peek().spaces;
  const status = error instanceof HttpError ? error.status : 0;
  if (status === 403) return t.denied;
  if (status === 404 || status === 410) return t.goneText;
  if (status === 429) return t.tooFast;
  return t.failed;
}

/** Carries it out; a refusal is told. Whether it was done. */
export async function told(deed: Promise<unknown>): Promise<boolean> {
  try {
    await deed;
    return true;
  } catch (error) {
    toast({ id: 'space-fault', words: faultOf(error), icon: 'alert', tone: 'warn' });
    return false;
  }
}
