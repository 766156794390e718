/** What noticed a problem: the name of the check that stands in the table. */

/** Sentences of the simulator's checks, and what they are called. The first that fits counts. */
const CHECKS: readonly (readonly [RegExp, string])[] = [
  [/raft: (\w+):/, "assertion $1"],
  [/(?:^|Error: )(election safety|leader append-only|log matching|leader completeness):/, "$1"],
  [/(?:^|Error: )(state machine safety|sane indexes|no way back|refusals end|bounded work):/, "$1"],
  [
    /(?:^|Error: )(damage is told|nonce used once|stable leader|leaders are voters|members|one cluster|equal configurations|states):/,
    "$1",
  ],
  [/stands in the clear|in the clear/, "nothing in the clear"],
  [/different states/, "equal states"],
  [/^liveness/, "liveness"],
  [/acknowledged .* is lost/, "history: acknowledged writes stay"],
  [/applied twice/, "history: applied once"],
  [/failed for sure and was applied/, "history: a definite error means not applied"],
  [/was never written/, "history: only what was written"],
  [/took effect before a write/, "history: order"],
  [/which never was the value/, "history: reads see what was written"],
  [/does not read its own/, "history: read your writes"],
  [/went back in time/, "history: reads never go back"],
  [/linearizable read|write that had not begun/, "history: linearizable reads"],
  [/^linearizability of/, "linearizability"],
  [/^list append, ([^:]+)/, "list append: $1"],
  [/^set /, "set"],
  [/^counter /, "counter"],
  [/gets no answer/, "answers come"],
  [/^acl: change \d+ was applied at/, "users: a change is applied once"],
  [/was deleted|honours|honoured|behind the end|user/, "users: rights end when they are said to"],
  [/StorageError: /, "the disk's own checks at a start"],
  [/ReplicaError: /, "the replica's own checks"],
];

/** A patch that does not run proves nothing: errors of the language are no catch. */
const BROKEN_PATCH = /\b(?:TypeError|ReferenceError|SyntaxError)\b/;

/** Null: the problem is the patch's own. */
export function checkName(problem: string): string | null {
  if (BROKEN_PATCH.test(problem)) return null;
  for (const [sentence, name] of CHECKS) {
    const found = sentence.exec(problem);
    if (found !== null) return name.replace("$1", found[1] ?? "");
  }
  return problem.split(/[:\n]/)[0].slice(0, 60);
}
