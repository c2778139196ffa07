// A button that opens something small beside it: a menu, or any panel. It lies in the browser's
// top layer, so that no box around it cuts it off.
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icons';

interface TriggerProps {
  ref: { current: HTMLButtonElement | null };
  'aria-expanded': boolean;
  'aria-haspopup': 'menu' | 'dialog';
  onClick(): void;
}

interface PopupProps {
  label: string;
  kind?: 'menu' | 'dialog';
  trigger(props: TriggerProps): VNode;
  children(close: () => void): ComponentChildren;
}

const EDGE = 8; // px kept free to the edge of the window

export function Popup({ label, kind = 'menu', trigger, children }: PopupProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement | null>(null);
  const close = (refocus = true) => {
    setOpen(false);
    if (refocus) button.current?.focus();
  };
  return (
    <>
      {trigger({
        ref: button,
        'aria-expanded': open,
        'aria-haspopup': kind,
        onClick: () => setOpen(!open),
      })}
      {open && (
        <Layer label={label} kind={kind} anchor={button} close={close}>
          {children(() => close())}
        </Layer>
      )}
    </>
  );
}

function place(layer: HTMLElement, anchor: DOMRect): void {
  const { offsetWidth: width, offsetHeight: height } = layer;
  const above = anchor.top - height - EDGE;
  const below = anchor.bottom + EDGE;
  const fitsBelow = below + height <= window.innerHeight - EDGE;
  const top = fitsBelow || above < EDGE ? Math.min(below, window.innerHeight - height - EDGE) : above;
  const middle = anchor.left + anchor.width / 2;
  const wanted = middle > window.innerWidth / 2 ? anchor.right - width : anchor.left;
  const left = Math.max(EDGE, Math.min(wanted, window.innerWidth - width - EDGE));
  layer.style.setProperty('top', `${Math.max(EDGE, top)}px`);
  layer.style.setProperty('left', `${left}px`);
}

interface LayerProps {
  label: string;
  kind: 'menu' | 'dialog';
  anchor: { current: HTMLButtonElement | null };
  close(refocus?: boolean): void;
  children: ComponentChildren;
}

function Layer({ label, kind, anchor, close, children }: LayerProps) {
  const ref = useRef<HTMLDivElement>(null);
  const items = () =>
    [...(ref.current?.querySelectorAll<HTMLElement>('button:not(:disabled), input, select, a[href]') ?? [])];

  useLayoutEffect(() => {
    const layer = ref.current;
    if (!layer || !anchor.current) return;
    layer.showPopover?.();
    place(layer, anchor.current.getBoundingClientRect());
    items()[0]?.focus({ preventScroll: true });
  }, []);

  useEffect(() => {
    const outside = (event: Event) => {
      const target = event.target as Node;
      if (!ref.current?.contains(target) && !anchor.current?.contains(target)) close(false);
    };
    const gone = () => close(false);
    document.addEventListener('pointerdown', outside, true);
    window.addEventListener('resize', gone);
    return () => {
      document.removeEventListener('pointerdown', outside, true);
      window.removeEventListener('resize', gone);
    };
  }, []);

  const key = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape') {
      event.preventDefault();
      close();
      return;
    }
    if (event.key === 'Tab' && kind === 'menu') {
      close();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined && event.key !== 'Home' && event.key !== 'End') return;
    if ((event.target as HTMLElement).matches('input, select')) return;
    event.preventDefault();
    const list = items();
    const at = list.indexOf(document.activeElement as HTMLElement);
    const next = event.key === 'Home' ? 0 : event.key === 'End' ? list.length - 1 : at + (step ?? 0);
    list[(next + list.length) % list.length]?.focus();
  };

  return (
    <div ref={ref} class="popup" role={kind} aria-label={label} popover="manual" onKeyDown={key}>
      {children}
    </div>
  );
}

interface ItemProps {
  icon?: IconName;
  danger?: boolean;
  disabled?: boolean;
  checked?: boolean;
  tail?: ComponentChildren;
  onSelect(): void;
  children: ComponentChildren;
  testid?: string;
}

export function Item({ icon, danger, disabled, checked, tail, onSelect, children, testid }: ItemProps) {
  return (
    <button
      type="button"
      class={danger ? 'menu-item danger' : 'menu-item'}
      role={checked === undefined ? 'menuitem' : 'menuitemradio'}
      aria-checked={checked}
      disabled={disabled}
      tabIndex={-1}
      data-testid={testid}
      onClick={onSelect}
    >
      {icon && <Icon name={icon} size={18} />}
      <span class="ellipsis">{children}</span>
      {checked && (
        <span class="tail">
          <Icon name="check" size={16} />
        </span>
      )}
      {tail !== undefined && <span class="tail">{tail}</span>}
    </button>
  );
}

export const Rule = () => <div class="menu-rule" role="separator" />;
