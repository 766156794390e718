/**
 * The second door of this package: the parts of a node that run on any clock, disk and network. The simulator puts virtual ones
 * under them; nothing in production imports this file.
 */
import { PEER_FRAME_BYTES_MAX_DEFAULT } from "./peers/frame.ts";
import { FrameDecoder } from "./peers/frame-decoder.ts";
import { FrameReader } from "./peers/frame-reader.ts";
import { FrameWriter } from "./peers/frame-writer.ts";
import { payloadBodyBytes, readPayload, writePayload } from "./peers/payload-codec.ts";
import type { PeerPayload } from "./replica/transport.ts";

export { AclLog } from "./access/acl-log.ts";
export { createAccess, type Access } from "./access/create-access.ts";
export { isCurrent } from "./at-rest/disk-files.ts";
export { TrackedSnapshots } from "./at-rest/tracked-snapshots.ts";
export { AuditOff } from "./audit/audit-off.ts";
export { commandCatalogue } from "./commands/catalogue.ts";
export { FORESEEN_COMMANDS } from "./commands/foreseen-commands.ts";
export { FEATURE_LEVEL_MAX } from "./members/feature-level.ts";
export { underWay, type MemberChange, type MemberRecord } from "./members/member-record.ts";
export type { JoinRequest, LinkedMembers, MemberLinks } from "./members/membership-ports.ts";
export { MembershipService } from "./members/membership-service.ts";
export { createCommandTable } from "./commands/all-commands.ts";
export type { CommandTable } from "./commands/table.ts";
export type { ReadCommand } from "./commands/command.ts";
export type { Genesis, Member } from "./peers/membership.ts";
export {
  DEFAULT_REPLICA_LIMITS,
  initialConfiguration,
  type ReplicaLimits,
} from "./replica/options.ts";
export { Replica } from "./replica/replica.ts";
export { readCommandRecord } from "./replica/command-record.ts";
export { restoreSnapshot } from "./replica/snapshot-installer.ts";
export { StateMachine, type ApplyListener } from "./replica/state-machine.ts";
export type {
  PeerPayload,
  SnapshotOffer,
  Transport,
  TransportEvents,
} from "./replica/transport.ts";
export type { UsersProposal } from "./replica/access-state.ts";
export type { AccessPorts } from "./replica/write-check.ts";
export type { WriteClient } from "./replica/write-path.ts";
export type { ProcessFacts } from "./server/edge-context.ts";
export { Argv } from "./resp/argv.ts";
export { accessPorts } from "./start/access-ports.ts";
export { LiveReplicaView } from "./start/live-replica-view.ts";
export { Settings } from "./config/settings.ts";
export { AuthThrottle } from "./security/auth-throttle.ts";
export { Authenticator } from "./security/authenticator.ts";
export { PasswordHasher } from "./security/password-hasher.ts";
export type { Hashing } from "./security/hashing/hashing-service.ts";
export type { ByteStream } from "./server/byte-stream.ts";
export { RespServer } from "./server/server.ts";
export { ChunkPool } from "./resp/chunk-pool.ts";
export { RespReply } from "./resp/encoder.ts";

/** Encodes one payload after the other; what it returns is a copy. */
const writer: FrameWriter = new FrameWriter();

/** A payload as the bytes that would be on the wire. */
export function encodePayload(payload: PeerPayload): Buffer {
  writePayload(writer, payload, 0, payloadBodyBytes(payload));
  return Buffer.concat(writer.take());
}

/** What a receiver makes of the bytes of one frame. */
export function decodePayload(
  bytes: Buffer,
  ends: { readonly from: string; readonly to: string },
): PeerPayload {
  const reader = new FrameReader();
  const payloads: PeerPayload[] = [];
  const decoder = new FrameDecoder(PEER_FRAME_BYTES_MAX_DEFAULT, {
    onFrame: (header, buffer, start, end) => {
      reader.open(buffer, start, end);
      payloads.push(readPayload(header.kind, reader, ends));
    },
  });
  decoder.push(bytes);
  const [payload] = payloads;
  if (payload === undefined) throw new RangeError("these bytes are not one frame");
  return payload;
}
