// Who sits where. People keep their places; somebody from a later page comes to the first one
// only by taking the place of a person who is less worth seeing.

/** Keeps the order of those who stay, appends those who came. */
export function follow(order: readonly string[], present: readonly string[]): string[] {
  const here = new Set(present);
  const placed = new Set(order);
  return [...order.filter((id) => here.has(id)), ...present.filter((id) => !placed.has(id))];
}

/**
 * Swaps people from beyond the first page with the least of it while they rank higher.
 * `rank`: larger is more worth seeing. Equal ranks never swap.
 */
export function promote(
  order: readonly string[],
  places: number,
  rank: (id: string) => number,
): string[] {
  if (order.length <= places || places <= 0) return [...order];
  const result = [...order];
  const outside = result
    .map((id, index) => ({ index, rank: rank(id) }))
    .slice(places)
    .sort((a, b) => b.rank - a.rank);
  for (const candidate of outside) {
    let least = 0;
    for (let i = 1; i < places; i += 1)
      if (rank(result[i] as string) <= rank(result[least] as string)) least = i;
    if (candidate.rank <= rank(result[least] as string)) break;
    const id = result[candidate.index] as string;
    result[candidate.index] = result[least] as string;
    result[least] = id;
  }
  return result;
}

export interface Grid {
  columns: number;
  rows: number;
  width: number;
  height: number;
}

/** How far a tile's shape may go from its camera's: width through height. */
export interface Shape {
  narrowest: number;
  widest: number;
}

/** The columns that make `count` tiles largest within a box. */
export function fitGrid(
  count: number,
  boxWidth: number,
  boxHeight: number,
  gap: number,
  shape: Shape = { narrowest: 16 / 9, widest: 16 / 9 },
): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (boxWidth - gap * (columns - 1)) / columns;
    const cellHeight = (boxHeight - gap * (rows - 1)) / rows;
    if (cellWidth <= 0 || cellHeight <= 0) continue;
    const width = Math.floor(Math.min(cellWidth, cellHeight * shape.widest));
    const height = Math.floor(Math.min(cellHeight, width / shape.narrowest));
    if (width * height > best.width * best.height) best = { columns, rows, width, height };
  }
  return best;
}
