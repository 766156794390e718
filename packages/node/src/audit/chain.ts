/** The chain of one node: gives every event its sequence, binds it to the record before, and seals it. */
import type { AuditEvent } from "./audit-trail.ts";
import type { ChainHead } from "./chain-head.ts";
import { algorithmOf, hashBody, type ChainKey } from "./chain-key.ts";
import type { AuditClock } from "./clock.ts";
import type { KeyNames } from "./key-names.ts";
import { TEXT_LIMITS } from "./limits.ts";
import { readableText } from "./readable-text.ts";
import { NO_HASH, recordBody, recordLine, type AuditRecord, type RecordClient } from "./record.ts";

/** A record that can not change any more. */
export interface SealedRecord {
  readonly record: AuditRecord;
  readonly hash: string;
  /** With its line end. */
  readonly line: Buffer;
}

export interface ChainIdentity {
  readonly nodeId: string;
  readonly nodeName: string;
  readonly clusterId: string;
}

export interface ChainStart extends ChainHead {
  readonly chain: string;
}

export class Chain {
  readonly #identity: ChainIdentity;
  readonly #key: ChainKey | null;
  readonly #clock: AuditClock;
  readonly #keyNames: KeyNames;
  #chain: string;
  #head: ChainHead;

  /** `start` is what the next record follows. */
  constructor(parts: {
    readonly identity: ChainIdentity;
    readonly key: ChainKey | null;
    readonly clock: AuditClock;
    readonly keyNames: KeyNames;
    readonly start: ChainStart;
  }) {
    this.#identity = parts.identity;
    this.#key = parts.key;
    this.#clock = parts.clock;
    this.#keyNames = parts.keyNames;
    this.#chain = parts.start.chain;
    this.#head = parts.start;
  }

  get head(): ChainHead {
    return this.#head;
  }

  get chain(): string {
    return this.#chain;
  }

  /** What comes next begins a chain of its own, above `sequence`. */
  restart(chain: string, sequence: number): void {
    this.#chain = chain;
    this.#head = { sequence: Math.max(sequence, this.#head.sequence), hash: NO_HASH };
  }

  /** `count`: of how many equal events the record speaks. */
  seal(event: AuditEvent, count = 1): SealedRecord {
    const record = this.#toRecord(event, count);
    const body = recordBody(record, algorithmOf(this.#key), this.#head.hash);
    const hash = hashBody(body, this.#key);
    this.#head = { sequence: record.sequence, hash };
    return { record, hash, line: recordLine(body, hash) };
  }

  #toRecord(event: AuditEvent, count: number): AuditRecord {
    const { client } = event;
    return {
      ...this.#identity,
      sequence: this.#head.sequence + 1,
      timestampNanoseconds: this.#clock.nowNanoseconds(),
      chain: this.#chain,
      category: event.category,
      severity: event.severity,
      action: readableText(event.action, TEXT_LIMITS.action),
      outcome: event.outcome,
      user: capped(event.user ?? client?.user, TEXT_LIMITS.user),
      method: capped(event.method, TEXT_LIMITS.method),
      client: client === undefined ? null : toClient(client),
      command: capped(event.command, TEXT_LIMITS.command),
      ...this.#keyNames.show(event.keys),
      reason: capped(event.reason, TEXT_LIMITS.reason),
      index: wholeNumber(event.index),
      term: wholeNumber(event.term),
      before: capped(event.before, TEXT_LIMITS.change),
      after: capped(event.after, TEXT_LIMITS.change),
      count,
    };
  }
}

function toClient(client: NonNullable<AuditEvent["client"]>): RecordClient {
  return {
    id: wholeNumber(client.id) ?? 0,
    address: readableText(client.address, TEXT_LIMITS.address),
    localAddress: readableText(client.localAddress, TEXT_LIMITS.address),
    name: readableText(client.name, TEXT_LIMITS.clientName),
    isTls: client.isTls,
    certificateFingerprint: capped(client.certificateFingerprint, TEXT_LIMITS.fingerprint),
    certificateSerial: capped(client.certificateSerial, TEXT_LIMITS.serial),
    certificateSubject: capped(client.certificateSubject, TEXT_LIMITS.subject),
  };
}

function capped(text: string | null | undefined, unitsMax: number): string | null {
  return text === undefined || text === null ? null : readableText(text, unitsMax);
}

/** JSON has no NaN and no Infinity. */
function wholeNumber(value: number | undefined): number | null {
  return value !== undefined && Number.isSafeInteger(value) ? value : null;
}
