/** What the membership looks like in entries and snapshots: everything that is read is checked against these. */
import { z } from "zod";
import { isNodeId } from "../peers/node-id-bytes.ts";
import {
  ADDRESS_LENGTH_MAX,
  ALARMS_MAX,
  ALARM_KIND_LENGTH_MAX,
  JOINERS_MAX,
  MEMBERS_MAX,
  NAME_LENGTH_MAX,
  PRIORITY_MAX,
  REASON_LENGTH_MAX,
  REMOVED_MEMBERS_MAX,
  VERSION_LENGTH_MAX,
} from "./limits.ts";
import type { MemberAlarm, MemberChange, MemberRecord } from "./member-record.ts";

/** A member, and what is known of it that nobody outside has to know. */
export interface Seat {
  readonly record: MemberRecord;
  /** What its configuration said last: PRIORITY holds until that changes. */
  readonly announcedPriority: number;
  /** The change with which it came, 0 for the founders. Of two disks of one name the one with the higher is newer. */
  readonly since: number;
  /** It was to become a member and is not to any more. */
  readonly isLeaving: boolean;
}

/** A node that asks to join. */
export interface Joiner {
  readonly record: MemberRecord;
  /** The member that heard it lets anybody in who proves to be of this cluster. */
  readonly anybody: boolean;
  readonly sinceMs: number;
}

/** As written into a snapshot. */
export interface MembersSnapshot {
  readonly seats: readonly Seat[];
  readonly joiners: readonly Joiner[];
  /** Oldest first. */
  readonly removed: readonly (readonly [id: string, name: string])[];
  readonly change: MemberChange | null;
  readonly lastChangeId: number;
  readonly level: number;
  /** The version that raised the level: one that surely knows it. */
  readonly levelVersion: string;
  readonly alarms: readonly MemberAlarm[];
}

const count = z.int().min(0);
const printable = (lengthMax: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .regex(/^[\x21-\x7e]+$/, "not printable");

export const nodeIdSchema: z.ZodType<string> = z.string().refine(isNodeId, "not a node id");
export const nameSchema: z.ZodType<string> = printable(NAME_LENGTH_MAX);
export const addressSchema: z.ZodType<string> = printable(ADDRESS_LENGTH_MAX);
export const prioritySchema: z.ZodType<number> = z.int().min(0).max(PRIORITY_MAX);
export const versionSchema: z.ZodType<string> = z.string().max(VERSION_LENGTH_MAX);
export const levelSchema: z.ZodType<number> = z.int().min(0).max(1_000_000);
export const reasonSchema: z.ZodType<string> = z.string().max(REASON_LENGTH_MAX);
export const alarmKindSchema: z.ZodType<string> = printable(ALARM_KIND_LENGTH_MAX);

export const recordSchema: z.ZodType<MemberRecord> = z.object({
  id: nodeIdSchema,
  name: nameSchema,
  peerAddress: z.string().max(ADDRESS_LENGTH_MAX),
  clientAddress: z.string().max(ADDRESS_LENGTH_MAX),
  tlsAddress: z.string().max(ADDRESS_LENGTH_MAX).nullable(),
  priority: prioritySchema,
  featureLevel: levelSchema,
  version: versionSchema,
});

export const changeKindSchema: z.ZodType<MemberChange["kind"]> = z.enum([
  "add",
  "remove",
  "replace",
  "promote",
  "demote",
]);

export const phaseSchema: z.ZodType<MemberChange["phase"]> = z.enum([
  "asked",
  "waiting",
  "catchingUp",
  "changing",
  "done",
  "refused",
  "cancelled",
]);

const changeSchema: z.ZodType<MemberChange> = z.object({
  id: count,
  kind: changeKindSchema,
  name: nameSchema,
  target: nodeIdSchema.nullable(),
  replaces: nodeIdSchema.nullable(),
  asLearner: z.boolean(),
  newcomer: nameSchema.nullable(),
  address: addressSchema.nullable(),
  phase: phaseSchema,
  reason: reasonSchema.nullable(),
  startedMs: z.number(),
});

/** The membership's part of a snapshot. */
export const snapshotSchema: z.ZodType<MembersSnapshot> = z.object({
  seats: z
    .array(
      z.object({
        record: recordSchema,
        announcedPriority: prioritySchema,
        since: count,
        isLeaving: z.boolean(),
      }),
    )
    .max(2 * MEMBERS_MAX),
  joiners: z
    .array(z.object({ record: recordSchema, anybody: z.boolean(), sinceMs: z.number() }))
    .max(JOINERS_MAX),
  removed: z.array(z.tuple([nodeIdSchema, nameSchema])).max(REMOVED_MEMBERS_MAX),
  change: changeSchema.nullable(),
  lastChangeId: count,
  level: levelSchema,
  levelVersion: versionSchema,
  alarms: z
    .array(
      z.object({
        kind: alarmKindSchema,
        nodeId: nodeIdSchema,
        text: reasonSchema,
        sinceMs: z.number(),
      }),
    )
    .max(ALARMS_MAX),
});
