/** The version of this package, which is that of Ferrite. */
import { readFileSync } from "node:fs";

/** Read from package.json, which lies one folder up both from the sources and from the build. */
export function readVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}
