/** The users as part of the replicated state: what the edge reads of them and how it changes them. */
import type { NewCommandsPolicy, UsersChange, UserTable } from "@ferrite/acl";
import type { Index } from "@ferrite/raft";

/** A change of users on its way to the log. Passwords in it are hashed; names, rules and lines are byte strings. */
export type UsersProposal =
  | { readonly kind: "set"; readonly name: string; readonly rules: readonly string[] }
  | { readonly kind: "delete"; readonly names: readonly string[] }
  /** ACL LOAD: the lines become all users there are. */
  | { readonly kind: "replace"; readonly lines: readonly string[] }
  /** Like replace, but only in a cluster whose users nobody has changed yet. */
  | { readonly kind: "seed"; readonly lines: readonly string[] }
  /** acl-new-commands: which commands are known, and what becomes of others (S10). */
  | {
      readonly kind: "policy";
      readonly policy: NewCommandsPolicy;
      readonly known: readonly string[];
    };

export type UsersOutcome =
  | { readonly ok: true; readonly index: Index; readonly count: number }
  | { readonly ok: false; readonly errorText: string };

export interface AccessState {
  /** As of what this node has applied. Another object once a snapshot was installed: ask again for every use. */
  users(): UserTable;
  /**
   * Null, or the error of every credential: this node starts, or has had no contact with a majority for too long. Cheap
   * enough to be asked for every command; not to be kept.
   */
  credentialsRefusal(): string | null;
  /**
   * Proposes a change. `done` is called once: when every member in contact with the leader has applied it, or with the
   * error (CLUSTERDOWN: not applied; UNKNOWNOUTCOME: it may have been; or the words of the rule that is wrong).
   * `actorId` is the id of the user that asks; its right to is checked again when the change is applied. Null: the node itself.
   */
  propose(
    proposal: UsersProposal,
    actorId: number | null,
    done: (outcome: UsersOutcome) => void,
  ): void;
  /**
   * Told right after a change was applied here, before anything behind it runs; after a snapshot was installed with null.
   * Also while the log is applied anew after a start, with changes of long ago.
   * Returns the function that ends it.
   */
  onUsersChanged(listener: (change: UsersChange | null, index: Index) => void): () => void;
}

/** The heads of the nodes' audit chains, witnessed by the cluster. */
export interface AuditAnchors {
  /**
   * Proposes this node's newest head; done says whether it is in the log and was taken. A sequence never goes back: one below
   * the latest anchor of this node is not.
   */
  propose(
    anchor: { readonly sequence: number; readonly head: string },
    done: (applied: boolean) => void,
  ): void;
  /** By node id: the newest anchor that this node has applied. */
  latest(): ReadonlyMap<string, { readonly sequence: number; readonly head: string }>;
}
