// Markdown to safe HTML. Loaded when the first message is shown. Pictures are left out (nothing
// comes from elsewhere) and links open outside the meeting.
import DOMPurify from 'dompurify';
import MarkdownIt from 'markdown-it';

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true, typographer: false });
markdown.disable(['image', 'heading', 'lheading', 'table', 'reference']);

// A block of code says its language, for the label above it.
markdown.renderer.rules.fence = (tokens, index) => {
  const token = tokens[index];
  const language = /^[\w+#.-]{1,24}/.exec(token?.info.trim() ?? '')?.[0] ?? '';
  const { escapeHtml } = markdown.utils;
  return `<pre data-language="${escapeHtml(language)}"><code>${escapeHtml(token?.content ?? '')}</code></pre>\n`;
};

const purify = DOMPurify(window);
purify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A') return;
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer nofollow');
});

const TAGS = ['p', 'br', 'strong', 'em', 's', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a', 'hr'];

export function toHtml(source: string): string {
  return purify.sanitize(markdown.render(source), {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ['href', 'start', 'target', 'rel', 'data-language'],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel):/i,
  });
}

const document = new MarkdownIt({ html: false, linkify: true, typographer: false });
document.disable(['image']);

const DOCUMENT_TAGS = [...TAGS, 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td'];

/** A whole file rather than a message: headings and tables too. */
export function toDocument(source: string): string {
  return purify.sanitize(document.render(source), {
    ALLOWED_TAGS: DOCUMENT_TAGS,
    ALLOWED_ATTR: ['href', 'start', 'target', 'rel'],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel):/i,
  });
}
