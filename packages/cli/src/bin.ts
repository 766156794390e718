#!/usr/bin/env node
/** The program `ferrite`: the real world handed to the command line. */
import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { setFlagsFromString } from "node:v8";
import { run } from "./program.ts";
import { tuneEngine } from "./start/engine.ts";
import { standardInput } from "./terminal/standard-input.ts";
import { chooseStyle } from "./terminal/style.ts";
import { readVersion } from "./version.ts";
import type { World } from "./world.ts";

const isTerminal = process.stdout.isTTY;
const script = process.argv[1] ?? "";

const world: World = {
  print: (line) => void process.stdout.write(`${line}\n`),
  complain: (line) => void process.stderr.write(`${line}\n`),
  style: chooseStyle(process.env, isTerminal),
  isTerminal,
  terminalIsGone: () => isTerminal && !canOpenTerminal(),
  input: standardInput(process.stdin, process.stderr),
  environment: process.env,
  workingDirectory: process.cwd(),
  hostname: hostname(),
  version: readVersion(),
  self: { executable: process.execPath, args: [...process.execArgv, script] },
  async startNode(options) {
    tuneEngine(setFlagsFromString);
    const { startNode } = await import("@ferrite/node");
    return startNode(options);
  },
  process,
};

/** A process whose terminal was closed has none that it could open. */
function canOpenTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    // There is nothing to tell: that it can not be opened is the answer.
    return false;
  }
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  world.complain(
    `ferrite: this is Node.js ${process.versions.node}; 22.12 or newer is needed. "npm start" brings its own.`,
  );
  process.exit(1);
}

// What a node that failed leaves open must not keep the process alive.
process.exit(await run(process.argv.slice(2), world));
