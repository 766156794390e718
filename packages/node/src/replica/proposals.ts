/**
 * This node's stream of writes, from the client's bytes to the moment its batch comes up in apply.
 *
 *   submit ─▶ filling ──seal──▶ waiting ──send──▶ on its way ──apply──▶ answered
 *                                  ▲                  │
 *                                  └── new leader, ───┘
 *                                      gap, refusal
 *
 * Every batch costs all nodes the same, however few writes are in it: while some are on their way, the next gathers until it
 * has as many writes as they have together. So a lone client never waits for others, and with many clients about half of
 * them are in one batch.
 *
 * Batches are numbered in order and sent in order. When the leader changes or a batch got lost, everything that is not applied yet
 * is sent again under the same numbers: apply drops what it has seen (sessions.ts). A write whose time is up is
 * answered by what is known of it: never sent means CLUSTERDOWN (not applied), sent means UNKNOWNOUTCOME. What was
 * sent and given up is not sent again: the stream goes on in a new incarnation, which ends the old one. A batch that
 * this node got applied inside a snapshot never comes up in apply: `jumpTo` answers it.
 */
import { BatchBuilder, BatchKind, renumber } from "./batch.ts";
import type { PeerPayload } from "./transport.ts";
import type { WriteClient } from "./write-path.ts";

type Refusal = Extract<PeerPayload, { readonly kind: "forwardRefused" }>;

export interface ProposalLimits {
  /** Bytes of writes that are not answered yet; beyond it new ones are refused. The last one taken may pass it. */
  readonly queueBytesMax: number;
  /** A batch is closed when it holds this much, so that one entry stays a bounded piece of work. */
  readonly batchBytesMax: number;
  /** One command's bytes. */
  readonly commandBytesMax: number;
  /** Batches on their way at once. */
  readonly inflightBatchesMax: number;
  /** While others are on their way, a batch is gathered for this long at most. */
  readonly gatherMsMax: number;
  /** A batch of this size gathers no more. */
  readonly gatherBytesMax: number;
  /** A write without an outcome for this long is answered with an error. */
  readonly timeoutMs: number;
  /** Batches without an outcome for this long, and the time that large ones take, are sent again. */
  readonly resendAfterMs: number;
}

/** Where a write comes from. */
export interface ProposalSource {
  readonly client: WriteClient;
  readonly nowMs: number;
  readonly userId: number;
  /** Of the users against whom the write was checked. */
  readonly aclRevision: number;
}

export interface OwnBatch {
  /** They never change once `attempts` is above 0. */
  bytes: Buffer;
  readonly clients: WriteClient[];
  readonly sinceMs: number;
  incarnation: number;
  sequence: number;
  /** How often it was handed to a leader and not refused by it. 0 = certainly in nobody's log. */
  attempts: number;
  /** Its bytes are in this node's log: they must not change any more. */
  logged: boolean;
  /** The term in which this node, leading, put it into its log, in its place as far as is known; 0: it did not. */
  placedInTerm: number;
}

/** Hands a batch to the leader (another node or this one). False when it can not be taken now. */
export type SendBatch = (batch: OwnBatch) => boolean;

export class Proposals {
  readonly #nodeBytes: Buffer;
  readonly #limits: ProposalLimits;
  readonly #builder: BatchBuilder = new BatchBuilder(BatchKind.Commands);
  #fillingClients: WriteClient[] = [];
  #fillingSinceMs = 0;
  #fillingAclRevision = 0;
  /** Sealed and not applied, oldest first. */
  #batches: OwnBatch[] = [];
  /** Of `#batches`, how many the present leader was sent. */
  #sent = 0;
  #lastSentAtMs = 0;
  #holdUntilMs = 0;
  #incarnation: number;
  #nextSequence = 1;
  /** Of this incarnation, the newest batch that was applied; 0 at its start. */
  #appliedSequence = 0;
  #queuedBytes = 0;

  /** `incarnation`: higher than any this node has used before (see incarnation.ts). */
  constructor(options: {
    readonly nodeBytes: Buffer;
    readonly incarnation: number;
    readonly limits: ProposalLimits;
  }) {
    this.#nodeBytes = options.nodeBytes;
    this.#incarnation = options.incarnation;
    this.#limits = options.limits;
  }

  /** Under which batches are numbered now. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** Writes that are not answered yet, in bytes. */
  get queuedBytes(): number {
    return this.#queuedBytes + this.#builder.sizeBytes;
  }

  get isIdle(): boolean {
    return this.#batches.length === 0 && this.#builder.count === 0;
  }

  /** Takes a write; an error text when it can not be taken. */
  submit(buffer: Buffer, start: number, end: number, from: ProposalSource): string | null {
    const sizeBytes = end - start;
    if (sizeBytes > this.#limits.commandBytesMax) {
      return `ERR the command is ${sizeBytes} bytes long, a write may have ${this.#limits.commandBytesMax}`;
    }
    // Not what it would become: a write as large as the queue has to get through it, too.
    if (this.queuedBytes >= this.#limits.queueBytesMax) {
      return "CLUSTERDOWN too many writes wait for the cluster (proposal-queue-bytes); this one was not applied";
    }
    if (
      this.#builder.count > 0 &&
      (this.#builder.sizeBytes + sizeBytes > this.#limits.batchBytesMax ||
        // One batch names one revision of the users: under which all in it were checked.
        from.aclRevision !== this.#fillingAclRevision)
    ) {
      this.#seal();
    }
    if (this.#builder.count === 0) {
      this.#fillingSinceMs = from.nowMs;
      this.#fillingAclRevision = from.aclRevision;
    }
    this.#builder.add(buffer, start, end, from.userId);
    this.#fillingClients.push(from.client);
    return null;
  }

  /** Sends what may be sent to the present leader, in order. */
  pump(send: SendBatch, nowMs: number): void {
    while (this.#maySend(nowMs)) {
      if (this.#sent === this.#batches.length) this.#seal();
      const batch = this.#batches[this.#sent];
      if (!send(batch)) return;
      batch.attempts++;
      this.#sent++;
      this.#lastSentAtMs = nowMs;
    }
  }

  /** Since the last `pump` others came to their end, and what has gathered need not wait for more. */
  hasGathered(nowMs: number): boolean {
    return this.#sent === this.#batches.length && this.#maySend(nowMs);
  }

  #maySend(nowMs: number): boolean {
    if (nowMs < this.#holdUntilMs || this.#sent >= this.#limits.inflightBatchesMax) return false;
    return this.#sent < this.#batches.length || this.#isGathered(nowMs);
  }

  #isGathered(nowMs: number): boolean {
    const { count, sizeBytes } = this.#builder;
    if (count === 0) return false;
    const { gatherBytesMax, gatherMsMax } = this.#limits;
    if (sizeBytes >= gatherBytesMax || nowMs - this.#fillingSinceMs >= gatherMsMax) return true;
    let onTheirWay = 0;
    for (let at = 0; at < this.#sent; at++) onTheirWay += this.#batches[at].clients.length;
    return count >= onTheirWay;
  }

  /** Another leader, or a lost link: it has none of what is still open, as far as we know. */
  sendAllAgain(): void {
    this.#sent = 0;
    this.#holdUntilMs = 0;
  }

  /** One came up in apply before its predecessor, and was passed over: it has to come into the log once more. */
  misplaced(): void {
    for (const batch of this.#batches) batch.placedInTerm = 0;
    this.sendAllAgain();
  }

  /** The leader said that it did not append this batch: not before `retryAtMs` it is asked again. */
  refused(refusal: Refusal, retryAtMs: number): void {
    const at = this.#batches.findIndex(
      (batch) => batch.incarnation === refusal.incarnation && batch.sequence === refusal.sequence,
    );
    if (at < 0) return;
    const batch = this.#batches[at];
    // Only the sole attempt's refusal proves that the batch is nowhere.
    if (batch.attempts === 1 && !batch.logged) batch.attempts = 0;
    // What is missing before it may be any of those that were sent before it.
    this.#sent = refusal.reason === "gap" ? 0 : Math.min(this.#sent, at);
    this.#holdUntilMs = retryAtMs;
  }

  /** The batch comes up in apply as the next of its stream: its clients, or null when it is not the oldest open one. */
  take(incarnation: number, sequence: number): readonly WriteClient[] | null {
    const batch = this.#batches[0];
    if (batch === undefined || batch.incarnation !== incarnation || batch.sequence !== sequence)
      return null;
    this.#removeOldest();
    this.#appliedSequence = sequence;
    return batch.clients;
  }

  /**
   * The state was replaced by one in which this incarnation of the stream has come to `sequence`: what is open up to there ran, and its
   * replies were made on other nodes only.
   */
  jumpTo(sequence: number): void {
    while (this.#batches.length > 0 && this.#batches[0].sequence <= sequence) {
      fail(
        this.#removeOldest(),
        "UNKNOWNOUTCOME the write was applied, but this node caught up by a snapshot that does not hold its reply",
      );
    }
    this.#appliedSequence = Math.max(this.#appliedSequence, sequence);
  }

  /** Gives up what waits too long, and sends again what may be lost. */
  tick(nowMs: number): void {
    const oldest = this.#batches[0];
    if (oldest === undefined) {
      if (this.#builder.count > 0 && nowMs - this.#fillingSinceMs >= this.#limits.timeoutMs) {
        this.#seal();
        this.#giveUpUnsent(nowMs);
      }
      return;
    }
    if (nowMs - oldest.sinceMs >= this.#limits.timeoutMs) {
      if (oldest.attempts > 0) this.#giveUpSent();
      this.#giveUpUnsent(nowMs);
      return;
    }
    if (this.#sent > 0 && nowMs - this.#lastSentAtMs >= this.#patienceMs()) this.sendAllAgain();
  }

  /** What is large is long on its way to the leader, to the followers and to their disks: a copy of it would not help. */
  #patienceMs(): number {
    let sentBytes = 0;
    for (let at = 0; at < this.#sent; at++) sentBytes += this.#batches[at].bytes.length;
    return this.#limits.resendAfterMs + Math.floor(sentBytes / OUTCOME_BYTES_PER_MS);
  }

  /** The node stops: everything open is answered. */
  failAll(): void {
    if (this.#builder.count > 0) this.#seal();
    while (this.#batches.length > 0) {
      if (this.#batches[0].attempts > 0) this.#giveUpSent();
      this.#giveUpUnsent(
        Infinity,
        "CLUSTERDOWN this node stops and no leader had taken the write; it was not applied",
      );
    }
  }

  #seal(): void {
    const origin = {
      nodeBytes: this.#nodeBytes,
      incarnation: this.#incarnation,
      sequence: this.#nextSequence++,
      aclRevision: this.#fillingAclRevision,
    };
    const bytes = this.#builder.seal(origin);
    this.#queuedBytes += bytes.length;
    this.#batches.push({
      bytes,
      clients: this.#fillingClients,
      sinceMs: this.#fillingSinceMs,
      incarnation: origin.incarnation,
      sequence: origin.sequence,
      attempts: 0,
      logged: false,
      placedInTerm: 0,
    });
    this.#fillingClients = [];
  }

  #removeOldest(): OwnBatch {
    const batch = this.#batches.shift()!;
    this.#queuedBytes -= batch.bytes.length;
    if (this.#sent > 0) this.#sent--;
    return batch;
  }

  /**
   * Answers what may be in a log as unknown: the oldest batches up to the first that is certainly in none. What
   * follows that one can not be applied any more, sent or not: with the incarnation its predecessor's number ends.
   */
  #giveUpSent(): void {
    let open = this.#batches.findIndex((batch) => batch.attempts === 0);
    if (open < 0) open = this.#batches.length;
    for (; open > 0; open--) {
      fail(
        this.#removeOldest(),
        "UNKNOWNOUTCOME the write was sent but its outcome did not come back; it may have been applied",
      );
    }
    this.#beginIncarnation();
  }

  #giveUpUnsent(
    nowMs: number,
    errorText = `CLUSTERDOWN no leader took the write within ${this.#limits.timeoutMs} ms; it was not applied`,
  ): void {
    let removed = false;
    for (;;) {
      const oldest = this.#batches[0];
      if (oldest === undefined || oldest.attempts > 0) break;
      if (nowMs - oldest.sinceMs < this.#limits.timeoutMs) break;
      removed = true;
      fail(this.#removeOldest(), errorText);
    }
    if (!removed) return;
    // A number that is free may be used again only when nobody has seen one behind it.
    if (this.#batches.some((batch) => batch.attempts > 0)) this.#beginIncarnation();
    else this.#renumber();
  }

  /** Nothing that is still open can be applied under its old number. */
  #beginIncarnation(): void {
    this.#incarnation++;
    this.#appliedSequence = 0;
    for (const batch of this.#batches) {
      if (batch.attempts === 0) continue;
      // Others hold the bytes under their old number.
      batch.bytes = Buffer.from(batch.bytes);
      batch.attempts = 0;
      batch.logged = false;
      batch.placedInTerm = 0;
    }
    this.#renumber();
  }

  /** Closes the numbering: all that is open is in nobody's log, and goes on behind the newest batch that was applied. */
  #renumber(): void {
    let sequence = this.#appliedSequence;
    for (const batch of this.#batches) {
      sequence++;
      batch.incarnation = this.#incarnation;
      batch.sequence = sequence;
      renumber(batch.bytes, batch);
    }
    this.#nextSequence = sequence + 1;
    this.#sent = 0;
  }
}

/** A cluster that is slower than this (16 MiB/s) is sent large batches a second time. */
const OUTCOME_BYTES_PER_MS = 16 * 1024;

/** Answers every client of a batch in order. */
function fail(batch: OwnBatch, errorText: string): void {
  for (const client of batch.clients) client.writeFailed(errorText);
}
