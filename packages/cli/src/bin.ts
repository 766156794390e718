#!/usr/bin/env node
/** The program `ferrite`: the real world handed to the command line. */
import { hostname } from "node:os";
import { run } from "./program.ts";
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
  environment: process.env,
  workingDirectory: process.cwd(),
  hostname: hostname(),
  version: readVersion(),
  self: { executable: process.execPath, args: [...process.execArgv, script] },
  async startNode(options) {
    const { startNode } = await import("@ferrite/node");
    return startNode(options);
  },
  process,
};

// What a node that failed leaves open must not keep the process alive.
process.exit(await run(process.argv.slice(2), world));
