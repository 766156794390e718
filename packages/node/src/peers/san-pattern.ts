/**
 * Does a name in a certificate match a pattern of peer-allowed-san? Pure.
 *
 *   *.ferrite.svc.cluster.local            a DNS name; `*` is one whole label
 *   spiffe://example.org/ferrite/*         a URI; `*` is one whole label of the host or segment of the path
 *   {name}.ferrite.svc.cluster.local       `{name}` is the node's registered name, wherever it stands
 *
 * The name is compared piece by piece with what a strict parser makes of it. A name that is not in the plain form (an
 * empty or dotted segment, an escape, a query, a port, a wildcard of its own) matches nothing: there is then no second
 * reading of it that somebody else could make.
 */

/** One entry of a certificate's subject alternative names, as it stands in the DER. */
export interface AlternativeName {
  readonly kind: "dns" | "uri";
  readonly value: string;
}

const NAME_PLACEHOLDER = "{name}";

/** A piece that `*` may stand for, and the only form that any piece of a name may have. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
const SEGMENT = /^[A-Za-z0-9._~!$&'()+,;=:@-]+$/;
const SCHEME = /^[a-z][a-z0-9+.-]*$/;
/** The name is what a peer says of itself: one that holds a star or a slash must not become part of a pattern. */
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

interface Pieces {
  readonly scheme: string | null;
  readonly labels: readonly string[];
  readonly segments: readonly string[];
}

/** Whether `name` is one that `pattern` allows for the node `nodeName`. */
export function matchesSanPattern(
  pattern: string,
  name: AlternativeName,
  nodeName: string,
): boolean {
  if (!NODE_NAME.test(nodeName)) return false;
  const wanted = piecesOf(pattern.replaceAll(NAME_PLACEHOLDER, () => nodeName));
  const isUri = wanted.scheme !== null;
  if (isUri !== (name.kind === "uri")) return false;
  const given = piecesOf(name.value);
  return (
    given.scheme === wanted.scheme &&
    isPlain(given) &&
    wanted.labels.length === given.labels.length &&
    wanted.segments.length === given.segments.length &&
    wanted.labels.every((label, i) => label === "*" || label === given.labels[i]) &&
    wanted.segments.every((segment, i) => segment === "*" || segment === given.segments[i])
  );
}

/** The one way to write a name, so that upper and lower case do not make two of one. */
export function canonicalName(name: AlternativeName): string {
  const { scheme, labels, segments } = piecesOf(name.value);
  const host = labels.join(".");
  return scheme === null
    ? `${name.kind}:${host}`
    : `${name.kind}:${[`${scheme}://${host}`, ...segments].join("/")}`;
}

/** True when the pattern says nothing of which node it is, so that what matched has to be remembered for the node. */
export function isAnonymous(pattern: string): boolean {
  return !pattern.includes(NAME_PLACEHOLDER);
}

/** Scheme and host are compared without regard to case, a path is not. */
function piecesOf(text: string): Pieces {
  const at = text.indexOf("://");
  if (at < 0) return { scheme: null, labels: text.toLowerCase().split("."), segments: [] };
  const [authority, ...segments] = text.slice(at + 3).split("/");
  return {
    scheme: text.slice(0, at).toLowerCase(),
    labels: (authority ?? "").toLowerCase().split("."),
    segments,
  };
}

function isPlain({ scheme, labels, segments }: Pieces): boolean {
  return (
    (scheme === null || SCHEME.test(scheme)) &&
    labels.every((label) => LABEL.test(label)) &&
    segments.every((segment) => SEGMENT.test(segment) && segment !== "." && segment !== "..")
  );
}
