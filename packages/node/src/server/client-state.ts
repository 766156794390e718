/** What a client has said about itself and how it is to be treated: the part of a connection that commands change. */
import type { Decoder } from "../resp/decoder.ts";
import type { Reply } from "../resp/reply.ts";
import { SilentReply } from "../resp/silent-reply.ts";
import type { ClientView, Consistency } from "./edge-context.ts";
import type { Output } from "./output.ts";

export interface ClientIdentity {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
}

export interface ClientDefaults {
  readonly consistency: Consistency;
  /** Null when a password is needed first. */
  readonly user: string | null;
}

const SILENT: Reply = new SilentReply();

export abstract class ClientState implements ClientView {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
  readonly isUnixSocket = false;
  name = "";
  libraryName = "";
  libraryVersion = "";
  consistency: Consistency;
  noEvict = false;
  noTouch = false;
  lastInteractionAtMs: number;
  lastWriteIndex = 0;
  /** Where the command that runs answers. */
  currentReply: Reply = SILENT;

  protected readonly decoder: Decoder;
  protected readonly output: Output;
  #user: string | null;
  #replyMode: "on" | "off" | "skipNext" = "on";

  constructor(
    identity: ClientIdentity,
    parts: { readonly decoder: Decoder; readonly output: Output },
    defaults: ClientDefaults,
  ) {
    this.id = identity.id;
    this.address = identity.address;
    this.localAddress = identity.localAddress;
    this.connectedAtMs = identity.connectedAtMs;
    this.lastInteractionAtMs = identity.connectedAtMs;
    this.consistency = defaults.consistency;
    this.decoder = parts.decoder;
    this.output = parts.output;
    this.#user = defaults.user;
    this.decoder.authenticated = defaults.user !== null;
  }

  get user(): string | null {
    return this.#user;
  }

  set user(name: string | null) {
    this.#user = name;
    this.decoder.authenticated = name !== null;
  }

  get protocol(): 2 | 3 {
    return this.output.reply.protocol;
  }

  set protocol(version: 2 | 3) {
    this.output.reply.protocol = version;
  }

  get replyMode(): "on" | "off" | "skipNext" {
    return this.#replyMode;
  }

  set replyMode(mode: "on" | "off" | "skipNext") {
    this.#replyMode = mode;
    // CLIENT REPLY ON and RESET are answered themselves.
    if (mode === "on") this.currentReply = this.output.reply;
  }

  /** Errors answered so far. */
  get errorCount(): number {
    return this.output.reply.errorCount;
  }

  outputBufferBytes(): number {
    return this.output.waitingBytes;
  }

  /** Where the next command answers. CLIENT REPLY OFF and SKIP: it runs, its reply goes nowhere. */
  protected nextReply(): Reply {
    if (this.#replyMode === "on") return (this.currentReply = this.output.reply);
    if (this.#replyMode === "skipNext") this.#replyMode = "on";
    return (this.currentReply = SILENT);
  }

  /** Nobody listens any more. */
  protected silence(): void {
    this.#replyMode = "off";
  }

  abstract readonly lastCommandName: string;
  abstract readonly isBlocked: boolean;
  abstract queryBufferBytes(): number;
  abstract close(afterReply: boolean): void;
}
