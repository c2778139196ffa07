// Short messages above the controls, read out by screen readers. One of a kind at a time.
import { signal } from '@preact/signals';
import { text } from '../text';
import { Icon, type IconName } from './icons';

export interface Toast {
  id: string;
  words: string;
  detail?: string;
  icon?: IconName;
  tone?: 'info' | 'warn';
  actions?: { label: string; run(): void; testid?: string }[];
  ms?: number; // 0: until dismissed
}

const SHOWN_MAX = 4;
const SHOWN_MS = 4500;

export const toasts = signal<readonly Toast[]>([]);
const timers = new Map<string, ReturnType<typeof setTimeout>>();

export function toast(entry: Toast): void {
  dismiss(entry.id);
  const kept = toasts.peek().slice(-(SHOWN_MAX - 1));
  toasts.value = [...kept, entry];
  const ms = entry.ms ?? (entry.actions ? 10_000 : SHOWN_MS);
  if (ms > 0) timers.set(entry.id, setTimeout(() => dismiss(entry.id), ms));
}

export function dismiss(id: string): void {
  const timer = timers.get(id);
  if (timer) clearTimeout(timer);
  timers.delete(id);
  if (toasts.peek().some((entry) => entry.id === id))
    toasts.value = toasts.peek().filter((entry) => entry.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" data-testid="toasts" role="status" aria-live="polite" aria-label={text.value.meeting.notices}>
      {toasts.value.map((entry) => (
        <div key={entry.id} class={`toast ${entry.tone ?? 'info'}`} data-testid={`toast-${entry.id}`}>
          {entry.icon && <Icon name={entry.icon} size={18} />}
          <p>
            {entry.words}
            {entry.detail && <span class="detail">{entry.detail}</span>}
          </p>
          {entry.actions?.map((action) => (
            <button
              key={action.label}
              type="button"
              data-testid={action.testid}
              onClick={() => {
                dismiss(entry.id);
                action.run();
              }}
            >
              {action.label}
            </button>
          ))}
          {(entry.actions || entry.ms === 0) && (
            <button type="button" class="dismiss" aria-label={text.value.common.dismiss} onClick={() => dismiss(entry.id)}>
              <Icon name="close" size={16} />
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
