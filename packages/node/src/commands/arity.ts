/** Redis' arity: exact when positive, at least when negative; the name counts. */
export function acceptsCount(arity: number, count: number): boolean {
  return arity >= 0 ? count === arity : count >= -arity;
}
