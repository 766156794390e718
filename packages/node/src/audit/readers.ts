/**
 * Who reads the trail is worth knowing, but not for every page: a record of each reading would be the next thing to read,
 * and whoever follows the trail would follow only itself.
 */
import type { AuditClient } from "./audit-trail.ts";
import { READERS_MAX } from "./limits.ts";

export class Readers {
  readonly #known = new Set<string>();

  /** True for the first reading of a connection as a user; the longest known are forgotten. */
  isNew(reader: Pick<AuditClient, "id" | "user">): boolean {
    const key = `${reader.id} ${reader.user ?? ""}`;
    if (this.#known.has(key)) return false;
    if (this.#known.size >= READERS_MAX) {
      for (const oldest of this.#known) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.add(key);
    return true;
  }
}
