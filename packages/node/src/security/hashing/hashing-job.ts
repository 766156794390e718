/** The work of the hashing thread: what is asked, what is answered, and how it is done. Synchronous on purpose. */
import { pbkdf2Sync, timingSafeEqual } from "node:crypto";
import type { StoredPassword } from "@ferrite/acl";

const HASH_BYTES = 32;
/** What is hashed to pass the time; which one does not matter. */
const PADDING_SALT: Uint8Array = new Uint8Array(16);

/** Which of some stored passwords has this digest? Never the password itself comes here, only its SHA-256. */
export interface VerifyJob {
  readonly kind: "verify";
  readonly digest: Uint8Array;
  readonly candidates: readonly StoredPassword[];
  /** When none fits: iterations spent on nothing, so that all refusals take equally long (S14). */
  readonly paddingIterations: number;
}

/** The hash of a password that is to be stored. */
export interface DeriveJob {
  readonly kind: "derive";
  readonly digest: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

export type HashingJob = VerifyJob | DeriveJob;

export type HashingAnswer =
  /** Of the candidate that fits, or -1. */
  | { readonly kind: "verified"; readonly index: number }
  | { readonly kind: "derived"; readonly hash: Uint8Array };

/** Does a job and wipes its digest. Takes milliseconds: 100,000 iterations are about 20. */
export function runHashingJob(job: HashingJob): HashingAnswer {
  try {
    if (job.kind === "derive") {
      return { kind: "derived", hash: stretch(job.digest, job.salt, job.iterations) };
    }
    return { kind: "verified", index: findCandidate(job) };
  } finally {
    job.digest.fill(0);
  }
}

function findCandidate(job: VerifyJob): number {
  for (const [index, candidate] of job.candidates.entries()) {
    const hash = stretch(job.digest, candidate.salt, candidate.iterations);
    if (timingSafeEqual(hash, candidate.hash)) return index;
  }
  if (job.paddingIterations > 0) stretch(job.digest, PADDING_SALT, job.paddingIterations);
  return -1;
}

function stretch(digest: Uint8Array, salt: Uint8Array, iterations: number): Uint8Array {
  return pbkdf2Sync(digest, salt, iterations, HASH_BYTES, "sha256");
}
