import { useEffect, useState } from 'preact/hooks';

/** A line of text that is kept when it is left or Enter is pressed. */
export function TextSetting({ label, value, max, onChange }: {
  label: string;
  value: string;
  max: number;
  onChange(value: string): void;
}) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const settle = () => {
    const next = typed.trim();
    if (next !== value) onChange(next);
  };
  return (
    <label class="field">
      <span class="label">{label}</span>
      <input
        class="input"
        value={typed}
        maxLength={max}
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
