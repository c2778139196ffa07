// A space's chat goes over REST. What is sent while the network is away waits, in order, and goes
// out when it is back; the nonce is its Idempotency-Key, so that nothing arrives twice.
import type { ChatWire } from '../chat/chat';
import type { ChatMessage } from '../gateway/frames';
import { passing, whenBack } from './patience';
import * as rest from './rest';
import type { Message } from './rest';

/** A message as the chat draws it. */
export const shown = ({ thread, ...message }: Message): ChatMessage => ({
  ...message,
  ...(thread ? { reply_to: thread } : {}),
});

interface Surroundings {
  stop: AbortSignal;
  /** Told what the server did not take. */
  refused(error: unknown): void;
  /** The message that begins the thread this one is in. */
  root(id: string): string;
  /** Whom these words name. */
  mentions(words: string): string[];
}

export function restChat(space: string, { stop, refused, root, mentions }: Surroundings): ChatWire {
  let before: Promise<unknown> = Promise.resolve();

  const tell = async (answer: Promise<Message>): Promise<ChatMessage | void> => {
    try {
      return shown(await answer);
    } catch (error) {
      refused(error);
    }
  };

  const deliver = async (wish: rest.NewMessage): Promise<ChatMessage> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return shown(await rest.postMessage(space, wish));
      } catch (error) {
        if (!passing(error)) throw error;
        await whenBack(attempt, stop);
      }
    }
  };

  return {
    async history(cursor, limit) {
      const page = await rest.listMessages(space, cursor, limit);
      return { messages: page.items.map(shown).reverse(), more: page.next_cursor !== undefined };
    },
    send({ text, nonce, replyTo }) {
      const sent = before.then(() => deliver({ text, nonce, thread: replyTo ? root(replyTo) : undefined, mentions: mentions(text) }));
      before = sent.catch(() => undefined);
      return sent;
    },
    edit: (id, text) => tell(rest.changeMessage(space, id, { text })),
    remove: (id) => tell(rest.deleteMessage(space, id).then(() => rest.getMessage(space, id))),
    react: (id, emoji, on) => tell(rest.react(space, id, emoji, on)),
    typing: () => undefined,
    read: (id) => void rest.markRead(space, id).catch(() => undefined),
  };
}
