/** Replies as bytes, for tests that say what is expected. */
export const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
export const array = (...items: readonly string[]): string =>
  `*${items.length}\r\n${items.join("")}`;
export const map = (...items: readonly string[]): string =>
  `%${items.length / 2}\r\n${items.join("")}`;
export const set = (...items: readonly string[]): string => `~${items.length}\r\n${items.join("")}`;
export const OK = "+OK\r\n";
