// A dialog is the browser's own: it traps focus, makes the rest inert, closes on Escape and gives
// focus back.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { text } from '../text';
import { clip } from '../util/bytes';
import { Button, IconButton } from './button';

interface DialogProps {
  title: string;
  onClose(): void;
  wide?: boolean;
  children?: ComponentChildren;
  foot?: ComponentChildren;
  testid?: string;
}

export function Dialog({ title, onClose, wide, children, foot, testid }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return undefined;
    dialog.showModal();
    // A click on the backdrop is a click on the dialog element itself.
    const outside = (event: MouseEvent) => {
      if (event.target === dialog) dialog.close();
    };
    dialog.addEventListener('mousedown', outside);
    return () => {
      dialog.removeEventListener('mousedown', outside);
      if (dialog.open) dialog.close();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={heading}
      data-testid={testid}
      onClose={onClose}
    >
      <div class="dialog-head">
        <h2 id={heading}>{title}</h2>
        <IconButton icon="close" label={text.value.common.close} tip="none" onClick={() => ref.current?.close()} />
      </div>
      <div class="dialog-body">{children}</div>
      {foot && <div class="dialog-foot">{foot}</div>}
    </dialog>
  );
}

interface Question {
  title: string;
  body?: string;
  action: string;
  danger?: boolean;
  /** Asks for a line of text too. */
  input?: { label: string; value: string; max: number /* bytes */ };
  answer(value: string | null): void;
}

const question = signal<Question | null>(null);

/** Resolves to the text (or '' without an input) when confirmed, to null when not. */
export function confirm(ask: Omit<Question, 'answer'>): Promise<string | null> {
  return new Promise((resolve) => {
    question.value = { ...ask, answer: resolve };
  });
}

export function Confirmations() {
  const ask = question.value;
  const input = useRef<HTMLInputElement>(null);
  if (!ask) return null;
  const settle = (value: string | null) => {
    if (question.peek() !== ask) return;
    question.value = null;
    ask.answer(value);
  };
  const accept = () => {
    const value = clip(input.current?.value.trim() ?? '', ask.input?.max ?? 0);
    if (ask.input && !value) return;
    settle(value);
  };
  return (
    <Dialog
      key={ask.title}
      title={ask.title}
      onClose={() => settle(null)}
      testid="confirm"
      foot={
        <>
          <Button onClick={() => settle(null)}>{text.value.common.cancel}</Button>
          <Button variant={ask.danger ? 'danger' : 'primary'} onClick={accept} data-testid="confirm-yes">
            {ask.action}
          </Button>
        </>
      }
    >
      {ask.body && <p class="quiet">{ask.body}</p>}
      {ask.input && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            accept();
          }}
        >
          <label class="field">
            <span class="label">{ask.input.label}</span>
            <input ref={input} class="input" defaultValue={ask.input.value} autoFocus />
          </label>
        </form>
      )}
    </Dialog>
  );
}
