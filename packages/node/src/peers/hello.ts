/**
 * The first frame in each direction of a link: who I am, and what cluster I belong to. Said again on an open link
 * whenever it changes (a cluster was formed, the node became active).
 *
 *   body:  magic "FERR" | version u16 | zero u16 | JSON (UTF-8), checked against a schema
 *
 * Magic and version stand first and never move, so that any version can tell any other what it is. JSON because this
 * is said once per link, and because its parser can make nothing but plain values.
 */
import { z } from "zod";
import type { NodeId } from "@ferrite/raft";
import { PeerError } from "./errors.ts";
import { FrameKind, GROUP_ID, HANDSHAKE_FRAME_BYTES_MAX, HEADER_BYTES } from "./frame.ts";
import { PROTOCOL_VERSION } from "./frame.ts";
import { malformed } from "./frame-reader.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { Genesis, Member } from "./membership.ts";
import { isNodeId } from "./node-id-bytes.ts";

/** More members than one Raft group can work with. */
export const MEMBERS_MAX = 64;
const NAME_LENGTH_MAX = 253;
const ADDRESS_LENGTH_MAX = 300;
const VERSION_LENGTH_MAX = 100;
/** Of any version to come. */
const FEATURE_LEVEL_SAID_MAX = 0xffff;
const MAGIC = 0x52524546;

export interface Hello {
  readonly groupId: number;
  readonly nodeId: NodeId;
  readonly name: string;
  /** SHA-256 of the cluster token, in hex. */
  readonly tokenHash: string;
  readonly peerAddress: string;
  readonly clientAddress: string;
  /** The names this node expects its cluster to be formed of, sorted, with its own. */
  readonly expected: readonly string[];
  /** The cluster id this node will form and no other, or null (see bootstrap.ts). */
  readonly promise: string | null;
  /** The cluster this node is a member of, on its disk; null while it is not formed. */
  readonly genesis: Genesis | null;
  /** Takes payload frames. Only ever true when `genesis` is there. */
  readonly active: boolean;
  /** SHA-256 of the certificate that the node shows on new links, in upper-case hex; null when it does not say. */
  readonly certificate: string | null;
  /** Dialed to take the place of the link there is, which still has frames on it. */
  readonly successor: boolean;
  /** The highest feature level that the node supports; 0 when it does not say. */
  readonly featureLevel: number;
  /** Its version, for people; empty when it does not say. */
  readonly version: string;
  /** host:port where clients reach it over TLS; null when it offers none. */
  readonly tlsAddress: string | null;
  /** Lends its snapshots to others and takes lent ones: it knows the frames for that. */
  readonly lendsSnapshots: boolean;
  /**
   * Whom it takes for the members of its cluster, where it knows them to be; null when it is not formed, or does not
   * say. Hints: the table in the log decides.
   */
  readonly members: readonly HintedMember[] | null;
}

/** A member as another one sees it. */
export type HintedMember = Pick<Member, "id" | "name" | "peerAddress">;

const uuid = z.string().refine(isNodeId, "not a UUID in lower case");
/** Printable: it goes into logs and messages. */
const name = z
  .string()
  .max(NAME_LENGTH_MAX)
  .regex(/^[\x21-\x7e]+$/);
const address = z.string().max(ADDRESS_LENGTH_MAX);

const memberSchema: z.ZodType<Member> = z.strictObject({
  id: uuid,
  name,
  peerAddress: address,
  clientAddress: address,
});

const hintSchema: z.ZodType<HintedMember> = z.object({ id: uuid, name, peerAddress: address });

const genesisSchema: z.ZodType<Genesis> = z.strictObject({
  clusterId: uuid,
  members: z.array(memberSchema).min(1).max(MEMBERS_MAX),
});

/** Unknown keys are dropped, not refused: a later version may say more without being a stranger. */
const helloSchema: z.ZodType<Hello> = z
  .object({
    groupId: z.int().min(0).max(0xffff_ffff),
    nodeId: uuid,
    name,
    tokenHash: z.string().regex(/^[0-9a-f]{64}$/),
    peerAddress: address,
    clientAddress: address,
    expected: z.array(name).min(1).max(MEMBERS_MAX),
    promise: uuid.nullable(),
    genesis: genesisSchema.nullable(),
    active: z.boolean(),
    certificate: z
      .string()
      .regex(/^[0-9A-F]{64}$/)
      .nullable()
      .default(null),
    successor: z.boolean().default(false),
    featureLevel: z.int().min(0).max(FEATURE_LEVEL_SAID_MAX).default(0),
    version: z
      .string()
      .max(VERSION_LENGTH_MAX)
      .regex(/^[\x20-\x7e]*$/)
      .default(""),
    tlsAddress: address.nullable().default(null),
    lendsSnapshots: z.boolean().default(false),
    members: z.array(hintSchema).max(MEMBERS_MAX).nullable().default(null),
  })
  .refine((hello) => hello.genesis !== null || !hello.active, "active without a cluster");

/** By what it says itself, is the sender a member of its cluster? One that asks to join is none yet. */
export function claimsMembership(hello: Hello): boolean {
  if (hello.genesis === null) return false;
  return (hello.members ?? hello.genesis.members).some((member) => member.id === hello.nodeId);
}

/**
 * Appends a hello frame.
 * @throws PeerError notEncodable when it is larger than a handshake frame may be.
 */
export function writeHello(writer: FrameWriter, hello: Hello, senderTimeMs: number): void {
  const json = Buffer.from(JSON.stringify(hello), "utf8");
  const bodyBytes = 8 + json.length;
  if (HEADER_BYTES + bodyBytes > HANDSHAKE_FRAME_BYTES_MAX) {
    throw new PeerError("notEncodable", `A hello of ${bodyBytes} bytes is too large.`);
  }
  writer.begin(FrameKind.Hello, GROUP_ID, senderTimeMs, bodyBytes, 8);
  writer.u32(MAGIC);
  writer.u16(PROTOCOL_VERSION);
  writer.u16(0);
  writer.bytes(json);
}

/** @throws PeerError notFerrite, protocolVersion, frameMalformed */
export function readHello(reader: FrameReader): Hello {
  if (reader.remainingBytes < 8 || reader.u32() !== MAGIC) {
    throw new PeerError("notFerrite", "The first bytes are not those of a Ferrite node.");
  }
  const version = reader.u16();
  if (version !== PROTOCOL_VERSION) {
    throw new PeerError(
      "protocolVersion",
      `The peer speaks version ${version} of the peer protocol, this node ${PROTOCOL_VERSION}.`,
    );
  }
  reader.u16();
  const text = reader.bytes(reader.remainingBytes).toString("utf8");
  reader.finish();
  const parsed = helloSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw malformed(`the hello does not fit its schema (${z.prettifyError(parsed.error)})`);
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("the hello is not JSON");
  }
}
