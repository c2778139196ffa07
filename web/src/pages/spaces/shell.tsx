// What somebody signed in has around every page: the rail of spaces, on a phone a drawer.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { path } from '../../route';
import { openHub } from '../../spaces/hub';
import { connected, follow } from '../../spaces/live';
import { forget } from '../../spaces/spaces';
import { text } from '../../text';
import { IconButton } from '../../ui/button';
import { Icon, type IconName } from '../../ui/icons';
import { SearchHost } from '../search/open';
import { Rail } from './rail';

export const drawer = signal(false);

export function Shell({ children }: { children: ComponentChildren }) {
  useEffect(() => {
    const stop = new AbortController();
    const closeHub = openHub();
    follow(stop.signal).catch(() => undefined); // signed out: the session signal has said so
    return () => {
      stop.abort();
      closeHub();
      forget();
    };
  }, []);
  // Going somewhere closes the drawer.
  useEffect(() => {
    drawer.value = false;
  }, [path.value]);
  return (
    <div class="shell">
      <Drawer />
      <SearchHost />
      <div class="shell-main">
        {!connected.value && (
          <p class="shell-offline" role="status" data-testid="offline">
            <Icon name="offline" size={16} /> {text.value.spaces.unreachable}
          </p>
        )}
        <div class="shell-page">{children}</div>
      </div>
    </div>
  );
}

function Drawer() {
  const box = useRef<HTMLElement>(null);
  const open = drawer.value;
  useEffect(() => {
    if (open) box.current?.querySelector<HTMLElement>('a, button')?.focus();
  }, [open]);
  return (
    <>
      {open && <div class="drawer-veil" onClick={() => (drawer.value = false)} />}
      <aside
        ref={box}
        class={open ? 'rail open' : 'rail'}
        aria-label={text.value.spaces.rail}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && open) {
            event.preventDefault();
            drawer.value = false;
          }
        }}
      >
        <Rail />
      </aside>
    </>
  );
}

/** Opens the rail where it is a drawer. */
export function DrawerButton() {
  return (
    <IconButton
      class="drawer-button"
      icon="menu"
      label={text.value.spaces.menu}
      tip="none"
      aria-expanded={drawer.value}
      data-testid="rail-open"
      onClick={() => (drawer.value = true)}
    />
  );
}

/** Where there is nothing to show, and why. */
export function Blank({ icon, heading, words, children }: {
  icon: IconName;
  heading: string;
  words?: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="space-blank" data-testid="space-blank">
      <span class="message-icon">
        <Icon name={icon} size={30} />
      </span>
      <h1>{heading}</h1>
      {words && <p class="quiet">{words}</p>}
      {children}
    </div>
  );
}
