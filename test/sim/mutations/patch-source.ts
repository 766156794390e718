/** Puts a mutation's patches into the text of a source file. A patch that does not fit is an error, never skipped. */
import type { Mutation, Patch } from "./mutation.ts";

export class PatchError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PatchError";
  }
}

/** Patches of a mutation by file. */
export function patchesByFile(mutation: Mutation): Map<string, Patch[]> {
  const byFile = new Map<string, Patch[]>();
  for (const patch of mutation.patches) {
    byFile.set(patch.file, [...(byFile.get(patch.file) ?? []), patch]);
  }
  return byFile;
}

/**
 * The text with all patches in it. Each is looked for in the text as it was, so that their order does not matter.
 * Throws `PatchError` when a text to be replaced is missing, stands there more than once, or overlaps another.
 */
export function patchSource(source: string, patches: readonly Patch[]): string {
  const places = patches
    .map((patch) => ({ patch, at: placeOf(source, patch) }))
    .toSorted((left, right) => left.at - right.at);
  let patched = "";
  let end = 0;
  for (const { patch, at } of places) {
    if (at < end) throw new PatchError(`${patch.file}: two patches overlap at "${patch.find}"`);
    patched += source.slice(end, at) + patch.replace;
    end = at + patch.find.length;
  }
  return patched + source.slice(end);
}

function placeOf(source: string, patch: Patch): number {
  const at = source.indexOf(patch.find);
  if (patch.find === "" || at < 0) {
    throw new PatchError(`${patch.file}: there is no "${patch.find}" any more`);
  }
  if (source.indexOf(patch.find, at + 1) >= 0) {
    throw new PatchError(`${patch.file}: "${patch.find}" stands there more than once`);
  }
  if (patch.replace === patch.find) {
    throw new PatchError(`${patch.file}: the patch for "${patch.find}" changes nothing`);
  }
  return at;
}
