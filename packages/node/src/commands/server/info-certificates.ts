/** INFO certificates: what this node shows to others, until when, and whether its files are good. */
import type { CredentialHealth } from "../../certificates/live-credentials.ts";
import type { ServerView } from "../../server/edge-context.ts";
import { certificateDaysLeft } from "../certificate-days.ts";
import type { InfoLine } from "./info-sections.ts";

const SECOND_MS = 1000;

export function certificateLines(server: ServerView): readonly InfoLine[] {
  const nowMs = server.nowMs();
  return server.certificates.health().flatMap((health) => linesOf(health, nowMs));
}

/** Times are Unix seconds, -1 where there is none: what monitors of Redis expect of INFO. */
function linesOf(health: CredentialHealth, nowMs: number): readonly InfoLine[] {
  const { use, refused, reloads } = health;
  const field = (name: string, value: string | number): InfoLine => [`tls_${use}_${name}`, value];
  return [
    field("subject", oneLine(health.subject)),
    field("serial", health.serial),
    field("fingerprint", health.fingerprint),
    field("valid_until", seconds(health.validUntilMs)),
    field("days_left", certificateDaysLeft(health.validUntilMs, nowMs)),
    field("authorities", health.authoritiesUntilMs.length),
    field("authority_valid_until", seconds(health.authoritiesUntilMs[0] ?? null)),
    field("revocation_lists", health.listsUntilMs.length),
    field("revocation_list_next_update", seconds(health.listsUntilMs[0] ?? null)),
    field("generation", health.generation),
    field("reloads", reloads.changed),
    field("reloads_refused", reloads.refused),
    field("refused_since", seconds(refused?.sinceMs ?? null)),
    field("last_reload_error", oneLine(refused?.text ?? "")),
    field("warnings", health.warnings.length),
  ];
}

function seconds(ms: number | null): number {
  return ms === null ? -1 : Math.floor(ms / SECOND_MS);
}

/** A name in a certificate was written by somebody else: it must not make lines of INFO. */
function oneLine(text: string): string {
  return text.replace(/[\r\n\0]+/g, " ");
}
