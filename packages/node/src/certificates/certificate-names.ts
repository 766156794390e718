/**
 * The names in a certificate, read from its DER and only there (S30). The text that Node or OpenSSL makes of names is for
 * people: commas, zero bytes and `DNS:` can stand inside a name, and then the text says what somebody else wanted
 * (CVE-2021-44532, CVE-2021-44533). What can be read in two ways is not read at all: the certificate is malformed.
 *
 *   Name        SEQUENCE of RDN; RDN: SET of AttributeTypeAndValue { OBJECT IDENTIFIER, a string }
 *   SAN         SEQUENCE of GeneralName: [1] e-mail, [2] DNS, [6] URI, each an IA5String
 */
import { certificateContents, type EncodedCertificate } from "./certificate-contents.ts";
import { DerError, elementsOf, DerReader, TAG } from "./der.ts";
import { decodeName, decodePlain } from "./directory-string.ts";
import { NAMES_MAX } from "./limits.ts";

/** 2.5.4.3, as it is encoded. */
const COMMON_NAME = Buffer.from([0x55, 0x04, 0x03]);

const GENERAL_NAME = { email: 0x81, dns: 0x82, uri: 0x86 } as const;

/** Every name of each kind, in the order of the certificate. How many there may be is for whoever uses them to say. */
export interface CertificateNames {
  readonly commonNames: readonly string[];
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly emails: readonly string[];
}

/** The certificate says something that can be understood in more than one way. `reason` is for logs. */
export interface MalformedNames {
  readonly malformed: true;
  readonly reason: string;
}

export function certificateNames(
  certificate: EncodedCertificate,
): CertificateNames | MalformedNames {
  try {
    const { subject, alternativeNames } = certificateContents(certificate);
    const names = { dnsNames: [], uris: [], emails: [], commonNames: commonNames(subject) };
    if (alternativeNames !== null) readAlternativeNames(alternativeNames, names);
    return names;
  } catch (error) {
    return { malformed: true, reason: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * A common name that shares its RDN with another attribute is refused: what it is a name of is then a matter of opinion,
 * and printed forms differ.
 */
function commonNames(subject: Buffer): readonly string[] {
  const found: string[] = [];
  for (const rdn of sequenceOf(subject)) {
    const attributes = rdn.tag === TAG.set ? elementsOf(rdn.content) : [];
    if (attributes.length === 0) throw new DerError("the subject holds an empty part");
    for (const attribute of attributes) {
      if (attribute.tag !== TAG.sequence) throw new DerError("the subject holds no attribute");
      const reader = new DerReader(attribute.content);
      const type = reader.next(TAG.objectIdentifier).content;
      const value = reader.next();
      reader.end();
      if (!type.equals(COMMON_NAME)) continue;
      if (attributes.length > 1) {
        throw new DerError("the common name is one of several values of one part of the subject");
      }
      found.push(decodeName(value));
    }
  }
  if (found.length > NAMES_MAX) throw new DerError(`more than ${NAMES_MAX} common names`);
  return found;
}

interface Collected {
  readonly dnsNames: string[];
  readonly uris: string[];
  readonly emails: string[];
}

function readAlternativeNames(extension: Buffer, names: Collected): void {
  const all = sequenceOf(extension);
  if (all.length > NAMES_MAX) throw new DerError(`more than ${NAMES_MAX} alternative names`);
  for (const { tag, content } of all) {
    if (tag === GENERAL_NAME.dns) names.dnsNames.push(decodePlain(content));
    else if (tag === GENERAL_NAME.uri) names.uris.push(decodePlain(content));
    else if (tag === GENERAL_NAME.email) names.emails.push(decodePlain(content));
  }
}

function sequenceOf(der: Buffer): ReturnType<typeof elementsOf> {
  const reader = new DerReader(der);
  const sequence = reader.next(TAG.sequence);
  reader.end();
  return elementsOf(sequence.content);
}
