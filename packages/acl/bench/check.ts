/**
 * Micro benchmark of the check: `node --conditions=@ferrite/source packages/acl/bench/check.ts [checks]`.
 *
 * Prints ns per check and bytes allocated per check, as the median of rounds that alternate between the users, and the
 * time to compile a user and to restore a table. Numbers of a shared machine: compare runs that alternate.
 */
import { performance } from "node:perf_hooks";
import { KeyAccess } from "../src/access-request.ts";
import type { AccessRequest } from "../src/access-request.ts";
import type { User } from "../src/api.ts";
import type { CommandCatalogue, CommandEntry } from "../src/catalogue.ts";
import { createUserTable } from "../src/user-table.ts";

const ROUNDS = 7;
const COMMANDS = 400;
const NS_PER_MS = 1e6;
const checks = Number(process.argv[2] ?? 3_000_000);

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** As many commands as Redis has, sub-commands counted. */
function catalogue(): CommandCatalogue {
  const commands = Array.from({ length: COMMANDS }, (_, id): CommandEntry => {
    const categories = [id % 3 === 0 ? "read" : "write", id % 5 === 0 ? "slow" : "fast"];
    return { id, name: `c${id}`, categories, subcommands: [], isNoAuth: id === 1 };
  });
  const byName = new Map(commands.map((command) => [command.name, command]));
  return {
    size: COMMANDS,
    commands,
    categories: ["read", "write", "fast", "slow"],
    find: (name) => byName.get(name),
  };
}

const KEY = "app:user:0000000123";

function requestFor(commandId: number): AccessRequest {
  const buffer = Buffer.from(`c${commandId} ${KEY}`);
  return {
    commandId,
    buffer,
    firstArgumentStart: buffer.length - KEY.length,
    firstArgumentEnd: buffer.length,
    keyCount: 1,
    keyStarts: Int32Array.of(buffer.length - KEY.length),
    keyEnds: Int32Array.of(buffer.length),
    keyAccess: Uint8Array.of(KeyAccess.Read),
    channelCount: 0,
    channelStarts: new Int32Array(0),
    channelEnds: new Int32Array(0),
    channelsArePatterns: false,
  };
}

const table = createUserTable(catalogue());

function userWith(name: string, ...rules: string[]): User {
  const outcome = table.setUser(name, ["on", "nopass", ...rules], 0);
  const user = table.get(name);
  if (!outcome.ok || user === undefined) throw new Error(`${name} could not be made`);
  return user;
}

const others = Array.from({ length: 19 }, (_, number) => `~other${number}:*`);
const users: readonly (readonly [string, User])[] = [
  ["default user", userWith("all", "~*", "&*", "+@all")],
  ["~app:*", userWith("prefix", "~app:*", "+@read")],
  ["~*:user:*[0-9]", userWith("glob", "~*:user:*[0-9]", "+@read")],
  ["20 patterns, the last matches", userWith("many", ...others, "~app:*", "+@read")],
  [
    "5 selectors, the last allows",
    userWith("selectors", "(~a +c0)", "(~b +c3)", "(~c +@write)", "(~app:* +@read)"),
  ],
  ["denied command", userWith("denied", "~app:*", "+@write")],
];

function nanosecondsPerCheck(user: User, request: AccessRequest): number {
  let sum = 0;
  const startedAtMs = performance.now();
  for (let index = 0; index < checks; index++) sum += user.check(request);
  const elapsedMs = performance.now() - startedAtMs;
  if (sum < 0) throw new Error("unreachable, but keeps the loop");
  return (elapsedMs * NS_PER_MS) / checks;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1];
}

const request = requestFor(3);
for (const [, user] of users) nanosecondsPerCheck(user, request);
const heapBefore = process.memoryUsage().heapUsed;
const times = users.map((): number[] => []);
for (let round = 0; round < ROUNDS; round++) {
  for (const [index, [, user]] of users.entries()) {
    times[index].push(nanosecondsPerCheck(user, request));
  }
}
const heapGrowth = process.memoryUsage().heapUsed - heapBefore;
for (const [index, [name]] of users.entries()) {
  print(`${median(times[index]).toFixed(1).padStart(8)} ns  ${name}`);
}
const allChecks = checks * ROUNDS * users.length;
print(`${(heapGrowth / allChecks).toFixed(4).padStart(8)} bytes allocated per check`);

const compileStartedAtMs = performance.now();
for (let number = 0; number < 9_000; number++) {
  userWith(`user${number}`, `~app:${number}:*`, "+@read", "+@write", "-c7", "&x");
}
const compiledMs = performance.now() - compileStartedAtMs;
print(`${((compiledMs * 1_000) / 9_000).toFixed(1).padStart(8)} us to set a user`);
const record = table.record();
const restoreStartedAtMs = performance.now();
createUserTable(catalogue()).restore(record);
print(
  `${(performance.now() - restoreStartedAtMs).toFixed(0).padStart(8)} ms to restore ${record.users.length} users`,
);
