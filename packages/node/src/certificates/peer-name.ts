/** Whether a certificate is for the node that shows it, asked as the other nodes will ask. */
import type { X509Certificate } from "node:crypto";
import { identityOf } from "../peers/member-identity.ts";
import { certificateNames } from "./certificate-names.ts";

/** A sentence that continues "peer-tls-cert-file PATH ...", or null when it is good. */
export function peerNameProblem(
  certificate: X509Certificate,
  nodeName: string,
  allowedSan: readonly string[],
): string | null {
  const names = certificateNames(certificate);
  if ("malformed" in names) return `has a name that can not be read: ${names.reason}.`;
  const alternativeNames = [
    ...names.dnsNames.map((value) => ({ kind: "dns" as const, value })),
    ...names.uris.map((value) => ({ kind: "uri" as const, value })),
  ];
  const identity = identityOf({
    certificate,
    name: nodeName,
    allowedSan,
    alternativeNames: () => alternativeNames,
  });
  if (identity.kind !== "none") return null;
  const covered = alternativeNames.map(({ value }) => value).join(", ");
  const also = covered === "" ? "it covers no name" : `it covers: ${covered}`;
  return `is not this node's, ${also}. ${identity.text} Make one: ferrite certs node ${nodeName}`;
}
