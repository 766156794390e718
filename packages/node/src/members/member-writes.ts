/**
 * Changes of the membership as entries of the log. A record's first word says what is written; the second one is JSON,
 * checked when it is applied. Who may write what:
 *
 *   any node, for itself            announce
 *   any member, for who it hears    join
 *   an operator, at any node        change, cancel, priority
 *   the leader, in entries that it appends itself and takes from nobody (BatchKind.Leader)
 *                                   begin, phase, drop, alarm
 */
import type { NodeId } from "@ferrite/raft";
import { z } from "zod";
import type { ChangeKind, ChangePhase, MemberRecord } from "./member-record.ts";
import {
  addressSchema,
  alarmKindSchema,
  changeKindSchema,
  nameSchema,
  nodeIdSchema,
  phaseSchema,
  prioritySchema,
  reasonSchema,
  recordSchema,
} from "./member-schema.ts";

/** What a node says of itself, or of one that it hears. */
export interface AnnounceWrite {
  readonly write: "announce";
  readonly record: MemberRecord;
}

export interface JoinWrite {
  readonly write: "join";
  readonly record: MemberRecord;
  /** The member that heard it lets anybody in who proves to be of this cluster. */
  readonly anybody: boolean;
}

/** What an operator asks for. */
export interface AskedChange {
  readonly write: "change";
  readonly kind: ChangeKind;
  readonly name: string;
  /** REPLACE ... BY; null: the same name on a new disk. */
  readonly newcomer: string | null;
  /** ADD ... ADDRESS: the node must join from there. */
  readonly address: string | null;
  readonly asLearner: boolean;
}

export interface PriorityWrite {
  readonly write: "priority";
  readonly name: string;
  readonly priority: number;
}

export type OperatorMemberWrite = AskedChange | { readonly write: "cancel" } | PriorityWrite;
export type MemberWrite = AnnounceWrite | JoinWrite | OperatorMemberWrite;

/** A change that nobody asked for: a node came that is welcome. With the phase "refused": it came, and can not be taken. */
export interface BegunChange {
  readonly write: "begin";
  readonly kind: ChangeKind;
  readonly name: string;
  readonly target: NodeId;
  readonly replaces: NodeId | null;
  readonly phase: ChangePhase;
  readonly reason: string | null;
}

export interface PhaseStep {
  readonly write: "phase";
  readonly changeId: number;
  readonly from: ChangePhase;
  readonly to: ChangePhase;
  /** Null: as it was. */
  readonly target: NodeId | null;
  readonly reason: string | null;
}

export interface AlarmWrite {
  readonly write: "alarm";
  readonly kind: string;
  readonly nodeId: NodeId;
  /** Null: it is over. */
  readonly text: string | null;
}

/** What only a leader writes. `drop` forgets who asked to join, or was to join and is not to any more. */
export type LeaderMemberWrite =
  | BegunChange
  | PhaseStep
  | { readonly write: "drop"; readonly id: NodeId }
  | AlarmWrite;

const memberWriteSchema: z.ZodType<MemberWrite> = z.discriminatedUnion("write", [
  z.object({ write: z.literal("announce"), record: recordSchema }),
  z.object({ write: z.literal("join"), record: recordSchema, anybody: z.boolean() }),
  z.object({
    write: z.literal("change"),
    kind: changeKindSchema,
    name: nameSchema,
    newcomer: nameSchema.nullable(),
    address: addressSchema.nullable(),
    asLearner: z.boolean(),
  }),
  z.object({ write: z.literal("cancel") }),
  z.object({ write: z.literal("priority"), name: nameSchema, priority: prioritySchema }),
]);

const leaderWriteSchema: z.ZodType<LeaderMemberWrite> = z.discriminatedUnion("write", [
  z.object({
    write: z.literal("begin"),
    kind: changeKindSchema,
    name: nameSchema,
    target: nodeIdSchema,
    replaces: nodeIdSchema.nullable(),
    phase: phaseSchema,
    reason: reasonSchema.nullable(),
  }),
  z.object({
    write: z.literal("phase"),
    changeId: z.int().min(1),
    from: phaseSchema,
    to: phaseSchema,
    target: nodeIdSchema.nullable(),
    reason: reasonSchema.nullable(),
  }),
  z.object({ write: z.literal("drop"), id: nodeIdSchema }),
  z.object({
    write: z.literal("alarm"),
    kind: alarmKindSchema,
    nodeId: nodeIdSchema,
    text: reasonSchema.nullable(),
  }),
]);

/** JSON of ASCII alone: a word of the log is a byte string. */
export function memberWriteText(write: MemberWrite | LeaderMemberWrite): string {
  return JSON.stringify(write).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Null when it is none. */
export function readMemberWrite(text: string): MemberWrite | null {
  const parsed = memberWriteSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

/** Null when it is none. */
export function readLeaderWrite(text: string): LeaderMemberWrite | null {
  const parsed = leaderWriteSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

/** The command by which an operator asks for it, and so the one that he has to be allowed to run. */
export function commandOf(write: OperatorMemberWrite): string {
  return `ferrite.member|${write.write === "change" ? write.kind : write.write}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
