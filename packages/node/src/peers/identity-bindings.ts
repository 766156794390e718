/**
 * Which certificate name belongs to which member, where a pattern of peer-allowed-san does not say (S31, S32).
 *
 * A pattern such as `spiffe://example.org/ferrite/*` lets every node's certificate in, and by itself would let each of
 * them say that it is any other. So the first name with which a member's link opened is its own for as long as this
 * process lives, one to one: the member may not come with another, and nobody else may come with it.
 */
export class IdentityBindings {
  readonly #sanOf = new Map<string, string>();
  readonly #memberOf = new Map<string, string>();

  /** Why `member` may not be known by `san`, or null. */
  conflict(member: string, san: string): string | null {
    const known = this.#sanOf.get(member);
    if (known !== undefined && known !== san) {
      return (
        `"${member}" was known by the name ${known} of its certificate and now comes with ${san}: ` +
        "one node may not speak for another. Restart this node if the name was changed on purpose."
      );
    }
    const other = this.#memberOf.get(san);
    if (other !== undefined && other !== member) {
      return (
        `The name ${san} of the certificate is that of "${other}", and "${member}" comes with it: ` +
        "every node needs a name of its own in its certificate."
      );
    }
    return null;
  }

  /** Remembers it. To be called only without a conflict. */
  bind(member: string, san: string): void {
    this.#sanOf.set(member, san);
    this.#memberOf.set(san, member);
  }

  /** The member is none any more, or is known by its own name now. */
  forget(member: string): void {
    const san = this.#sanOf.get(member);
    if (san === undefined) return;
    this.#sanOf.delete(member);
    this.#memberOf.delete(san);
  }
}
