/** What happens to the certificates of a node, for the log and the audit trail. */
import type { CredentialChange, CredentialUse, ReloadCause } from "./live-credentials.ts";

export type EndingKind = "leaf" | "authority" | "revocation_list";

/** What has an end: the own certificate, an authority, a list that is to be replaced. */
export interface Ending {
  readonly kind: EndingKind;
  /** Told apart by this: the fingerprint. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** Unix ms. */
  readonly untilMs: number;
  /** How long it is good in all, where that says how long before its end it is to be replaced. */
  readonly lifeMs: number | null;
}

export type CredentialEvent = { readonly use: CredentialUse } & (
  | {
      readonly kind: "reloaded";
      readonly cause: ReloadCause;
      readonly change: CredentialChange;
      readonly before: string;
      readonly after: string;
    }
  | { readonly kind: "refused"; readonly cause: ReloadCause; readonly text: string }
  | { readonly kind: "expiring"; readonly ending: Ending; readonly daysLeft: number }
  | { readonly kind: "expired"; readonly ending: Ending }
);
