/** What a node says of its certificates, and what a person should know of it. */
import type { RespValue } from "../connection/resp-value.ts";
import { number, readFields, text } from "./status-fields.ts";

export interface CertificateReport {
  /** clients, peers or syslog. */
  readonly use: string;
  readonly subject: string;
  readonly serial: string;
  readonly daysLeft: number | null;
  /** Unix ms. */
  readonly validUntilMs: number | null;
  readonly authorityValidUntilMs: number | null;
  readonly listNextUpdateMs: number | null;
  /** Why the files that are there now are not used; null: they are. */
  readonly refused: string | null;
  readonly warnings: readonly string[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** From then on `ferrite status` speaks of it. */
export const WARNING_DAYS = 30;

/** What can not be read is left out: it comes from another version. */
export function decodeCertificates(value: RespValue): readonly CertificateReport[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly RespValue[]).flatMap((entry) => {
    const fields = readFields(entry);
    const use = fields === null ? null : text(fields, "use");
    if (fields === null || use === null) return [];
    const warnings = fields.get("warnings");
    return [
      {
        use,
        subject: text(fields, "subject") ?? "",
        serial: text(fields, "serial") ?? "",
        daysLeft: number(fields, "days_left"),
        validUntilMs: number(fields, "valid_until_ms"),
        authorityValidUntilMs: number(fields, "authority_valid_until_ms"),
        listNextUpdateMs: number(fields, "revocation_list_next_update_ms"),
        refused: text(fields, "refused"),
        warnings: Array.isArray(warnings) ? warnings.map(String) : [],
      },
    ];
  });
}

/** Why the node is not well because of its certificates, or null. */
export function certificateProblem(certificates: readonly CertificateReport[]): string | null {
  const ended = certificates.find(({ daysLeft }) => daysLeft !== null && daysLeft < 0);
  if (ended !== undefined) return `its certificate for ${ended.use} has expired`;
  const refused = certificates.find((certificate) => certificate.refused !== null);
  if (refused === undefined) return null;
  return `new files for ${refused.use} are not used: ${refused.refused ?? ""}`;
}

/** What will be a problem. */
export function certificateWarnings(certificates: readonly CertificateReport[]): string[] {
  return certificates.flatMap((certificate) => {
    const { use, subject, daysLeft } = certificate;
    return [
      ...soonText(`its certificate for ${use} (${subject})`, daysLeft),
      ...soonText(`its authority for ${use}`, authorityDaysLeft(certificate)),
      ...certificate.warnings.map((warning) => `${use}: ${warning}`),
    ];
  });
}

/** Of what has ended there is something stronger to say. */
function soonText(what: string, daysLeft: number | null): string[] {
  if (daysLeft === null || daysLeft < 0 || daysLeft >= WARNING_DAYS) return [];
  return [`${what} has ${daysLeft === 1 ? "1 day" : `${daysLeft} days`} left`];
}

/** By the clock of the node, which has counted the days of its certificate. */
function authorityDaysLeft(certificate: CertificateReport): number | null {
  const { daysLeft, validUntilMs, authorityValidUntilMs } = certificate;
  if (daysLeft === null || validUntilMs === null || authorityValidUntilMs === null) return null;
  return daysLeft + Math.floor((authorityValidUntilMs - validUntilMs) / DAY_MS);
}

/** The soonest end of all, in whole days; null when there are none. */
export function soonestDaysLeft(certificates: readonly CertificateReport[]): number | null {
  const days = certificates.flatMap(({ daysLeft }) => (daysLeft === null ? [] : [daysLeft]));
  return days.length === 0 ? null : Math.min(...days);
}
