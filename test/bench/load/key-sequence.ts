/** Which keys are asked for: each once in order, or evenly drawn. */
export interface KeySequence {
  /** The next key, or -1 when there is none left. */
  next(): number;
}

export function keysInOrder(keyCount: number): KeySequence {
  let key = 0;
  return { next: () => (key < keyCount ? key++ : -1) };
}

/** Xorshift of 32 bits: repeatable, and fast enough not to be seen in a measurement. */
export function keysDrawn(keyCount: number, seed: number): KeySequence {
  let state = seed | 0 || 0x2545f491;
  return {
    next: () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % keyCount;
    },
  };
}
