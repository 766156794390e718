/** `openssl s_client`: handshakes by somebody else's hands. */
import { spawn } from "node:child_process";
import { findProgram } from "../../../e2e/harness/program.ts";
import type { ClientFiles } from "./authority-room.ts";

const OPENSSL = findProgram("openssl");
/** With CI=true a missing program is a failure, else the tests are skipped. */
export const skipOpenssl: boolean = OPENSSL === null && process.env["CI"] !== "true";
if (skipOpenssl) process.stderr.write("skipped: openssl is not installed\n");

const TIMEOUT_MS = 20_000;

export interface Handshake {
  /** Both streams of the program. */
  readonly text: string;
  readonly exitCode: number | null;
}

export interface HandshakeOptions {
  readonly client?: ClientFiles | null;
  /** Further words, such as `-tls1_2`. */
  readonly words?: readonly string[];
  /** What is sent behind the handshake. Default: a PING and a QUIT, so that the server closes. */
  readonly input?: string;
  /** Input is given to s_client as a person types it: R renegotiates. Ends when the server does, or after `endsWith`. */
  readonly interactive?: RegExp;
}

/** Connects to a port of 127.0.0.1. */
export function sClient(port: number, options: HandshakeOptions = {}): Promise<Handshake> {
  const { client = null, words = [], input = "PING\r\nQUIT\r\n", interactive } = options;
  const files =
    client === null
      ? []
      : ["-cert", client.certFile, "-key", client.keyFile, "-CAfile", client.caFile];
  const mode = interactive === undefined ? ["-ign_eof"] : [];
  return new Promise((resolve, reject) => {
    const child = spawn(
      OPENSSL ?? "openssl",
      ["s_client", "-connect", `127.0.0.1:${port}`, ...mode, ...files, ...words],
      { timeout: TIMEOUT_MS, killSignal: "SIGKILL" },
    );
    let text = "";
    const hear = (bytes: Buffer): void => {
      text += bytes.toString("latin1");
      if (interactive?.test(text) === true) child.stdin.end();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ text, exitCode }));
    // One that was refused does not read.
    child.stdin.on("error", () => undefined);
    child.stdin.write(input);
    if (interactive === undefined) child.stdin.end();
  });
}
