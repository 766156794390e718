/** Numbers of the list of known bugs that can not be put back: what they need is not there, or they name no defect. */
export const NOT_APPLICABLE: ReadonlyMap<string, string> = new Map([
  ["R27", "no watches, subscriptions or streams that could travel back in time"],
  ["R33", "no locks are promised, so none without a fencing token"],
  [
    "R53",
    "addresses are not simulated; real nodes that all move at once: `test/e2e/peers/joining-node.test.ts`",
  ],
]);
