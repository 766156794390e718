/** Which files make up a trail, in the order of their records. */
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { AuditError } from "../errors.ts";
import { trailFiles } from "../files/file-names.ts";
import { readChainFields } from "../record.ts";
import { linesOf } from "./line-source.ts";

/**
 * A directory stands for all files of a trail in it; files are taken in the order of the sequence in their names.
 * @throws AuditError notATrail
 */
export async function findTrailFiles(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) found.push(...(await filesAt(path)));
  const bySequence = new Map(
    trailFiles(found.map((path) => basename(path))).map((file) => [file.name, file.firstSequence]),
  );
  const place = (path: string): number => bySequence.get(basename(path)) ?? -1;
  return found.toSorted((left, right) => place(left) - place(right));
}

async function filesAt(path: string): Promise<string[]> {
  let isDirectory: boolean;
  try {
    isDirectory = (await stat(path)).isDirectory();
  } catch (error) {
    throw new AuditError("notATrail", `${path}: ${reasonOf(error)}`, { cause: error });
  }
  if (!isDirectory) return [path];
  const names = trailFiles(await readdir(path)).map((file) => join(path, file.name));
  if (names.length === 0) {
    throw new AuditError("notATrail", `${path}: there are no audit files (audit-*.jsonl) in it`);
  }
  return names;
}

/** The id of the node whose trail this says to be; null when the first line is no record. */
export async function nodeOfTrail(files: readonly string[]): Promise<string | null> {
  const [first] = files;
  if (first === undefined) return null;
  for await (const line of linesOf(first)) {
    return line.bytes === null ? null : (readChainFields(line.bytes)?.nodeId ?? null);
  }
  return null;
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ENOENT" ? "there is no such file or directory" : message;
}
