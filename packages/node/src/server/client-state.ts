/** What a client has said about itself and how it is to be treated: the part of a connection that commands change. */
import type { User, UserTable } from "@ferrite/acl";
import { ClientAccess } from "../access/client-access.ts";
import type { ImplicitDefault } from "../access/client-access.ts";
import type { ClientOrigin } from "../security/client-origin.ts";
import type { Decoder } from "../resp/decoder.ts";
import type { Reply } from "../resp/reply.ts";
import { SilentReply } from "../resp/silent-reply.ts";
import { MutedReply } from "./counting-reply.ts";
import type { ClientTls } from "./client-tls.ts";
import type { Consistency } from "../commands/consistency-levels.ts";
import type { ClientView } from "./edge-context.ts";
import type { Output } from "./output.ts";

export interface ClientIdentity {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
  readonly origin: ClientOrigin;
  readonly tls: ClientTls | null;
}

export interface ClientDefaults {
  readonly consistency: Consistency;
  readonly readBoundMs: number;
  readonly users: UserTable;
  /** Whether the client may act as the default user without logging in. */
  readonly isImplicitDefault: ImplicitDefault;
}

const SILENT: Reply = new SilentReply();

export abstract class ClientState implements ClientView {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
  readonly origin: ClientOrigin;
  readonly tls: ClientTls | null;
  name = "";
  libraryName = "";
  libraryVersion = "";
  consistency: Consistency;
  readBoundMs: number;
  noEvict = false;
  noTouch = false;
  lastInteractionAtMs: number;
  lastWriteIndex = 0;
  /** Where the command that runs answers. */
  currentReply: Reply = SILENT;

  protected readonly decoder: Decoder;
  protected readonly output: Output;
  /** As whom it acts. */
  readonly access: ClientAccess;
  #replyMode: "on" | "off" | "skipNext" = "on";
  /** Where it answers while its replies are off; made when that is first wanted. */
  #muted: Reply | null = null;

  constructor(
    identity: ClientIdentity,
    parts: { readonly decoder: Decoder; readonly output: Output },
    defaults: ClientDefaults,
  ) {
    this.id = identity.id;
    this.address = identity.address;
    this.localAddress = identity.localAddress;
    this.connectedAtMs = identity.connectedAtMs;
    this.origin = identity.origin;
    this.tls = identity.tls;
    this.lastInteractionAtMs = identity.connectedAtMs;
    this.consistency = defaults.consistency;
    this.readBoundMs = defaults.readBoundMs;
    this.decoder = parts.decoder;
    this.output = parts.output;
    this.access = new ClientAccess(defaults.isImplicitDefault);
    this.usersChanged(defaults.users);
  }

  get user(): string | null {
    return this.access.user?.name ?? null;
  }

  logIn(user: User, users: UserTable): void {
    this.access.logIn(user, users);
    this.decoder.authenticated = this.access.user !== null;
  }

  /** As `logIn`, by the connection's certificate: RESET comes back to it. */
  logInByCertificate(user: User, users: UserTable): void {
    this.access.logInByCertificate(user, users);
    this.decoder.authenticated = this.access.user !== null;
  }

  logOut(users: UserTable): void {
    this.access.logOut(users);
    this.decoder.authenticated = this.access.user !== null;
  }

  /** The users are different ones now, or what makes a client the default user is. */
  usersChanged(users: UserTable): void {
    this.access.refresh(users);
    this.decoder.authenticated = this.access.user !== null;
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
    return (this.currentReply = this.#muted ??= new MutedReply(this.output.reply));
  }

  /** Nobody listens any more. */
  protected silence(): void {
    this.#replyMode = "off";
    this.#muted = SILENT;
  }

  abstract readonly lastCommandName: string;
  abstract readonly isBlocked: boolean;
  abstract queryBufferBytes(): number;
  abstract close(afterReply: boolean): void;
}
