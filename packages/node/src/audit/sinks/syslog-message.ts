/**
 * A record as a message of RFC 5424, framed for TCP and TLS by its length (RFC 6587 section 3.4.1, RFC 5425 section 4.3):
 *
 *   LENGTH SP <PRI>1 SP TIME SP HOST SP ferrite SP PID SP ACTION SP [ferrite@32473 seq="7" ...] SP BOM {the record}
 *
 * The record itself is the text of the message, byte for byte, so that a collector's copy can be verified; the
 * structured data repeats what collectors filter by.
 */
import type { AuditSeverity } from "../audit-trail.ts";
import type { SealedRecord } from "../chain.ts";
import { timestampText } from "../clock.ts";
import { recordId, type AuditRecord } from "../record.ts";

/** "log audit", RFC 5424 section 6.2.1. */
const FACILITY = 13;

const SEVERITIES: Readonly<Record<AuditSeverity, number>> = {
  alert: 1,
  warning: 4,
  notice: 5,
  info: 6,
};

/** RFC 5612 reserves this enterprise number for use without a registration of one's own. */
const STRUCTURED_DATA_ID = "ferrite@32473";
const BYTE_ORDER_MARK = "\ufeff";

export function syslogFrame({ record, line }: SealedRecord, processId: number): Buffer {
  const priority = FACILITY * 8 + SEVERITIES[record.severity];
  const header = [
    `<${priority}>1`,
    // At most six digits of a second are allowed.
    `${timestampText(record.timestampNanoseconds).slice(0, -4)}Z`,
    headerField(record.nodeName, 255),
    "ferrite",
    String(processId),
    headerField(record.action, 32),
    structuredData(record),
    BYTE_ORDER_MARK,
  ].join(" ");
  const message = Buffer.concat([Buffer.from(header), line.subarray(0, -1)]);
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

/** Printable ASCII without blanks, or "-" for nothing. */
function headerField(text: string, lengthMax: number): string {
  const printable = text.replaceAll(/[^\x21-\x7e]/g, "?").slice(0, lengthMax);
  return printable === "" ? "-" : printable;
}

function structuredData(record: AuditRecord): string {
  const fields: readonly (readonly [string, string | null])[] = [
    ["id", recordId(record)],
    ["seq", String(record.sequence)],
    ["node", record.nodeId],
    ["cluster", record.clusterId],
    ["category", record.category],
    ["outcome", record.outcome],
    ["user", record.user],
    ["addr", record.client?.address ?? null],
    ["command", record.command],
  ];
  const shown = fields.flatMap(([name, value]) =>
    value === null ? [] : [`${name}="${escapeValue(value)}"`],
  );
  return `[${STRUCTURED_DATA_ID} ${shown.join(" ")}]`;
}

/** RFC 5424 section 6.3.3; control characters have no place in a header. */
function escapeValue(text: string): string {
  return (
    text
      .replaceAll(/["\\\]]/g, String.raw`\$&`)
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?")
  );
}
