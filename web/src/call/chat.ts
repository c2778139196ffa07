// A meeting's chat goes over its gateway session.
import type { ChatWire } from '../chat/chat';
import type { CommandName, Commands } from '../gateway/frames';

interface Commander {
  command<T extends CommandName>(t: T, d: Commands[T][0]): Promise<Commands[T][1]>;
  /** Its refusal is told to the person. */
  ask<T extends CommandName>(t: T, d: Commands[T][0]): Promise<boolean>;
}

export function gatewayChat(call: Commander): ChatWire {
  return {
    history: (before, limit) => call.command('chat.history', { limit, ...(before ? { before } : {}) }),
    send: async ({ text, nonce, replyTo }) =>
      (await call.command('chat.send', { text, nonce, ...(replyTo ? { reply_to: replyTo } : {}) })).message,
    // Everybody's copy, ours too, changes by the dispatch that follows.
    edit: async (id, text) => void (await call.ask('chat.edit', { id, text })),
    remove: async (id) => void (await call.ask('chat.delete', { id })),
    react: async (id, emoji, on) => void (await call.ask('chat.react', { id, emoji, on })),
    dropPreview: async (id, preview) => void (await call.ask('chat.drop_preview', { id, preview })),
    typing: () => void call.command('chat.typing', {}).catch(() => undefined),
  };
}
