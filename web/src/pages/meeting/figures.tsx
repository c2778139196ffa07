// Numbers of the statistics panel, and the tables they stand in.
export function bits(rate: number): string {
  if (rate <= 0) return '–';
  return rate >= 1_000_000 ? `${(rate / 1_000_000).toFixed(1)} Mbit/s` : `${Math.round(rate / 1000)} kbit/s`;
}

export const permille = (loss: number) => `${(loss / 10).toFixed(1)} %`;

export function Table({ caption, head, rows }: { caption: string; head: string[]; rows: string[][] }) {
  if (rows.length === 0) return null;
  return (
    <div class="table-box scroll" tabIndex={0} role="group" aria-label={caption}>
      <table class="table">
        <caption>{caption}</caption>
        <thead>
          <tr>
            {head.map((words) => (
              <th key={words} scope="col">
                {words}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, j) => (
                <td key={j} class="numbers">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
