// Do not disturb: the one rule of the pages, the same as the server's (auth_quiet).

/** `until`: ms since 1970, 0 when nothing was said. */
export const isQuiet = (until: number, now = Date.now()): boolean => until > now;
