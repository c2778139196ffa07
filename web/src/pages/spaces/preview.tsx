// A file as far as the browser can show it without running anything in it.
import { useEffect, useState } from 'preact/hooks';
import { contentUrl, type SpaceFile } from '../../spaces/rest';
import { fileSize, text } from '../../text';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { download } from './files';

const TEXT_SHOWN = 65_536; // bytes

const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);

export function Preview({ file, onClose }: { file: SpaceFile; onClose(): void }) {
  const t = text.value.files;
  return (
    <Dialog
      wide
      title={file.name}
      onClose={onClose}
      testid="preview-dialog"
      foot={
        <Button icon="download" onClick={() => download(file)} data-testid="download">
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

function Content({ file }: { file: SpaceFile }) {
  const t = text.value.files;
  const type = (file.type ?? '').split(';')[0]?.trim() ?? '';
  const url = contentUrl(file.id, file.version);
  if (IMAGES.has(type)) return <img src={url} alt={file.name} />;
  if (type.startsWith('video/')) return <video src={url} controls aria-label={file.name} />;
  if (type.startsWith('audio/')) return <audio src={url} controls aria-label={file.name} />;
  if (type.startsWith('text/') || type === 'application/json') return <Words url={url} />;
  return (
    <div class="preview-none">
      <Icon name="file" size={40} />
      <p>{t.noPreview}</p>
      <p class="quiet small">{fileSize(file.size)}</p>
    </div>
  );
}

function Words({ url }: { url: string }) {
  const t = text.value.files;
  const [words, setWords] = useState<string | null>(null);
  useEffect(() => {
    fetch(url, { headers: { Range: `bytes=0-${TEXT_SHOWN - 1}` } })
      .then((reply) => (reply.ok ? reply.text() : ''))
      .then(setWords, () => setWords(''));
  }, [url]);
  return (
    <pre class="scroll" tabIndex={0} aria-label={t.content} data-testid="preview-text">
      {words ?? text.value.common.loading}
    </pre>
  );
}
