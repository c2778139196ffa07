// Help while writing: "@" and the beginning of a name offers people, ":" and the beginning of a word
// emoji.
import type { ComponentChildren, RefObject } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { Named } from '../../chat/mentions';
import { text } from '../../text';
import { emojis, findEmojis, loadEmojis } from '../../ui/emoji-list';
import { Face } from '../../ui/face';

const OFFERED_MAX = 6;

interface Place {
  kind: '@' | ':';
  from: number;
  sought: string;
}

interface Offer {
  key: string;
  /** What takes the place of what was typed. */
  words: string;
  shown: ComponentChildren;
}

/** What is being typed at the caret after an "@" or a ":", or null. */
export function completionAt(words: string, caret: number): Place | null {
  const before = words.slice(0, caret);
  const name = /(?:^|[^\w.%+-])@([^\s@]{0,40})$/u.exec(before);
  if (name) return { kind: '@', from: caret - (name[1]?.length ?? 0) - 1, sought: name[1] ?? '' };
  // "http://" and "12:30" are no emoji.
  const code = /(?:^|[\s(])[:：]([\p{L}\d_+-]{2,30})$/u.exec(before);
  return code ? { kind: ':', from: caret - (code[1]?.length ?? 0) - 1, sought: code[1] ?? '' } : null;
}

function people(all: readonly Named[], sought: string): Offer[] {
  const wanted = sought.toLocaleLowerCase();
  const begins = ({ name }: Named) =>
    [name, ...name.split(/\s+/)].some((part) => part.toLocaleLowerCase().startsWith(wanted));
  return all
    .filter(begins)
    .slice(0, OFFERED_MAX)
    .map((person) => ({
      key: person.id,
      words: `@${person.name} `,
      shown: (
        <>
          <Face name={person.name} id={person.id} class="rail-avatar" />
          <span class="ellipsis">{person.name}</span>
        </>
      ),
    }));
}

function faces(sought: string): Offer[] {
  loadEmojis();
  return findEmojis(emojis.value ?? [], sought, OFFERED_MAX).map(({ emoji, codes }) => ({
    key: emoji,
    words: `${emoji} `,
    shown: (
      <>
        <span class="emoji-glyph">{emoji}</span>
        <span class="ellipsis">:{codes[0]}:</span>
      </>
    ),
  }));
}

/** The keys and the list of one composer. */
export function useCompletions(
  area: RefObject<HTMLTextAreaElement>,
  named: readonly Named[],
  written: string,
  write: (words: string) => void,
) {
  const list = useId();
  const [caret, setCaret] = useState(0);
  const [chosen, setChosen] = useState(0);
  const [closed, setClosed] = useState(-1); // of the sign that Escape was pressed at
  const at = completionAt(written, caret);
  const found = !at || at.from === closed ? [] : at.kind === '@' ? people(named, at.sought) : faces(at.sought);
  const index = Math.min(chosen, found.length - 1);

  const take = (offer: Offer) => {
    if (!at) return;
    const before = written.slice(0, at.from) + offer.words;
    write(before + written.slice(caret));
    setCaret(before.length);
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(before.length, before.length);
    });
  };

  /** True when the key was for the list. */
  const key = (event: KeyboardEvent): boolean => {
    const offer = found[index];
    if (!offer || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen((index + step + found.length) % found.length);
    else if (event.key === 'Enter' || event.key === 'Tab') take(offer);
    else if (event.key === 'Escape') setClosed(at?.from ?? -1);
    else return false;
    event.preventDefault();
    return true;
  };

  const moved = () => {
    const now = area.current?.selectionStart ?? 0;
    if (now === caret) return;
    setCaret(now);
    setChosen(0);
  };

  const t = text.value.chat;
  const box =
    found.length > 0 ? (
      <ul class="mention-list" role="listbox" id={list} aria-label={at?.kind === '@' ? t.mention : t.emoji} data-testid="mentions">
        {found.map((offer, i) => (
          <li
            key={offer.key}
            id={`${list}-${i}`}
            role="option"
            aria-selected={i === index}
            onMouseDown={(event) => {
              event.preventDefault();
              take(offer);
            }}
          >
            {offer.shown}
          </li>
        ))}
      </ul>
    ) : null;

  const attributes = {
    'aria-autocomplete': 'list' as const,
    'aria-controls': found.length > 0 ? list : undefined,
    'aria-activedescendant': found.length > 0 ? `${list}-${index}` : undefined,
  };
  return { box, key, moved, attributes };
}
