// Small pieces that several pages use.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { chooseLanguage, language, languageName, languages, text } from '../text';
import { theme, type Theme } from '../settings';
import { IconButton } from './button';
import { Icon, type IconName } from './icons';
import { Item, Popup } from './menu';

const HUES = 8;

function hue(seed: string): number {
  let hash = 0;
  for (const char of seed) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash % HUES;
}

/** One CJK character, or the first letters of the first and last word. */
export function initials(name: string): string {
  const trimmed = name.trim();
  const first = [...trimmed][0] ?? '?';
  if (/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u.test(first)) return first;
  const words = trimmed.split(/\s+/);
  const last = words.length > 1 ? ([...(words[words.length - 1] ?? '')][0] ?? '') : '';
  return (first + last).toLocaleUpperCase();
}

export function Avatar({ name, seed, picture, class: extra }: {
  name: string;
  seed: string;
  /** Its address. */
  picture?: string;
  class?: string;
}) {
  return (
    <span class={`avatar ${extra ?? ''}`} style={{ background: `var(--hue-${hue(seed)})` }} aria-hidden="true">
      {initials(name)}
      {picture && <img src={picture} alt="" />}
    </span>
  );
}

export function Switch({ label, hint, checked, onChange, testid }: {
  label: string;
  hint?: string;
  checked: boolean;
  onChange(on: boolean): void;
  testid?: string;
}) {
  return (
    <label class="switch">
      <span class="words">
        {label}
        {hint && <small>{hint}</small>}
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={checked}
        data-testid={testid}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </label>
  );
}

export function Segments<T extends string>({ label, value, options, onChange }: {
  label: string;
  value: T;
  options: { value: T; label: string; icon?: IconName }[];
  onChange(value: T): void;
}) {
  const key = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = options.findIndex((option) => option.value === value);
    const next = options[(at + step + options.length) % options.length];
    if (!next) return;
    onChange(next.value);
    const group = event.currentTarget as HTMLElement;
    group.querySelectorAll<HTMLElement>('button')[options.indexOf(next)]?.focus();
  };
  return (
    <div class="segments" role="radiogroup" aria-label={label} onKeyDown={key}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="radio"
          aria-checked={option.value === value}
          tabIndex={option.value === value ? 0 : -1}
          onClick={() => onChange(option.value)}
        >
          {option.icon && <Icon name={option.icon} size={16} />}
          {option.label}
        </button>
      ))}
    </div>
  );
}

export function Caption({ tone = 'info', children, action, testid }: {
  tone?: 'info' | 'warn' | 'danger';
  children: ComponentChildren;
  action?: ComponentChildren;
  testid?: string;
}) {
  return (
    <div class={`caption ${tone}`} data-testid={testid} role={tone === 'info' ? undefined : 'alert'}>
      <Icon name={tone === 'info' ? 'info' : 'alert'} size={18} />
      <p>{children}</p>
      {action}
    </div>
  );
}

const METER_STEPS = 16;

export function LevelMeter({ level, label }: { level: number; label: string }) {
  const lit = Math.round(level * METER_STEPS);
  return (
    <div class="meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(level * 100)}>
      {Array.from({ length: METER_STEPS }, (_, i) => (
        <i key={i} class={i < lit ? 'lit' : ''} />
      ))}
    </div>
  );
}

const themeIcons: Record<Theme, IconName> = { system: 'system', light: 'sun', dark: 'moon' };

/** Language and appearance, on every page outside the meeting. */
export function PagePreferences() {
  const t = text.value.settings;
  const names: Record<Theme, string> = { system: t.themeSystem, light: t.themeLight, dark: t.themeDark };
  return (
    <div class="preferences">
      <Popup
        label={t.language}
        trigger={(props) => <IconButton {...props} icon="globe" label={t.language} tip="below-end" data-testid="language" />}
      >
        {(close) =>
          languages.map((tag) => (
            <Item
              key={tag}
              checked={tag === language.value}
              testid={`language-${tag}`}
              onSelect={() => {
                chooseLanguage(tag);
                close();
              }}
            >
              {languageName(tag)}
            </Item>
          ))
        }
      </Popup>
      <Popup
        label={t.theme}
        trigger={(props) => (
          <IconButton {...props} icon={themeIcons[theme.value]} label={t.theme} tip="below-end" data-testid="theme" />
        )}
      >
        {(close) =>
          (Object.keys(themeIcons) as Theme[]).map((value) => (
            <Item
              key={value}
              icon={themeIcons[value]}
              checked={value === theme.value}
              testid={`theme-${value}`}
              onSelect={() => {
                theme.value = value;
                close();
              }}
            >
              {names[value]}
            </Item>
          ))
        }
      </Popup>
    </div>
  );
}

/** The size of an element's content box, kept up to date. */
export function useSize<T extends HTMLElement>() {
  const ref = useRef<T>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const observer = new ResizeObserver((entries) => {
      const box = entries[0]?.contentRect;
      if (box) setSize({ width: box.width, height: box.height });
    });
    observer.observe(element);
    const box = element.getBoundingClientRect();
    setSize({ width: box.width, height: box.height });
    return () => observer.disconnect();
  }, []);
  return [ref, size] as const;
}
