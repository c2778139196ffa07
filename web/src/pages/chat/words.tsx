// The text of a message, drawn as Markdown once the module for it is here.
import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';

export const render = signal<((source: string) => string) | null>(null);

export function loadMarkdown(): void {
  if (!render.peek()) void import('../../ui/markdown').then((module) => (render.value = module.toHtml));
}

export function Words({ source }: { source: string }) {
  const toHtml = render.value;
  const html = useMemo(() => (toHtml ? { __html: toHtml(source) } : null), [toHtml, source]);
  return html ? (
    <div class="chat-text" data-testid="chat-text" dangerouslySetInnerHTML={html} />
  ) : (
    <div class="chat-text plain" data-testid="chat-text">{source}</div>
  );
}
