/** Asks every member of a cluster the same, at the same time. */
import { CliError } from "../errors.ts";
import {
  decodeStatus,
  ownAddress,
  type MemberReport,
  type NodeReport,
} from "../status/node-report.ts";
import {
  resolveFlags,
  type ConnectionFlags,
  type ResolvedFlags,
} from "../connection/connection-options.ts";
import { memberAddress } from "../connection/member-address.ts";
import type { NodeSession } from "../connection/node-session.ts";
import { withSession } from "../connection/operator-login.ts";
import type { InputPort, World } from "../world.ts";

export interface Member {
  readonly name: string;
  readonly flags: ConnectionFlags;
}

/** A password that was typed or read once is good for every node. */
export function rememberingWorld(world: World): World {
  const input = world.input;
  let typed: Promise<string> | null = null;
  let read: Promise<Buffer> | null = null;
  const remembering: InputPort = {
    isTerminal: input.isTerminal,
    readHidden: (prompt) => (typed ??= input.readHidden(prompt)),
    readAll: () => (read ??= input.readAll()),
  };
  return Object.create(world, { input: { value: remembering } }) as World;
}

/** The members as the first node knows them; it is reached as it was asked, the others at the address they announce. */
export async function findMembers(world: World, flags: ConnectionFlags): Promise<Member[]> {
  const first = resolveFlags(flags);
  const seen = await withSession(world, first, readStatus);
  return seen.members.map((member) => ({
    name: member.name,
    flags: member.id === seen.nodeId ? first : memberFlags(member, seen, first),
  }));
}

async function readStatus(session: NodeSession): Promise<NodeReport> {
  const report = decodeStatus(await session.askOne("FERRITE.STATUS"));
  if (report !== null) return report;
  throw new CliError("unreachable", `${session.where}: this is no Ferrite node of this version`);
}

function memberFlags(
  member: MemberReport,
  seen: NodeReport,
  first: ResolvedFlags,
): ConnectionFlags {
  const { port, tls } = first;
  const address = memberAddress(member.clientAddress, { port, tls, announced: ownAddress(seen) });
  // The name of --sni is that of the node which was asked first.
  const { unixsocket: _socket, sni: _sni, ...rest } = first;
  // A member without an address is asked at a port where nobody listens, and is reported as silent.
  const { host, port: memberPort } = address ?? { host: "0.0.0.0", port: 0 };
  return { ...rest, host, port: memberPort, memberName: member.name };
}

export interface Answers<T> {
  readonly results: readonly { readonly member: Member; readonly result: T }[];
  /** Members that could not be asked, and why: what follows is not complete. */
  readonly silent: readonly string[];
}

export async function askMembers<T>(
  world: World,
  members: readonly Member[],
  work: (session: NodeSession) => Promise<T>,
): Promise<Answers<T>> {
  const results: { member: Member; result: T }[] = [];
  const silent: string[] = [];
  await Promise.all(
    members.map(async (member) => {
      try {
        results.push({ member, result: await withSession(world, member.flags, work) });
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        silent.push(`${member.name}: ${error.message}`);
      }
    }),
  );
  return { results, silent: silent.toSorted() };
}
