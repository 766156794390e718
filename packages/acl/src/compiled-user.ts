/** A user as the server sees it: what it is, and the check. */
import { Verdict } from "./access-request.ts";
import type { AccessRequest } from "./access-request.ts";
import type { SelectorDescription, User } from "./api.ts";
import type { CatalogueIndex } from "./catalogue-index.ts";
import { CompiledSelector } from "./compiled-selector.ts";
import type { UserDefinition } from "./user-definition.ts";

const MS_PER_SECOND = 1_000;

export class CompiledUser implements User {
  readonly id: number;
  readonly name: string;
  readonly isEnabled: boolean;
  readonly hasNoPassword: boolean;
  readonly passwords: readonly string[];
  readonly sanitizesPayload: boolean;
  readonly expiresAtMs: number;
  readonly clientsMax: number;
  readonly operationsPerSecondMax: number;
  readonly isUnrestricted: boolean;
  /** What the user was compiled from; not to be changed. */
  readonly definition: UserDefinition;
  /** The user's own rules first, then the selectors. */
  readonly compiled: readonly CompiledSelector[];
  readonly #line: string;
  #deniedIndex = 0;

  constructor(id: number, definition: UserDefinition, index: CatalogueIndex) {
    this.id = id;
    this.name = definition.name;
    this.isEnabled = definition.isEnabled;
    this.hasNoPassword = definition.hasNoPassword;
    this.passwords = definition.passwords;
    this.sanitizesPayload = definition.payload !== "skip";
    this.expiresAtMs = definition.expiresAtSeconds * MS_PER_SECOND;
    this.clientsMax = definition.clientsMax;
    this.operationsPerSecondMax = definition.operationsPerSecondMax;
    this.definition = definition;
    this.compiled = [definition.root, ...definition.selectors].map(
      (selector, position) => new CompiledSelector(selector, index, position === 0),
    );
    this.isUnrestricted = this.compiled.some((selector) => selector.isUnrestricted);
    this.#line = definition.line();
  }

  get deniedIndex(): number {
    return this.#deniedIndex;
  }

  flags(): readonly string[] {
    return this.definition.flags();
  }

  selectors(): readonly SelectorDescription[] {
    const { root, selectors } = this.definition;
    return [root, ...selectors].map((selector) => selector.describe());
  }

  describe(): string {
    return this.#line;
  }

  /** One selector has to allow the whole request. Of several denials the highest is told, then the furthest key. */
  check(request: AccessRequest): Verdict {
    if (this.isUnrestricted) return Verdict.Allowed;
    let verdict: Verdict = Verdict.Command;
    let deniedIndex = 0;
    for (let index = 0; index < this.compiled.length; index++) {
      const selector = this.compiled[index];
      const found = selector.check(request);
      if (found === Verdict.Allowed) return found;
      if (found > verdict || (found === verdict && selector.deniedIndex > deniedIndex)) {
        verdict = found;
        deniedIndex = selector.deniedIndex;
      }
    }
    this.#deniedIndex = deniedIndex;
    return verdict;
  }

  mayRun(commandId: number): boolean {
    return this.compiled.some((selector) => selector.mayRun(commandId));
  }

  maySubscribe(channel: Uint8Array, isPattern: boolean): boolean {
    return this.compiled.some((selector) => selector.maySubscribe(channel, isPattern));
  }
}
