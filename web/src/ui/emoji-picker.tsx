// Every emoji, by group or by what one looks for.
import { useEffect, useState } from 'preact/hooks';
import { text } from '../text';
import { emojis, findEmojis, loadEmojis } from './emoji-list';
import { Icon } from './icons';

const FOUND_MAX = 120;
const FACES = ['😀', '👋', '', '🐻', '🍎', '✈️', '⚽', '💡', '🔣', '🏁'] as const;

export function EmojiPicker({ choose }: { choose(emoji: string): void }) {
  const t = text.value.chat;
  const [sought, setSought] = useState('');
  const [group, setGroup] = useState(0);
  useEffect(loadEmojis, []);
  const all = emojis.value;
  const shown = all ? (sought.trim() ? findEmojis(all, sought, FOUND_MAX) : all.filter((emoji) => emoji.group === group)) : [];
  return (
    <div class="emoji-picker" data-testid="emoji-picker">
      <div class="panel-search">
        <Icon name="search" size={16} />
        <input
          class="input"
          type="search"
          value={sought}
          placeholder={t.findEmoji}
          aria-label={t.findEmoji}
          data-testid="emoji-search"
          onInput={(event) => setSought(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.isComposing) return;
            event.preventDefault();
            const first = shown[0];
            if (first && sought.trim()) choose(first.emoji);
          }}
        />
      </div>
      {!sought.trim() && (
        <div class="emoji-groups" role="group" aria-label={t.emojiGroups}>
          {FACES.map((face, i) =>
            face ? (
              <button key={face} type="button" aria-pressed={group === i} aria-label={t.emojiGroup[i]} onClick={() => setGroup(i)}>
                {face}
              </button>
            ) : null,
          )}
        </div>
      )}
      <div class="emoji-grid scroll" role="group" aria-label={sought.trim() ? t.findEmoji : t.emojiGroup[group]}>
        {shown.map(({ emoji, codes }) => (
          <button key={emoji} type="button" class="emoji" title={`:${codes[0]}:`} aria-label={codes[0]?.replaceAll('_', ' ')} onClick={() => choose(emoji)}>
            {emoji}
          </button>
        ))}
        {all && shown.length === 0 && <p class="quiet small">{t.noEmoji}</p>}
      </div>
    </div>
  );
}
