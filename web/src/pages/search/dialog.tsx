// The search box: results as one types, moved through by arrow keys, opened at their place by Enter.
import { useEffect, useRef, useState } from 'preact/hooks';
import { session } from '../../account';
import { filesPath, go, messagePath, path, spaceOf, spacePath } from '../../route';
import { createSpace, listMembers, type Member } from '../../spaces/rest';
import { type Hit, type Kind, Search, soughtFile } from '../../spaces/search';
import { find, put } from '../../spaces/spaces';
import { dateTime, text } from '../../text';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Icon, type IconName } from '../../ui/icons';
import { Avatar } from '../../ui/parts';
import { told } from '../spaces/told';

const KINDS: readonly Kind[] = ['person', 'file', 'message'];
const ICONS: Record<Kind, IconName> = { person: 'people', file: 'file', message: 'chat' };

async function openHit(hit: Hit): Promise<void> {
  if (hit.kind === 'person') {
    if (hit.id === session.peek()?.user.id) return go('/account');
    await told(
      createSpace({ kind: 'direct', with: hit.id }).then((space) => {
        put(space);
        go(spacePath(space.id));
      }),
    );
    return;
  }
  if (hit.kind === 'message') return go(messagePath(hit.space, hit.id));
  soughtFile.value = { space: hit.space, file: hit.id };
  go(filesPath(hit.space));
}

export function SearchDialog({ onClose }: { onClose(): void }) {
  const t = text.value.search;
  const [search] = useState(() => new Search());
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const hits = search.hits.value ?? [];
  const sorted = KINDS.flatMap((kind) => hits.filter((hit) => hit.kind === kind));
  useEffect(() => () => search.dispose(), [search]);
  useEffect(() => setAt(0), [search.words.value, search.filters.value]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [at]);

  const open = (hit: Hit | undefined) => {
    if (!hit) return;
    onClose();
    void openHit(hit);
  };
  const press = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const next = at + (event.key === 'ArrowDown' ? 1 : -1);
      if (next >= sorted.length) void search.next();
      setAt(Math.max(0, Math.min(sorted.length - 1, next)));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      open(sorted[at]);
    }
  };
  return (
    <Dialog wide title={t.heading} onClose={onClose} testid="search-dialog">
      <div class="search">
        <label class="search-box">
          <Icon name="search" size={18} />
          <input
            class="search-input"
            type="text"
            role="combobox"
            autoFocus
            autocomplete="off"
            spellcheck={false}
            aria-label={t.heading}
            aria-expanded={sorted.length > 0}
            aria-controls="search-list"
            aria-activedescendant={sorted[at] ? `hit-${at}` : undefined}
            placeholder={t.placeholder}
            maxLength={200}
            value={search.words.value}
            data-testid="search-input"
            onInput={(event) => search.type(event.currentTarget.value)}
            onKeyDown={press}
          />
        </label>
        <Filtering search={search} />
        <div class="search-list scroll" id="search-list" role="listbox" aria-label={t.results} ref={list} data-testid="search-list">
          {sorted.map((hit, i) => (
            <Found
              key={`${hit.kind}-${hit.id}`}
              hit={hit}
              index={i}
              on={i === at}
              heading={sorted[i - 1]?.kind === hit.kind ? null : t.kinds[hit.kind]}
              open={() => open(hit)}
            />
          ))}
        </div>
        <State search={search} />
      </div>
    </Dialog>
  );
}

/** Said aloud too. */
function State({ search }: { search: Search }) {
  const t = text.value.search;
  const hits = search.hits.value;
  return (
    <div class="search-state quiet small" role="status">
      {search.failed.value && t.failed}
      {!search.failed.value && hits === null && t.help}
      {!search.failed.value && hits?.length === 0 && !search.busy.value && t.nothing}
      {hits !== null && search.more.value && (
        <Button size="small" variant="ghost" busy={search.busy.value} onClick={() => void search.next()} data-testid="search-more">
          {t.more}
        </Button>
      )}
    </div>
  );
}

function Found({ hit, index, on, heading, open }: {
  hit: Hit;
  index: number;
  on: boolean;
  heading: string | null;
  open(): void;
}) {
  const words = hit.snippet.map((part, i) => (part.hit ? <mark key={i}>{part.text}</mark> : part.text));
  const place = find(hit.space)?.name ?? '';
  return (
    <>
      {heading && (
        <h3 class="search-kind" role="presentation">
          {heading}
        </h3>
      )}
      <div class="search-hit" role="option" id={`hit-${index}`} aria-selected={on} data-testid={`hit-${hit.kind}`} onClick={open}>
        {hit.kind === 'file' ? (
          <span class="rail-icon">
            <Icon name={ICONS.file} size={18} />
          </span>
        ) : (
          <Avatar name={hit.author_name ?? hit.snippet.map((part) => part.text).join('')} seed={hit.author ?? hit.id} class="rail-avatar" />
        )}
        <span class="search-words">
          {hit.kind === 'message' && <b class="ellipsis">{hit.author_name}</b>}
          <span class="search-snippet">{words}</span>
          {hit.kind !== 'person' && (
            <small class="quiet ellipsis">
              {place} · {dateTime(hit.created)}
            </small>
          )}
        </span>
      </div>
    </>
  );
}

type Person = Pick<Member, 'id' | 'name'>;

const DAYS = [1, 7, 30, 365] as const;

/** Of the space that is open: who can be chosen as author. Elsewhere it is oneself alone. */
function usePeople(space: string | null): readonly Person[] {
  const self = session.value?.user;
  const [members, setMembers] = useState<readonly Person[]>([]);
  useEffect(() => {
    setMembers([]);
    let current = true;
    if (space) void listMembers(space).then((all) => current && setMembers(all), () => undefined);
    return () => {
      current = false;
    };
  }, [space]);
  return [...(self ? [{ id: self.id, name: text.value.common.selfSuffix(self.name) }] : []), ...members.filter(({ id }) => id !== self?.id)];
}

function Filtering({ search }: { search: Search }) {
  const t = text.value.search;
  const here = spaceOf(path.value);
  const { space, kind, from, has, days, order } = search.filters.value;
  const people = usePeople(here);
  const name = here ? find(here)?.name : undefined;
  return (
    <div class="search-filters" role="group" aria-label={t.filters}>
      {here && name && (
        <button type="button" class="chip" aria-pressed={space !== null} data-testid="search-here" onClick={() => search.filter({ space: space ? null : here })}>
          <span class="ellipsis">{t.here(name)}</span>
        </button>
      )}
      {KINDS.map((each) => (
        <button key={each} type="button" class="chip" aria-pressed={kind === each} data-testid={`search-kind-${each}`} onClick={() => search.filter({ kind: kind === each ? null : each })}>
          {t.kinds[each]}
        </button>
      ))}
      <button type="button" class="chip" aria-pressed={has === 'link'} onClick={() => search.filter({ has: has === 'link' ? null : 'link' })}>
        {t.withLink}
      </button>
      <select
        class="chip"
        aria-label={t.from}
        value={from?.id ?? ''}
        data-testid="search-from"
        onChange={(event) => search.filter({ from: people.find(({ id }) => id === event.currentTarget.value) ?? null })}
      >
        <option value="">{t.anyone}</option>
        {people.map(({ id, name: who }) => (
          <option key={id} value={id}>
            {who}
          </option>
        ))}
      </select>
      <select
        class="chip"
        aria-label={t.when}
        value={String(days ?? '')}
        onChange={(event) => search.filter({ days: Number(event.currentTarget.value) || null })}
      >
        <option value="">{t.anyTime}</option>
        {DAYS.map((each) => (
          <option key={each} value={String(each)}>
            {t.lastDays(each)}
          </option>
        ))}
      </select>
      <select
        class="chip"
        aria-label={t.order}
        value={order}
        onChange={(event) => search.filter({ order: event.currentTarget.value === 'relevance' ? 'relevance' : 'newest' })}
      >
        <option value="newest">{t.newest}</option>
        <option value="relevance">{t.relevance}</option>
      </select>
    </div>
  );
}
