/** Sets the membership of a node going: links follow it, changes of it are in the trail, and a removed node stops. */
import type { Logger } from "pino";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { membershipChanged, type MembershipAction } from "../audit/events.ts";
import type { NodeConfig } from "../config/node-config.ts";
import type { Settings } from "../config/settings.ts";
import { FEATURE_LEVEL_MAX } from "../members/feature-level.ts";
import type { MemberChange, MemberRecord } from "../members/member-record.ts";
import { MembershipService } from "../members/membership-service.ts";
import type { Replica } from "../replica/replica.ts";
import { FERRITE_VERSION } from "../server/version.ts";
import { StartError } from "./errors.ts";
import { tlsAddressOf, type ClusterLinks } from "./join-cluster.ts";

/** How often it is looked at whether something is to be announced or asked again. */
const TICK_MS = 200;

const ACTIONS: Readonly<Record<MemberChange["kind"], MembershipAction>> = {
  add: "added",
  remove: "removed",
  replace: "replaced",
  promote: "promoted",
  demote: "demoted",
};

export interface NodeMembershipParts {
  readonly replica: Replica;
  readonly links: ClusterLinks;
  readonly settings: Settings;
  readonly audit: AuditTrail;
  readonly logger: Logger;
  /** The node must stop. */
  removed(error: StartError): void;
}

/** The returned function ends it. */
export function runMembership(parts: NodeMembershipParts): () => void {
  const { replica, links, settings, audit, logger } = parts;
  const service = new MembershipService({
    nodeId: replica.nodeId,
    members: replica.members,
    links: links.members,
    monotonicMs: () => performance.now(),
    self: () => selfRecord(links, settings.current()),
    joinsAnybody: () => settings.current().memberJoin === "auto",
    leads: () => replica.role() === "leader",
    isCaughtUp: () => replica.service.isCaughtUp,
    changeEnded: (change) => {
      logger.info({ change }, "a change of the membership is over");
      audit.record(membershipChanged(auditFacts(change)));
    },
    removed: (text) => parts.removed(new StartError("REMOVED", text)),
  });
  service.start();
  const ticker = setInterval(() => service.tick(), TICK_MS);
  return () => clearInterval(ticker);
}

/** As it is at this start; the addresses those it really listens on. */
function selfRecord({ self }: ClusterLinks, config: NodeConfig): MemberRecord {
  return {
    ...self,
    tlsAddress: tlsAddressOf(config),
    priority: config.memberPriority,
    featureLevel: FEATURE_LEVEL_MAX,
    version: FERRITE_VERSION,
  };
}

function auditFacts(change: MemberChange): Parameters<typeof membershipChanged>[0] {
  const { kind, name, target, replaces, phase, reason } = change;
  const after = target === null ? name : `${change.newcomer ?? name} (${target})`;
  return {
    action: ACTIONS[kind],
    after,
    ...(replaces === null ? {} : { before: `${name} (${replaces})` }),
    ...(phase === "done" ? {} : { refusal: `${phase}: ${reason ?? "no reason is given"}` }),
  };
}
