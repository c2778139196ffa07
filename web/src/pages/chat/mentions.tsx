// Naming people in a message: "@" and the beginning of a name offers those it may be.
import type { RefObject } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { Named } from '../../chat/mentions';
import { text } from '../../text';
import { Avatar } from '../../ui/parts';

const OFFERED_MAX = 6;

/** What is being typed at the caret after an "@", or null. */
export function mentionAt(words: string, caret: number): { from: number; sought: string } | null {
  const match = /(?:^|[^\w.%+-])@([^\s@]{0,40})$/u.exec(words.slice(0, caret));
  return match ? { from: caret - (match[1]?.length ?? 0) - 1, sought: match[1] ?? '' } : null;
}

function offered(people: readonly Named[], sought: string): Named[] {
  const wanted = sought.toLocaleLowerCase();
  const begins = ({ name }: Named) =>
    [name, ...name.split(/\s+/)].some((part) => part.toLocaleLowerCase().startsWith(wanted));
  return people.filter(begins).slice(0, OFFERED_MAX);
}

/** The keys and the list of one composer. */
export function useMentions(
  area: RefObject<HTMLTextAreaElement>,
  people: readonly Named[],
  written: string,
  write: (words: string) => void,
) {
  const list = useId();
  const [caret, setCaret] = useState(0);
  const [chosen, setChosen] = useState(0);
  const [closed, setClosed] = useState(-1); // of the "@" that Escape was pressed at
  const at = mentionAt(written, caret);
  const found = at && at.from !== closed ? offered(people, at.sought) : [];
  const index = Math.min(chosen, found.length - 1);

  const take = (person: Named) => {
    if (!at) return;
    const before = `${written.slice(0, at.from)}@${person.name} `;
    write(before + written.slice(caret));
    setCaret(before.length);
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(before.length, before.length);
    });
  };

  /** True when the key was for the list. */
  const key = (event: KeyboardEvent): boolean => {
    const person = found[index];
    if (!person || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen((index + step + found.length) % found.length);
    else if (event.key === 'Enter' || event.key === 'Tab') take(person);
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

  const box =
    found.length > 0 ? (
      <ul class="mention-list" role="listbox" id={list} aria-label={text.value.chat.mention} data-testid="mentions">
        {found.map((person, i) => (
          <li
            key={person.id}
            id={`${list}-${i}`}
            role="option"
            aria-selected={i === index}
            onMouseDown={(event) => {
              event.preventDefault();
              take(person);
            }}
          >
            <Avatar name={person.name} seed={person.id} class="rail-avatar" />
            <span class="ellipsis">{person.name}</span>
          </li>
        ))}
      </ul>
    ) : null;

  const attributes =
    people.length > 0
      ? {
          'aria-autocomplete': 'list' as const,
          'aria-controls': found.length > 0 ? list : undefined,
          'aria-activedescendant': found.length > 0 ? `${list}-${index}` : undefined,
        }
      : {};
  return { box, key, moved, attributes };
}
