/** Holds one record after the other against the chain. Pure: lines in, the first problem out. */
import { algorithmOf, hashBody, type ChainKey } from "../chain-key.ts";
import { CHAIN_STARTED, NO_HASH, readChainFields, splitLine, type ChainFields } from "../record.ts";
import type { Problem, ProblemKind } from "./findings.ts";
import type { SourceLine } from "./line-source.ts";

export interface Anchor {
  readonly sequence: number;
  readonly hash: string;
}

export interface ChainCheckOptions {
  readonly key: ChainKey | null;
  readonly anchor: Anchor | null;
  /** A chain that was begun anew is a notice and no problem. */
  readonly allowRestarts: boolean;
}

interface Position extends Anchor {
  readonly chain: string;
}

export class ChainCheck {
  readonly #options: ChainCheckOptions;
  readonly notices: string[] = [];
  records = 0;
  nodeId: string | null = null;
  firstSequence: number | null = null;
  #last: Position | null = null;
  #anchorSeen = false;

  constructor(options: ChainCheckOptions) {
    this.#options = options;
  }

  get last(): Anchor | null {
    return this.#last === null ? null : { sequence: this.#last.sequence, hash: this.#last.hash };
  }

  /** What is wrong with this line, or null. Not to be called again after a problem. */
  add(line: SourceLine): Problem | null {
    const split = line.bytes === null ? null : splitLine(line.bytes);
    const fields = line.bytes === null ? null : readChainFields(line.bytes);
    if (split === null || fields === null) {
      return problem("malformed", line, null, "the line is no audit record");
    }
    const wrong =
      this.#checkHash(line, fields, split) ??
      this.#checkPlace(line, fields) ??
      this.#checkAnchor(line, fields.sequence, split.hash);
    if (wrong !== null) return wrong;
    this.records++;
    this.nodeId ??= fields.nodeId;
    this.firstSequence ??= fields.sequence;
    this.#last = { sequence: fields.sequence, hash: split.hash, chain: fields.chain };
    return null;
  }

  /** After the last line: whether the trail reaches what the cluster has witnessed. */
  finish(): Problem | null {
    const { anchor } = this.#options;
    if (anchor === null || this.#anchorSeen) return null;
    const end = this.#last?.sequence ?? 0;
    const text =
      end < anchor.sequence
        ? `the trail ends at record ${end}, but the cluster has witnessed record ${anchor.sequence}`
        : `record ${anchor.sequence}, which the cluster has witnessed, is not in these files`;
    return { kind: "cut", file: null, line: null, sequence: end, text };
  }

  #checkHash(
    line: SourceLine,
    fields: ChainFields,
    split: { readonly body: Buffer; readonly hash: string },
  ): Problem | null {
    const { key } = this.#options;
    const algorithm = algorithmOf(key);
    if (fields.algorithm !== algorithm) {
      const text =
        key === null
          ? `the record is sealed by ${fields.algorithm}: give the key of audit-key-file`
          : "the record is sealed without a key, but a key was given";
      return problem("key", line, fields, text);
    }
    if (hashBody(split.body, key) === split.hash) return null;
    const isFirstOfKey = key !== null && this.records === 0;
    return isFirstOfKey
      ? problem("key", line, fields, "the record was changed, or the key is another one")
      : problem("changed", line, fields, "the record was changed: it does not have its hash");
  }

  #checkPlace(line: SourceLine, fields: ChainFields): Problem | null {
    if (this.nodeId !== null && this.nodeId !== fields.nodeId) {
      return problem("foreign", line, fields, `the record is of another node (${fields.nodeId})`);
    }
    const last = this.#last;
    if (last === null) return this.#checkFirst(line, fields);
    const expected = last.sequence + 1;
    if (fields.sequence < expected) {
      const text = `record ${fields.sequence} stands behind record ${last.sequence}`;
      return problem("order", line, fields, text);
    }
    if (fields.chain !== last.chain) return this.#checkRestart(line, fields, last);
    if (fields.sequence > expected) {
      const missing = fields.sequence - expected;
      const which =
        missing === 1
          ? `record ${expected} is`
          : `records ${expected} to ${fields.sequence - 1} are`;
      return problem("gap", line, fields, `${which} missing before this one`);
    }
    if (fields.prev === last.hash) return null;
    return problem(
      "chain",
      line,
      fields,
      "it does not follow the record before it, which was replaced",
    );
  }

  /** The first of the files need not be the first of the trail: retention removes old ones. */
  #checkFirst(line: SourceLine, fields: ChainFields): Problem | null {
    const isBeginning = fields.action === CHAIN_STARTED && fields.prev === NO_HASH;
    if (isBeginning && fields.sequence === 1) return null;
    if (isBeginning)
      return this.#restarted(line, fields, "an earlier chain that is not in these files");
    if (fields.prev === NO_HASH || fields.sequence === 1) {
      return problem("chain", line, fields, "the first record does not begin a chain");
    }
    this.notices.push(`records before ${fields.sequence} are not in these files`);
    return null;
  }

  #checkRestart(line: SourceLine, fields: ChainFields, last: Position): Problem | null {
    if (fields.action !== CHAIN_STARTED || fields.prev !== NO_HASH) {
      return problem("chain", line, fields, "the record belongs to another chain");
    }
    return this.#restarted(line, fields, `record ${last.sequence}`);
  }

  #restarted(line: SourceLine, fields: ChainFields, after: string): Problem | null {
    const text = `the chain was begun anew after ${after}; the record says why`;
    if (!this.#options.allowRestarts) return problem("restart", line, fields, text);
    this.notices.push(`${line.file}:${line.number}: ${text}`);
    return null;
  }

  #checkAnchor(line: SourceLine, sequence: number, hash: string): Problem | null {
    const { anchor } = this.#options;
    if (anchor === null || anchor.sequence !== sequence) return null;
    this.#anchorSeen = true;
    if (anchor.hash === hash) return null;
    const text = "the cluster has witnessed another record at this place: the trail was rewritten";
    return problem("anchor", line, { sequence }, text);
  }
}

function problem(
  kind: ProblemKind,
  line: SourceLine,
  fields: { readonly sequence: number } | null,
  text: string,
): Problem {
  return { kind, file: line.file, line: line.number, sequence: fields?.sequence ?? null, text };
}
