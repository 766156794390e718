/** Paths as people like to read them. */
import { isAbsolute, relative } from "node:path";

/** Relative to the folder the person stands in when it lies below, else absolute. */
export function shortPath(workingDirectory: string, path: string): string {
  const short = relative(workingDirectory, path);
  if (short === "") return ".";
  return short.startsWith("..") || isAbsolute(short) ? path : short;
}
