// A file as far as the browser can show it without running anything in it.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { fileSize, text } from '../../text';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';

const TEXT_SHOWN = 262_144; // bytes

const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);
const WORDS = /\.(txt|log|csv|tsv|json|xml|ya?ml|toml|ini|conf|c|h|cc|cpp|hpp|rs|go|py|rb|java|kt|swift|js|mjs|ts|tsx|jsx|css|scss|sql|sh|bash|lua|pl|php|cs|diff|patch|tex|html?|svg|vue|cmake|dockerfile|makefile)$/i;
const MARKDOWN = /\.(md|markdown)$/i;

/** Who shows it knows where its content is: in a space, or behind a link. */
export interface Shown {
  name: string;
  type?: string;
  /** Bytes. */
  size: number;
  url: string;
}

type Kind = 'image' | 'video' | 'audio' | 'pdf' | 'markdown' | 'words' | 'none';

export function kindOf({ name, type = '' }: { name: string; type?: string }): Kind {
  const media = type.split(';')[0]?.trim() ?? '';
  if (IMAGES.has(media)) return 'image';
  if (media.startsWith('video/')) return 'video';
  if (media.startsWith('audio/')) return 'audio';
  if (media === 'application/pdf' || /\.pdf$/i.test(name)) return 'pdf';
  if (media === 'text/markdown' || MARKDOWN.test(name)) return 'markdown';
  if (media.startsWith('text/') || media === 'application/json' || WORDS.test(name)) return 'words';
  return 'none';
}

export function save({ name, url }: Shown): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}

export function Preview({ file, onClose }: { file: Shown; onClose(): void }) {
  const t = text.value.files;
  return (
    <Dialog
      wide
      title={file.name}
      onClose={onClose}
      testid="preview-dialog"
      foot={
        <Button icon="download" onClick={() => save(file)} data-testid="download">
          {t.download}
        </Button>
      }
    >
      <div class="preview-file">
        <Content file={file} />
      </div>
    </Dialog>
  );
}

function Content({ file }: { file: Shown }) {
  const t = text.value.files;
  switch (kindOf(file)) {
    case 'image':
      return <img src={file.url} alt={file.name} />;
    case 'video':
      return <video src={file.url} controls preload="metadata" aria-label={file.name} data-testid="preview-video" />;
    case 'audio':
      return <audio src={file.url} controls preload="metadata" aria-label={file.name} data-testid="preview-audio" />;
    case 'pdf':
      return <Pdf file={file} />;
    case 'markdown':
      return <Words file={file} markdown />;
    case 'words':
      return <Words file={file} />;
    case 'none':
      return (
        <div class="preview-none">
          <Icon name="file" size={40} />
          <p>{t.noPreview}</p>
          <p class="quiet small">{fileSize(file.size)}</p>
        </div>
      );
  }
}

/** pdf.js comes with the first PDF that is looked at. */
function Pdf({ file }: { file: Shown }) {
  const [Pages, setPages] = useState<ComponentType<{ url: string; name: string }> | null>(null);
  useEffect(() => {
    void import('./pdf').then((module) => setPages(() => module.Pages));
  }, []);
  return Pages ? <Pages url={file.url} name={file.name} /> : <p class="quiet">{text.value.common.loading}</p>;
}

function Words({ file, markdown = false }: { file: Shown; markdown?: boolean }) {
  const t = text.value.files;
  const [words, setWords] = useState<string | null>(null);
  const [html, setHtml] = useState('');
  useEffect(() => {
    fetch(file.url, { headers: { Range: `bytes=0-${TEXT_SHOWN - 1}` } })
      .then((reply) => (reply.ok ? reply.text() : ''))
      .then(async (read) => {
        if (markdown) setHtml((await import('../../ui/markdown')).toDocument(read));
        setWords(read);
      })
      .catch(() => setWords(''));
  }, [file.url]);
  if (words === null) return <p class="quiet">{text.value.common.loading}</p>;
  return (
    <>
      {html ? (
        <article class="document scroll" tabIndex={0} aria-label={t.content} data-testid="preview-document" dangerouslySetInnerHTML={{ __html: html }} />
      ) : (
        <pre class="lines scroll" tabIndex={0} aria-label={t.content} data-testid="preview-text">
          {words.split('\n').map((line, i, all) => (
            <span key={i}>{i < all.length - 1 ? `${line}\n` : line}</span>
          ))}
        </pre>
      )}
      {file.size > TEXT_SHOWN && <p class="quiet small">{t.beginning(fileSize(TEXT_SHOWN))}</p>}
    </>
  );
}
