// The pages of a PDF, drawn by pdf.js as they come into sight: no script of the document runs, and
// nothing is compiled at run time (the policy of the page forbids it).
import { getDocument, GlobalWorkerOptions, type PDFDocumentProxy } from 'pdfjs-dist';
import worker from 'pdfjs-dist/build/pdf.worker.min.mjs?url';
import { useEffect, useRef, useState } from 'preact/hooks';
import { text } from '../../text';

GlobalWorkerOptions.workerSrc = worker;

const WIDTH_MAX = 900; // CSS pixels
const PIXELS_MAX = 8_000_000; // of one page: phones have no room for more

export function Pages({ url, name }: { url: string; name: string }) {
  const t = text.value.files;
  const [pdf, setPdf] = useState<PDFDocumentProxy | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const loading = getDocument({ url, isEvalSupported: false, enableXfa: false, useSystemFonts: true });
    loading.promise.then(setPdf, () => setFailed(true));
    return () => void loading.destroy();
  }, [url]);
  if (failed) return <p role="alert">{t.damaged}</p>;
  if (!pdf) return <p class="quiet">{text.value.common.loading}</p>;
  return (
    <div class="pdf scroll" tabIndex={0} role="document" aria-label={name} data-testid="preview-pdf">
      {Array.from({ length: pdf.numPages }, (_, i) => (
        <Page key={i} pdf={pdf} number={i + 1} />
      ))}
    </div>
  );
}

function Page({ pdf, number }: { pdf: PDFDocumentProxy; number: number }) {
  const t = text.value.files;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [words, setWords] = useState('');
  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    let gone = false;
    const seen = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen.disconnect();
        void draw(pdf, number, element).then((read) => {
          if (!gone) setWords(read);
        });
      },
      { rootMargin: '600px' },
    );
    seen.observe(element);
    return () => {
      gone = true;
      seen.disconnect();
    };
  }, [pdf, number]);
  return (
    <figure>
      <canvas ref={canvas} width={300} height={424} role="img" aria-label={t.page(number, pdf.numPages)} data-testid={`pdf-page-${number}`} />
      <figcaption class="hidden-text">{words}</figcaption>
    </figure>
  );
}

/** Draws it, and answers with its words for those who hear it. */
async function draw(pdf: PDFDocumentProxy, number: number, canvas: HTMLCanvasElement): Promise<string> {
  const page = await pdf.getPage(number);
  const plain = page.getViewport({ scale: 1 });
  const width = Math.min(WIDTH_MAX, canvas.parentElement?.clientWidth ?? WIDTH_MAX);
  let scale = (width / plain.width) * Math.min(2, window.devicePixelRatio);
  scale = Math.min(scale, Math.sqrt(PIXELS_MAX / (plain.width * plain.height)));
  const viewport = page.getViewport({ scale });
  canvas.width = Math.floor(viewport.width);
  canvas.height = Math.floor(viewport.height);
  const canvasContext = canvas.getContext('2d');
  if (canvasContext) await page.render({ canvasContext, viewport }).promise;
  canvas.dataset.drawn = 'yes';
  const { items } = await page.getTextContent();
  return items.map((item) => ('str' in item ? item.str : '')).join(' ');
}
