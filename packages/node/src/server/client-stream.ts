/**
 * The socket of one client: when it is read, what it may hold, how it ends. What the bytes mean is the concern of
 * `Connection`, which builds on this.
 *
 *   open --> closing (told to go: replies are sent, nothing more is taken) --> finished (our side closed) --> gone
 *      '---> ended (the client closed its side: what it sent is still answered) --^
 */
import type { User, UserTable } from "@ferrite/acl";
import { Decoder } from "../resp/decoder.ts";
import type { ImplicitDefault } from "../access/client-access.ts";
import { ClientState } from "./client-state.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { ClientIdentity } from "./client-state.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { InputBuffer } from "./input-buffer.ts";
import { Output } from "./output.ts";

export abstract class ClientStream extends ClientState {
  readonly host: ConnectionHost;
  /** Bytes that are not decoded yet. */
  protected readonly input: InputBuffer = new InputBuffer();
  protected isClosing = false;
  protected isGone = false;
  readonly #stream: ByteStream;
  /** The socket is not read: too much waits already. */
  #paused = false;
  #ended = false;
  #finished = false;
  /** In the server's list of connections to flush. */
  isDirty = false;
  /** Nothing but what health checks ask is answered: it came without TLS, which is required. */
  mustUseTls = false;
  /** When a closing connection is cut off, Unix ms; 0 while it is not closing. */
  closeDeadlineMs = 0;

  constructor(
    identity: ClientIdentity,
    stream: ByteStream,
    host: ConnectionHost,
    isImplicitDefault: ImplicitDefault,
  ) {
    const output = new Output({
      stream,
      pool: host.pool,
      counters: host.view.counters,
      errors: host.statistics.errorCounts,
      chunkBytes: host.limits.outputChunkBytes,
      bytesMax: () => this.#outputBytesMax(),
    });
    super(
      identity,
      { decoder: new Decoder(host.decoderLimits), output },
      {
        consistency: host.view.defaultConsistency,
        readBoundMs: host.view.defaultReadBoundMs,
        users: host.guard.users(),
        isImplicitDefault,
      },
    );
    this.host = host;
    this.#stream = stream;
    stream.on("end", () => {
      this.#ended = true;
      this.settle();
    });
    stream.on("error", (error) =>
      host.logger.debug({ client: this.id, error: error.message }, "client socket failed"),
    );
    stream.on("close", () => this.#dispose());
  }

  /** No request is waiting for an earlier one. */
  protected abstract readonly nothingPending: boolean;
  /** Decoding stands still for some reason. */
  protected abstract readonly standsStill: boolean;
  /** Writes are on their way. */
  protected abstract readonly hasWritesInFlight: boolean;
  /** Asks for what a stalled request waits for, once all bytes of an event are in. */
  protected abstract askForConfirmation(): void;
  /** Nothing more is taken from this client. */
  protected abstract stopTaking(): void;
  /** The socket is closed. */
  protected abstract onGone(): void;

  override logIn(user: User, users: UserTable): void {
    super.logIn(user, users);
    this.host.loginChanged(this);
  }

  override logInByCertificate(user: User, users: UserTable): void {
    super.logInByCertificate(user, users);
    this.host.loginChanged(this);
  }

  override logOut(users: UserTable): void {
    super.logOut(users);
    this.host.loginChanged(this);
  }

  /** Sends replies, asks for confirmations, applies limits, closes what is to be closed. After each event. */
  protected settle(): void {
    if (this.isGone) return;
    this.askForConfirmation();
    this.output.flush();
    this.#checkOutputLimit();
    if (this.isClosing) {
      if (!this.hasWritesInFlight) this.#finish();
      return;
    }
    this.#checkInputLimit();
    this.#readOrPause();
    if (this.#ended) this.#closeWhenAnswered();
  }

  /** Called by the server for connections marked dirty. */
  flush(): void {
    this.isDirty = false;
    this.settle();
  }

  /** Large replies do not wait for the end of an event, and a client that does not take them is noticed. */
  protected flushWhenLarge(): void {
    const { pendingBytes, hasOverflowed } = this.output.reply;
    if (pendingBytes < this.host.limits.outputChunkBytes && !hasOverflowed) return;
    this.output.flush();
    this.#checkOutputLimit();
  }

  #readOrPause(): void {
    const pause = this.standsStill && this.input.length > this.host.limits.pausedInputBytesMax;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#stream.pause();
    else this.#stream.resume();
  }

  #checkInputLimit(): void {
    if (this.standsStill) return;
    const limit =
      this.user === null
        ? this.host.limits.unauthenticatedInputBytesMax
        : this.host.config().clientQueryBufferBytesMax;
    if (this.input.length <= limit) return;
    this.host.logger.warn(
      { client: this.id, address: this.address, bytes: this.input.length },
      "closing client that reached the query buffer limit",
    );
    this.close(false);
  }

  #outputBytesMax(): number {
    return this.user === null
      ? this.host.limits.unauthenticatedOutputBytesMax
      : this.host.config().clientOutputBufferBytesMax;
  }

  #checkOutputLimit(): void {
    const { hasOverflowed } = this.output.reply;
    const isWithin = this.output.waitingBytes <= this.#outputBytesMax() && !hasOverflowed;
    if (isWithin || this.isGone) return;
    this.host.logger.warn(
      { client: this.id, address: this.address, bytes: this.output.waitingBytes },
      "closing client that does not take its replies",
    );
    this.close(false);
  }

  /** The client sends nothing more; it may still be waiting for answers. */
  #closeWhenAnswered(): void {
    if (this.isBlocked) this.close(false);
    else if (!this.standsStill && this.nothingPending) this.#finish();
  }

  /** See ClientView. Bytes of the client that have not run yet are dropped. */
  close(afterReply: boolean): void {
    if (this.isGone) return;
    if (!afterReply) {
      this.#stream.destroy();
      this.#dispose();
      return;
    }
    if (this.isClosing) return;
    this.isClosing = true;
    this.stopTaking();
    this.input.clear();
    this.#setDeadline();
    this.host.markDirty(this);
  }

  /** Says why this client is not served, and ends the connection behind that. */
  turnAway(errorText: string): void {
    if (this.isGone || this.isClosing) return;
    this.output.reply.error(errorText);
    this.close(true);
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#setDeadline();
    this.output.finish();
    // Nobody reads what the client may still send; unread bytes would keep the socket from closing.
    if (!this.#ended) this.#stream.resume();
  }

  #setDeadline(): void {
    if (this.closeDeadlineMs > 0) return;
    this.closeDeadlineMs = this.host.clock.nowMs() + this.host.limits.closeGraceMs;
  }

  /** Writes on their way go on; nobody hears their answers. */
  #dispose(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.isClosing = true;
    this.stopTaking();
    this.silence();
    this.input.clear();
    this.output.discard();
    this.onGone();
    this.host.removed(this);
  }
}
