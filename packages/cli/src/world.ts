/** Everything of the outside that the commands touch, so that tests can put something else in its place. */
import type { NodeHandle, StartNodeOptions } from "@ferrite/node";
import type { Style } from "./terminal/style.ts";

export interface World {
  /** Lines for people and programs: standard output. */
  print(line: string): void;
  /** Lines about what goes wrong: standard error. */
  complain(line: string): void;
  readonly style: Style;
  readonly isTerminal: boolean;
  /** The program was started at a terminal which is closed now: what SIGHUP once was for. */
  terminalIsGone(): boolean;
  readonly input: InputPort;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly hostname: string;
  readonly version: string;
  /** How this program is started again: Node's own arguments and the script. */
  readonly self: { readonly executable: string; readonly args: readonly string[] };
  /** Loaded when a node is really started: `ferrite --help` need not wait for it. */
  startNode(options: StartNodeOptions): Promise<NodeHandle>;
  /** Signals and the link to a parent process. */
  readonly process: ProcessPort;
}

/** What a person types, or another program hands over: standard input. */
export interface InputPort {
  /** A person is there who can be asked. */
  readonly isTerminal: boolean;
  /** Everything up to its end. */
  readAll(): Promise<Buffer>;
  /** A line, asked for by `prompt` and not shown while it is typed. @throws CliError interrupted */
  readHidden(prompt: string): Promise<string>;
}

/** The part of Node's `process` that the commands use. */
export interface ProcessPort {
  on(event: StopSignal, listener: () => void): unknown;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
  off(event: StopSignal, listener: () => void): unknown;
  off(event: "message", listener: (message: unknown) => void): unknown;
  /** Undefined without a parent that listens. */
  readonly send?:
    | ((
        message: unknown,
        handle: undefined,
        options: undefined,
        callback: (error: Error | null) => void,
      ) => boolean)
    | undefined;
  readonly disconnect?: (() => void) | undefined;
  exit(code: number): never;
}

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** The exit status by which a shell tells that a signal ended a program. */
export const SIGNAL_EXIT_CODES: Readonly<Record<StopSignal, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
};
