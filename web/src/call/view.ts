/*
 * What this screen wants to see: the tiles really visible, at the height they have in device
 * pixels. Tiles report themselves; changes are gathered for a moment and sent as one list.
 */
export type ViewKind = 'camera' | 'screen';

export interface Wish {
  source: { id: string; kind: ViewKind };
  height: number;
  priority: number;
}

interface Tile {
  source: { id: string; kind: ViewKind };
  priority: number;
  visible: boolean;
  height: number; // device pixels
}

const GATHER_MS = 60;
const CAMERAS_MAX = 9;
const SCREENS_MAX = 1;

/** One wish per source (the largest tile of it), most wanted first, within the limits. */
export function wishes(tiles: Iterable<Tile>): Wish[] {
  const best = new Map<string, Wish>();
  for (const tile of tiles) {
    if (!tile.visible || tile.height <= 0) continue;
    const key = `${tile.source.kind} ${tile.source.id}`;
    const other = best.get(key);
    best.set(key, {
      source: tile.source,
      height: Math.max(tile.height, other?.height ?? 0),
      priority: Math.max(tile.priority, other?.priority ?? 0),
    });
  }
  const ordered = [...best.values()].sort(
    (a, b) => b.priority - a.priority || b.height - a.height,
  );
  const left = { camera: CAMERAS_MAX, screen: SCREENS_MAX };
  return ordered.filter((wish) => (left[wish.source.kind] -= 1) >= 0);
}

export class View {
  private readonly tiles = new Map<Element, Tile>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private last = '';
  private hidden = false;
  private readonly seen: IntersectionObserver;
  private readonly sized: ResizeObserver;

  constructor(private readonly send: (tiles: Wish[]) => void) {
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const tile = this.tiles.get(entry.target);
        if (tile) tile.visible = entry.isIntersecting;
      }
      this.later();
    });
    this.sized = new ResizeObserver((entries) => {
      for (const entry of entries) this.measure(entry.target, entry.contentRect.height);
      this.later();
    });
  }

  add(element: Element, source: { id: string; kind: ViewKind }, priority: number): () => void {
    this.tiles.set(element, { source, priority, visible: true, height: 0 });
    this.measure(element, element.getBoundingClientRect().height);
    this.seen.observe(element);
    this.sized.observe(element);
    this.later();
    return () => {
      this.tiles.delete(element);
      this.seen.unobserve(element);
      this.sized.unobserve(element);
      this.later();
    };
  }

  /** A page in the background watches nothing. */
  hide(hidden: boolean): void {
    this.hidden = hidden;
    this.later();
  }

  /** The server knows nothing of us any more: say it again. */
  renew(): void {
    this.last = '';
    this.flush();
  }

  close(): void {
    this.seen.disconnect();
    this.sized.disconnect();
    if (this.timer) clearTimeout(this.timer);
  }

  private measure(element: Element, cssHeight: number): void {
    const tile = this.tiles.get(element);
    if (tile) tile.height = Math.round(cssHeight * (window.devicePixelRatio || 1));
  }

  /** The first list goes out with the first picture drawn; later ones when things come to rest. */
  private later(): void {
    this.timer ??= setTimeout(() => this.flush(), this.last === '' ? 0 : GATHER_MS);
  }

  private flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const list = this.hidden ? [] : wishes(this.tiles.values());
    const text = JSON.stringify(list);
    if (text === this.last) return;
    this.last = text;
    this.send(list);
  }
}
