// The emoji that are one press away.
const REACTIONS = ['👍', '👏', '❤️', '😂', '😮', '🎉'] as const;

export function EmojiRow({ choose }: { choose(emoji: string): void }) {
  return (
    <div class="emoji-row">
      {REACTIONS.map((emoji) => (
        <button key={emoji} type="button" role="menuitem" class="emoji" onClick={() => choose(emoji)}>
          {emoji}
        </button>
      ))}
    </div>
  );
}
