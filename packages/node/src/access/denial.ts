/** What a client is told when the rules of its user do not allow a request: Redis 7.0's words. */
import { Verdict } from "@ferrite/acl";
import type { AclLogReason } from "./access-view.ts";

const KEY_DENIED =
  "NOPERM this user has no permissions to access one of the keys used as arguments";
const CHANNEL_DENIED =
  "NOPERM this user has no permissions to access one of the channels used as arguments";

/** The error of a verdict other than Allowed. `commandName` is the full name ("client|kill"). */
export function denialText(verdict: Verdict, commandName: string): string {
  if (verdict === Verdict.Key) return KEY_DENIED;
  if (verdict === Verdict.Channel) return CHANNEL_DENIED;
  return `NOPERM this user has no permissions to run the '${commandName}' command`;
}

/** The same as ACL LOG's word. */
export function denialReason(verdict: Verdict): Exclude<AclLogReason, "auth" | "tls-cert"> {
  if (verdict === Verdict.Key) return "key";
  return verdict === Verdict.Channel ? "channel" : "command";
}
