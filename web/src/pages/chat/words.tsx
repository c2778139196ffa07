// The text of a message, drawn as Markdown once the module for it is here.
import { signal } from '@preact/signals';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { text } from '../../text';

export const render = signal<((source: string) => string) | null>(null);

export function loadMarkdown(): void {
  if (!render.peek()) void import('../../ui/markdown').then((module) => (render.value = module.toHtml));
}

export function Words({ source }: { source: string }) {
  const toHtml = render.value;
  const html = useMemo(() => (toHtml ? { __html: toHtml(source) } : null), [toHtml, source]);
  const box = useRef<HTMLDivElement>(null);
  const t = text.value.chat;
  useLayoutEffect(() => {
    for (const block of box.current?.querySelectorAll('pre') ?? []) label(block, t.copyCode, t.codeCopied);
  }, [html, t]);
  return html ? (
    <div ref={box} class="chat-text" data-testid="chat-text" dangerouslySetInnerHTML={html} />
  ) : (
    <div class="chat-text plain" data-testid="chat-text">{source}</div>
  );
}

/** What language a block of code is in, and a button that copies it. */
function label(block: HTMLPreElement, copy: string, copied: string): void {
  block.querySelector('.code-head')?.remove();
  const code = block.querySelector('code');
  if (!code) return;
  block.tabIndex = 0;
  const head = document.createElement('span');
  head.className = 'code-head';
  const language = document.createElement('span');
  language.textContent = block.dataset.language ?? '';
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = copy;
  button.dataset.testid = 'copy-code';
  button.onclick = () =>
    void navigator.clipboard.writeText(code.textContent.replace(/\n$/, '')).then(
      () => (button.textContent = copied),
      () => undefined,
    );
  head.append(language, button);
  block.prepend(head);
}
