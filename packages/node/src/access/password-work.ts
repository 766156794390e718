/** The hashing thread as the rule engine asks for it. */
import type { PasswordWork } from "@ferrite/acl";
import type { PasswordHasher } from "../security/password-hasher.ts";

/** The hashing thread did not do it; the message is for the client. */
export class HashingUnavailable extends Error {
  constructor(kind: "busy" | "failed") {
    super(
      kind === "busy"
        ? "ERR too many passwords are being hashed, try again later; nothing was changed"
        : "ERR the password could not be hashed; nothing was changed",
    );
    this.name = "HashingUnavailable";
  }
}

/** Under which changes of users are counted: they come from people who are logged in. */
const ADDRESS = "rules";

/** Rejects with HashingUnavailable when the thread is busy or lost. */
export function passwordWork(hasher: PasswordHasher, nowMs: () => number): PasswordWork {
  return {
    nowMs,
    hash: async (digest) => {
      const outcome = await hasher.store(digest, ADDRESS);
      if (outcome.kind !== "stored") throw new HashingUnavailable(outcome.kind);
      return outcome.stored;
    },
    verify: async (digest, stored) => {
      const outcome = await hasher.find(digest, [stored], ADDRESS);
      if (outcome.kind !== "found") throw new HashingUnavailable(outcome.kind);
      return outcome.stored !== null;
    },
  };
}
