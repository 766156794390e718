/** A request as clients send it. */
export function commandBytes(...words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join("")}`);
}

/** The same as somebody types it. Words must not need quotes. */
export function inlineBytes(...words: readonly string[]): Buffer {
  return Buffer.from(`${words.join(" ")}\r\n`);
}
