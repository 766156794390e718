/**
 * Patches source text on its way into this process, and nowhere else: the files stay as they are, and nothing under
 * packages/ knows of it. Works because the simulator runs the sources themselves (condition `@ferrite/source`); Node
 * strips the types of what a load hook hands over as "module-typescript".
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Mutation } from "./mutation.ts";
import { PatchError, patchSource, patchesByFile } from "./patch-source.ts";

const root = new URL("../../../", import.meta.url);

/** Tells afterwards whether every patched file was really loaded. */
export interface LoadedMutation {
  /** Throws `PatchError` when a file that was to be patched was not loaded. */
  checkLoaded(): void;
}

/** Has to be called before the first import of the packages. Throws `PatchError`, there or at the import. */
export function loadMutation(mutation: Mutation): LoadedMutation {
  const waiting = new Map(
    [...patchesByFile(mutation)].map(([file, patches]) => [new URL(file, root).href, patches]),
  );
  const loaded = new Set<string>();
  registerHooks({
    load(url, context, nextLoad) {
      const patches = waiting.get(url);
      if (patches === undefined) return nextLoad(url, context);
      loaded.add(url);
      const source = patchSource(readFileSync(fileURLToPath(url), "utf8"), patches);
      return { format: "module-typescript", source, shortCircuit: true };
    },
  });
  return {
    checkLoaded: () => {
      for (const url of waiting.keys()) {
        if (!loaded.has(url)) throw new PatchError(`${url} was not loaded: nothing was mutated`);
      }
    },
  };
}

/** The source of a file of the repository, as it is without any mutation. */
export function sourceOf(file: string): string {
  return readFileSync(
    fileURLToPath(new URL(file, pathToFileURL(`${fileURLToPath(root)}/`))),
    "utf8",
  );
}
