// A space's chat, or one thread of it, goes over REST. What is sent while the network is away waits,
// in order, and goes out when it is back; the nonce is its Idempotency-Key, so that nothing arrives
// twice.
import { session } from '../account';
import type { ChatWire } from '../chat/chat';
import type { ChatMessage } from '../gateway/frames';
import { passing, whenBack } from './patience';
import * as rest from './rest';
import type { Message } from './rest';

interface Surroundings {
  stop: AbortSignal;
  /** The message whose thread this is; without: the space's chat. */
  thread?: string;
  /** Told what the server did not take. */
  refused(error: unknown): void;
  /** Whom these words name. */
  mentions(words: string): string[];
  typing(): void;
}

export function restChat(space: string, { stop, thread, refused, mentions, typing }: Surroundings): ChatWire {
  let before: Promise<unknown> = Promise.resolve();

  const tell = async (answer: Promise<Message>): Promise<ChatMessage | void> => {
    try {
      return await answer;
    } catch (error) {
      refused(error);
    }
  };

  const deliver = async (wish: rest.NewMessage): Promise<ChatMessage> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await rest.postMessage(space, wish);
      } catch (error) {
        if (!passing(error)) throw error;
        await whenBack(attempt, stop);
      }
    }
  };

  return {
    async history(cursor, limit) {
      const page = await rest.listMessages(space, cursor, limit, { thread });
      return { messages: page.items.reverse(), more: page.next_cursor !== undefined };
    },
    send({ text, nonce, replyTo, attachments }) {
      const wish: rest.NewMessage = {
        text,
        nonce,
        thread,
        reply_to: replyTo ?? undefined,
        mentions: mentions(text),
        attachments: attachments?.map(({ file, kind, wave, width, height, duration }) => ({
          file,
          kind,
          ...(wave ? { wave } : {}),
          ...(width ? { width } : {}),
          ...(height ? { height } : {}),
          ...(duration ? { duration } : {}),
        })),
      };
      const sent = before.then(() => deliver(wish));
      before = sent.catch(() => undefined);
      return sent;
    },
    edit: (id, text) => tell(rest.changeMessage(space, id, { text })),
    remove: (id) => tell(rest.deleteMessage(space, id).then(() => rest.getMessage(space, id))),
    react: (id, emoji, on) => tell(rest.react(space, id, emoji, on)),
    dropPreview: (id, preview) => tell(rest.dropPreview(space, id, preview)),
    typing,
    ...(thread || session.peek()?.guest ? {} : { read: (id: string) => void rest.markRead(space, id).catch(() => undefined) }),
  };
}
