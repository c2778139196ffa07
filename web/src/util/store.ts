// Small things kept in this browser. Storage may be refused or full: then nothing is kept.

function area(kind: 'local' | 'session'): Storage | null {
  try {
    return kind === 'local' ? window.localStorage : window.sessionStorage;
  } catch {
    return null;
  }
}

export function loadText(key: string, kind: 'local' | 'session' = 'local'): string | null {
  try {
    return area(kind)?.getItem(`parley.${key}`) ?? null;
  } catch {
    return null;
  }
}

export function saveText(key: string, text: string, kind: 'local' | 'session' = 'local'): void {
  try {
    area(kind)?.setItem(`parley.${key}`, text);
  } catch {
    // Nothing is kept.
  }
}

/** What is kept under names that begin so. */
export function forgetAll(beginnings: readonly string[]): void {
  try {
    const kept = area('local');
    const names = Array.from({ length: kept?.length ?? 0 }, (_, index) => kept?.key(index) ?? '');
    for (const name of names)
      if (beginnings.some((beginning) => name.startsWith(`parley.${beginning}`))) kept?.removeItem(name);
  } catch {
    // Nothing was kept.
  }
}

export function load<T>(key: string, fallback: T, kind: 'local' | 'session' = 'local'): T {
  try {
    const text = area(kind)?.getItem(`parley.${key}`);
    return text === null || text === undefined ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

export function save(key: string, value: unknown, kind: 'local' | 'session' = 'local'): void {
  try {
    if (value === null || value === undefined) area(kind)?.removeItem(`parley.${key}`);
    else area(kind)?.setItem(`parley.${key}`, JSON.stringify(value));
  } catch {
    // Nothing is kept.
  }
}
