// Opens the search box from anywhere: Ctrl/⌘+K, or / where nobody is writing.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { text } from '../../text';
import { Icon } from '../../ui/icons';
import { drawer } from '../spaces/shell';
import { SearchDialog } from './dialog';

const open = signal(false);

function writing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function SearchHost() {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const combination = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k';
      const slash = event.key === '/' && !event.ctrlKey && !event.metaKey && !writing(event.target);
      if ((!combination && !slash) || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      open.value = true;
    };
    // Before the composer, which keeps its keys from the shortcuts of a page.
    document.addEventListener('keydown', press, true);
    return () => {
      document.removeEventListener('keydown', press, true);
      open.value = false;
    };
  }, []);
  return open.value ? <SearchDialog onClose={() => (open.value = false)} /> : null;
}

/** In the rail. */
export function SearchButton() {
  const t = text.value.search;
  return (
    <button
      type="button"
      class="rail-item search-open"
      aria-keyshortcuts="Control+K Meta+K /"
      data-testid="search-open"
      onClick={() => {
        drawer.value = false;
        open.value = true;
      }}
    >
      <span class="rail-icon">
        <Icon name="search" size={18} />
      </span>
      <span class="grow">{t.heading}</span>
      <kbd>{/Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K'}</kbd>
    </button>
  );
}
