// @ts-check
import { spawn } from "node:child_process";
import { constants } from "node:os";

/** Two deliveries of one signal (terminal and npm both send it) count as one within this time. */
const SIGNAL_ECHO_MS = 500;
const HEARTBEAT_MS = 15_000;
/** How much of a failed program's output is shown: the reason is at the end. */
const OUTPUT_LINES_MAX = 25;

/** A step of the setup failed; `message` is for the person at the terminal. */
export class SetupError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "SetupError";
    this.code = "ERR_FERRITE_SETUP";
  }
}

/** @param {string} line */
export function progress(line) {
  process.stderr.write(`ferrite: ${line}\n`);
}

/**
 * Runs a program quietly; what it printed is shown only if it fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, what: string }} options
 * @returns {Promise<void>}
 */
export function runQuietly(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    /** @type {Buffer[]} */
    const output = [];
    child.stdout.on("data", (chunk) => output.push(chunk));
    child.stderr.on("data", (chunk) => output.push(chunk));
    const startedMs = Date.now();
    const heartbeat = setInterval(() => {
      const seconds = Math.round((Date.now() - startedMs) / 1000);
      progress(`${options.what}: still at it after ${seconds} s`);
    }, HEARTBEAT_MS);
    child.on("error", (error) => {
      clearInterval(heartbeat);
      reject(new SetupError(`${options.what}: can not run ${command}: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      clearInterval(heartbeat);
      if (code === 0) {
        resolve();
        return;
      }
      const text = Buffer.concat(output).toString("utf8").trimEnd();
      reject(new SetupError(describeFailure(options.what, text, code, signal)));
    });
  });
}

/**
 * Runs a program in the foreground with our own input and output, hands SIGINT, SIGTERM and SIGHUP
 * on to it, and resolves with the exit code that we should end with.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>}
 */
export function runInForeground(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: "inherit",
    });
    const stopForwarding = forwardSignals(child);
    child.on("error", (error) => {
      stopForwarding();
      reject(new SetupError(`can not run ${command}: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      stopForwarding();
      resolve(code ?? 128 + (signal === null ? 1 : constants.signals[signal]));
    });
  });
}

/**
 * A terminal's Ctrl-C reaches every process of the foreground group by itself; sending it again
 * would look like a second, impatient Ctrl-C to the child.
 * @param {import("node:child_process").ChildProcess} child
 * @returns {() => void} ends the forwarding
 */
function forwardSignals(child) {
  /** @type {Map<NodeJS.Signals, number>} */
  const lastSentMs = new Map();
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    const nowMs = Date.now();
    const deliveredByTerminal = signal === "SIGINT" && process.stdin.isTTY;
    if (deliveredByTerminal || nowMs - (lastSentMs.get(signal) ?? 0) < SIGNAL_ECHO_MS) {
      return;
    }
    lastSentMs.set(signal, nowMs);
    child.kill(signal);
  };
  /** @type {readonly NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) {
    process.on(signal, forward);
  }
  return () => {
    for (const signal of signals) {
      process.off(signal, forward);
    }
  };
}

/**
 * @param {string} what
 * @param {string} output
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 * @returns {string}
 */
function describeFailure(what, output, code, signal) {
  const ended = signal === null ? `exit code ${code}` : `signal ${signal}`;
  const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT/.test(
    output,
  );
  const advice = offline
    ? "\nThe npm registry can not be reached. The first run needs it once; " +
      "when all is installed, no network is needed any more."
    : "";
  const tail = output.split("\n").slice(-OUTPUT_LINES_MAX).join("\n");
  return `${what}:\n${tail}\n${what} failed (${ended}).${advice}`;
}
