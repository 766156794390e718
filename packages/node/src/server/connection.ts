/**
 * One client. Bytes come in, requests are decoded where they lie, replies go out in the order of the requests.
 *
 * Writes go to the log at once, several in flight; their replies come back in order through WriteClient. A read behind
 * an unanswered write is put aside (DeferredQueue) and runs in its place, right after that write has been applied here
 * and before the next one is. What can not be put aside stops decoding until it may run: the bytes wait in the
 * InputBuffer, and when too many wait the socket is not read.
 *
 *   bytes -> decode -> write ------------> WritePath -> replyForWrite, writeApplied --.
 *              |                                                  |                    v
 *              +-----> read, nothing before it ------------------ | ---------------> Output -> socket
 *              +-----> read behind a write -> DeferredQueue ------'                    ^
 *              '-----> AUTH, WAIT, linearizable reads: stall, run when all is answered-'
 */
import { auditClient } from "../access/audit-client.ts";
import type { ImplicitDefault } from "../access/client-access.ts";
import { dangerousCommand } from "../audit/events.ts";
import type { CommandSpec, RunnableCommand } from "../commands/command.ts";
import type { WriteClient } from "../replica/write-path.ts";
import { Argv } from "../resp/argv.ts";
import { Decoder, NEED_MORE, PROTOCOL_ERROR } from "../resp/decoder.ts";
import { LOG_LIMITS } from "../resp/limits.ts";
import { encodeMultibulk } from "../resp/multibulk.ts";
import type { Reply } from "../resp/reply.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { ClientIdentity } from "./client-state.ts";
import { UnreadRequestGate } from "../security/unread-request.ts";
import { ClientStream } from "./client-stream.ts";
import {
  ConnectionContext,
  letsWritesPass,
  refusalFor,
  runEdge,
  runRead,
} from "./command-runner.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { needsConfirmation } from "../commands/consistency-levels.ts";
import { looksLikeHttp } from "./cross-protocol.ts";
import { isAnsweredInPlaintext, looksLikeTls, NOT_TLS_HERE, TLS_REQUIRED } from "./plaintext.ts";
import { DeferredQueue } from "./deferred-queue.ts";
import { ReadConfirmation } from "./read-confirmation.ts";
import { noteHttp, notePlaintext } from "./unwelcome.ts";
import { WritesInFlight } from "./writes-in-flight.ts";

/** Why decoding stands still. */
const Stall = {
  /** It does not. */
  None: 0,
  /** Until fewer writes and deferred commands are waiting (`#resumeAt`). */
  Drain: 1,
  /** A linearizable read waits for the leader. */
  Confirm: 2,
  /** A command answers later (WAIT). */
  Command: 3,
  /** Nothing more is taken from this client: it is sent what it has coming. */
  Closing: 4,
} as const;
type Stall = (typeof Stall)[keyof typeof Stall];

/** Shared by all connections: arguments are used up before another request is decoded. */
const sharedArgv = new Argv();
/** Deferred commands run while a request of another connection may be in `sharedArgv`. */
const deferredArgv = new Argv();
const deferredDecoder = new Decoder(LOG_LIMITS);

export class Connection extends ClientStream implements WriteClient {
  readonly #deferred = new DeferredQueue();
  readonly #writes = new WritesInFlight();
  readonly #reads = new ReadConfirmation();
  readonly #context: ConnectionContext;

  #stall: Stall = Stall.None;
  /** Decoding goes on when this many writes and deferred commands are left. */
  #resumeAt = 0;
  #decoding = false;
  #protocolErrorText: string | null = null;
  /** Bytes that are decoded where they were received, without being kept. */
  #lentBytes = 0;
  /** Where the first byte not consumed stands in all that this client ever sent. */
  #consumedBytes = 0;
  #lastCommand: RunnableCommand | null = null;
  #onGone: (() => void) | null = null;

  constructor(
    identity: ClientIdentity,
    stream: ByteStream,
    host: ConnectionHost,
    isImplicitDefault: ImplicitDefault,
  ) {
    super(identity, stream, host, isImplicitDefault);
    this.#context = new ConnectionContext(this, host.view);
    this.decoder.gate = new UnreadRequestGate(host.table, (command) =>
      this.mustUseTls ? TLS_REQUIRED : host.guard.nameRefusal(command, this),
    );
  }

  get lastCommandName(): string {
    return this.#lastCommand?.name ?? "NULL";
  }

  get isBlocked(): boolean {
    return this.#stall === Stall.Command;
  }

  /** Of the user that was allowed to run what is submitted now. */
  get #userId(): number {
    const { user } = this.access;
    if (user === null) throw new Error("invariant: nobody submits nothing");
    return user.id;
  }

  /** Writes are on their way or replies were not sent yet. */
  get waitsForAnswers(): boolean {
    return !this.nothingPending || this.output.waitingBytes > 0;
  }

  /** Silent since before `timeMs` without waiting for anything itself. */
  isIdleSince(timeMs: number): boolean {
    return this.lastInteractionAtMs < timeMs && !this.standsStill && this.nothingPending;
  }

  /** What has come and was not taken yet, with the request that runs now. */
  queryBufferBytes(): number {
    return this.#lentBytes + this.input.length + this.#deferred.usedBytes;
  }

  protected get nothingPending(): boolean {
    return this.#writes.count === 0 && this.#deferred.length === 0;
  }

  protected get standsStill(): boolean {
    return this.#stall !== Stall.None;
  }

  protected get hasWritesInFlight(): boolean {
    return this.#writes.count > 0;
  }

  protected stopTaking(): void {
    this.#stall = Stall.Closing;
  }

  protected onGone(): void {
    this.#deferred.clear();
    const onGone = this.#onGone;
    this.#onGone = null;
    onGone?.();
  }

  // ---- bytes in -------------------------------------------------------------------------------------------------

  /** Takes `bytes[0, length)`, which may be overwritten as soon as this returns. */
  receive(bytes: Buffer, length: number): void {
    if (this.isGone || this.#stall === Stall.Closing) return;
    this.host.view.counters.netInputBytes += length;
    this.lastInteractionAtMs = this.host.clock.nowMs();
    if (this.input.length === 0 && this.#stall === Stall.None) {
      this.#lentBytes = length;
      const position = this.#decode(bytes, 0, length);
      this.#lentBytes = 0;
      if (position < length) {
        this.input.append(bytes, { from: position, to: length }, this.decoder.requiredBytes);
      }
    } else {
      this.input.append(bytes, { from: 0, to: length }, this.decoder.requiredBytes);
      if (this.#stall === Stall.None) this.#decodeInput();
    }
    this.settle();
  }

  #decodeInput(): void {
    const input = this.input;
    if (input.length === 0) return;
    const position = this.#decode(input.bytes, input.start, input.end);
    if (this.#stall === Stall.Closing) input.clear();
    else input.consumeTo(position);
  }

  /** Runs requests of `buffer[from, to)` until one has to wait; returns where the first one not taken starts. */
  #decode(buffer: Buffer, from: number, to: number): number {
    const decoder = this.decoder;
    const argv = sharedArgv;
    let at = from;
    this.#decoding = true;
    while (at < to && this.#stall === Stall.None) {
      const end = decoder.decode(buffer, at, to, argv);
      if (end === NEED_MORE || end === PROTOCOL_ERROR) {
        if (looksLikeTls(buffer, at, to)) this.#onTlsClient();
        else if (end === NEED_MORE) break;
        else this.#onProtocolError(decoder.errorText);
        at = to;
        break;
      }
      const refusal = decoder.refusalText;
      if (refusal === TLS_REQUIRED) this.#refusePlaintext();
      else if (refusal !== null) this.#refuse(refusal);
      else if (argv.count > 0 && !this.#dispatch(buffer, at, end)) break;
      this.#consumedBytes += end - at;
      at = end;
    }
    this.#decoding = false;
    return this.#stall === Stall.Closing ? to : at;
  }

  // ---- one request ----------------------------------------------------------------------------------------------

  /** Runs, submits or puts aside the request in `sharedArgv`; false when it has to stay where it is for now. */
  #dispatch(buffer: Buffer, start: number, end: number): boolean {
    const { table } = this.host;
    const command = table.lookup(sharedArgv);
    if (command === null) {
      if (looksLikeHttp(sharedArgv)) {
        noteHttp(this.host, this);
        // Nothing after its first line may run.
        this.close(false);
        return true;
      }
      if (looksLikeTls(buffer, start, end)) return this.#onTlsClient();
      if (this.mustUseTls) return this.#refusePlaintext();
      return this.#reject(table.resolve(sharedArgv), table.refusal(sharedArgv));
    }
    // Also when it is refused, as in Redis: ACL LOG shows the client as it asked.
    this.#lastCommand = command;
    if (this.mustUseTls && !isAnsweredInPlaintext(command, sharedArgv)) {
      this.host.statistics.of(command).rejectedCalls++;
      return this.#refusePlaintext();
    }
    const refusal = refusalFor(command, sharedArgv, this) ?? this.host.guard.rateRefusal(this);
    if (refusal !== null) return this.#reject(command, refusal);
    switch (command.kind) {
      case "write":
        return this.#submit(command, buffer, start, end);
      case "read":
        if (needsConfirmation(this.consistency)) return this.#readConfirmed(command, end - start);
        break;
      case "edge":
        break;
    }
    if (this.nothingPending) {
      this.#run(command, sharedArgv);
      return true;
    }
    if (!letsWritesPass(command)) return this.#wait(0);
    return this.#putAside(buffer, start, end);
  }

  #submit(command: RunnableCommand, buffer: Buffer, start: number, end: number): boolean {
    const limits = this.host.limits;
    const writes = this.#writes;
    if (writes.count >= limits.writesInFlightMax) return this.#wait(limits.writesInFlightMax >> 1);
    if (writes.count > 0 && writes.bytes + end - start > limits.writeBytesInFlightMax) {
      return this.#wait(0);
    }
    this.#countCommand(command);
    // Before submitting: it may be answered before `submit` returns.
    writes.add(command, end - start);
    const refusal = this.decoder.isInline
      ? this.#submitInline()
      : this.host.writePath.submit(buffer, start, end, this, this.#userId);
    if (refusal === null) {
      this.host.statistics.of(command).calls++;
      return true;
    }
    writes.takeBack(end - start);
    return this.#reject(command, refusal);
  }

  /** What was typed is not RESP: the log gets what it means. */
  #submitInline(): string | null {
    const request = encodeMultibulk(sharedArgv);
    return this.host.writePath.submit(request, 0, request.length, this, this.#userId);
  }

  #readConfirmed(command: RunnableCommand, sizeBytes: number): boolean {
    if (!this.nothingPending) return this.#wait(0);
    if (this.host.writePath.mayReadNow(this.consistency, this.readBoundMs)) {
      this.#run(command, sharedArgv);
      return true;
    }
    if (!this.#reads.covers(this.#consumedBytes + sizeBytes)) {
      this.#stall = Stall.Confirm;
      return false;
    }
    const error = this.#reads.errorText;
    if (error !== null) return this.#reject(command, error);
    this.#run(command, sharedArgv);
    return true;
  }

  #putAside(buffer: Buffer, start: number, end: number): boolean {
    const limits = this.host.limits;
    const deferred = this.#deferred;
    if (
      deferred.length >= limits.deferredCommandsMax ||
      deferred.usedBytes >= limits.deferredBytesMax
    ) {
      return this.#wait(limits.deferredCommandsMax >> 1);
    }
    if (this.decoder.isInline) {
      const request = encodeMultibulk(sharedArgv);
      deferred.pushCommand(this.#writes.added, request, { start: 0, end: request.length });
    } else {
      deferred.pushCommand(this.#writes.added, buffer, { start, end });
    }
    return true;
  }

  /** Does not run a command, and counts that when it is one. */
  #reject(command: CommandSpec | null, text: string): boolean {
    const isOne = command !== null && command.kind !== "container";
    if (isOne) this.host.statistics.of(command).rejectedCalls++;
    return this.#refuse(text);
  }

  /** Answers an error in its place. */
  #refuse(text: string): boolean {
    if (this.nothingPending) {
      this.nextReply().error(text);
      this.flushWhenLarge();
    } else {
      this.#deferred.pushError(this.#writes.added, text);
    }
    return true;
  }

  /** Stops decoding until no more than `count` writes and put-aside commands are left. */
  #wait(count: number): boolean {
    this.#stall = Stall.Drain;
    this.#resumeAt = count;
    return false;
  }

  #run(command: RunnableCommand, argv: Argv): void {
    this.#countCommand(command);
    const context = this.#context;
    context.argv = argv;
    context.command = command;
    this.nextReply();
    if (command.kind === "read") runRead(this.host, context);
    else runEdge(this.host, context);
    this.flushWhenLarge();
  }

  #countCommand(command: RunnableCommand): void {
    this.#lastCommand = command;
    this.host.view.counters.commandsProcessed++;
    if (this.host.audited.has(command)) {
      this.host.view.audit.record(dangerousCommand(auditClient(this), { command: command.name }));
    }
  }

  // ---- answers from the log -------------------------------------------------------------------------------------

  replyForWrite(): Reply {
    this.#writes.beginReply(this.errorCount);
    return this.nextReply();
  }

  writeApplied(index: number): void {
    this.lastWriteIndex = index;
    const failed = this.#writes.endReply(this.errorCount);
    if (failed !== null) this.host.statistics.of(failed).failedCalls++;
    this.#afterWriteAnswered();
  }

  writeDenied(command: RunnableCommand, errorText: string): void {
    this.host.guard.deniedLate(command, errorText, this);
  }

  writeFailed(errorText: string): void {
    const command = this.#writes.fail();
    this.host.statistics.of(command).failedCalls++;
    this.nextReply().error(errorText);
    this.#afterWriteAnswered();
  }

  #afterWriteAnswered(): void {
    if (this.isGone) return;
    this.flushWhenLarge();
    if (this.#deferred.length > 0) this.#runDeferred();
    if (this.#stall === Stall.Drain) this.#resumeWhenDrained();
    this.host.markDirty(this);
  }

  /** Runs what was put aside behind the writes that are answered now. */
  #runDeferred(): void {
    const deferred = this.#deferred;
    while (
      deferred.length > 0 &&
      deferred.headAfterWrite <= this.#writes.answered &&
      !this.isGone
    ) {
      const start = deferred.headStart;
      const end = deferred.headEnd;
      const bytes = deferred.bytes;
      const isError = deferred.headIsError;
      deferred.shift();
      if (isError) {
        this.nextReply().error(bytes.toString("latin1", start, end));
        this.flushWhenLarge();
      } else {
        this.#runPutAside(bytes, start, end);
      }
    }
  }

  #runPutAside(bytes: Buffer, start: number, end: number): void {
    deferredDecoder.decode(bytes, start, end, deferredArgv);
    const command = this.host.table.lookup(deferredArgv);
    if (command === null || command.kind === "write") {
      throw new Error("invariant: only reads and edge commands are put aside");
    }
    // What was allowed when it came may not be any more when it runs.
    const refusal = refusalFor(command, deferredArgv, this);
    if (refusal === null) this.#run(command, deferredArgv);
    else this.nextReply().error(refusal);
  }

  #resumeWhenDrained(): void {
    if (this.#writes.count > this.#resumeAt || this.#deferred.length > this.#resumeAt) return;
    if (this.#protocolErrorText !== null) {
      this.#answerProtocolError(this.#protocolErrorText);
    } else {
      this.#resumeDecoding();
    }
  }

  /** The reason to stand still is gone. Inside `#decode` the loop goes on by itself. */
  #resumeDecoding(): void {
    this.#stall = Stall.None;
    if (!this.#decoding) this.#decodeInput();
    this.host.markDirty(this);
  }

  // ---- commands that answer later -------------------------------------------------------------------------------

  /** See EdgeContext.defer. */
  deferCommand(onGone: () => void): { resume(): void } {
    if (!this.nothingPending) throw new Error("invariant: a command that answers later runs alone");
    this.#stall = Stall.Command;
    this.#onGone = onGone;
    return {
      resume: () => {
        if (this.#onGone !== onGone) return;
        this.#onGone = null;
        if (this.#stall === Stall.Command) this.#resumeDecoding();
        else this.host.markDirty(this);
      },
    };
  }

  protected askForConfirmation(): void {
    if (this.#stall !== Stall.Confirm || this.#reads.inProgress) return;
    this.#reads.begin(this.#consumedBytes + this.input.length);
    this.host.writePath.confirmRead((errorText) => {
      this.#reads.end(errorText);
      if (this.isGone || this.#stall !== Stall.Confirm) return;
      this.#resumeDecoding();
    });
  }

  // ---- requests that end the connection -------------------------------------------------------------------------

  #onProtocolError(text: string): void {
    this.host.view.counters.protocolErrors++;
    this.host.logger.debug({ client: this.id, address: this.address, text }, "protocol error");
    if (this.nothingPending) {
      this.#answerProtocolError(text);
    } else {
      this.#protocolErrorText = text;
      this.#wait(0);
    }
  }

  #answerProtocolError(text: string): void {
    this.#protocolErrorText = null;
    this.nextReply().error(text);
    this.close(true);
  }

  #refusePlaintext(): boolean {
    notePlaintext(this.host, this);
    this.#refuse(TLS_REQUIRED);
    this.close(true);
    return true;
  }

  /** A client began a TLS handshake here. What OpenSSL makes of the answer is "wrong version number", as of any plain port. */
  #onTlsClient(): boolean {
    this.#onProtocolError(NOT_TLS_HERE);
    this.host.saidTlsHere();
    return true;
  }
}
