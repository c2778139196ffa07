import { clip } from '../../util/bytes';
import { useEffect, useState } from 'preact/hooks';

/** A line of text that is kept when it is left or Enter is pressed. */
export function TextSetting({ label, value, max, onChange }: {
  label: string;
  value: string;
  max: number; // bytes
  onChange(value: string): void;
}) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const settle = () => {
    const next = clip(typed.trim(), max);
    if (next && next !== value) onChange(next);
    else setTyped(value);
  };
  return (
    <label class="field">
      <span class="label">{label}</span>
      <input
        class="input"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onBlur={settle}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === 'Enter') settle();
        }}
      />
    </label>
  );
}
