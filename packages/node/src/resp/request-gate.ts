/**
 * Asked before the rest of a large request is kept: a client that may not run a command must not make us hold half a
 * gigabyte of its arguments first (S20, CVE-2025-46686).
 */
import type { Argv } from "./argv.ts";

export interface RequestGate {
  /**
   * Null lets the request in, else it is the error to answer in its place. `argv` holds the arguments that are complete
   * (there may be none: then the first one is large, which no command's name is); `argumentCount` is how many the request
   * will have.
   */
  judge(argv: Argv, argumentCount: number): string | null;
}
