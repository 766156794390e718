/**
 * acl.conf and requirepass: what a new cluster begins with, and what is carried into a living one only when somebody says
 * so. A file that is wrong stops the start (F50, F52 to F55, F59, F64, F99, D6, D8, S08).
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, afterAll, describe, expect, it } from "vitest";
import { TestCluster, until, type TestClusterOptions } from "../../e2e/harness/cluster.ts";
import { RespError, type RespClient, type RespValue } from "../../e2e/harness/resp-client.ts";

const NODES = [0, 1, 2];
const SETTINGS = { "password-hash-iterations": "1000" };
const DEFAULT_LINE = "user default on nopass ~* &* +@all";
const WRONGPASS = /^WRONGPASS /;

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function userLine(name: string, password: string): string {
  return `user ${name} on #${sha256(password)} ~${name}:* +@all`;
}

function errorText(reply: RespValue): string {
  return reply instanceof RespError ? reply.text : `no error: ${JSON.stringify(reply)}`;
}

function fileOf(cluster: TestCluster, node: number): string {
  return join(cluster.nodes[node].dataDir, "acl.conf");
}

function writeFile(cluster: TestCluster, node: number, lines: readonly string[]): void {
  mkdirSync(cluster.nodes[node].dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(fileOf(cluster, node), `${lines.join("\n")}\n`, { mode: 0o600 });
}

async function mayLogIn(
  cluster: TestCluster,
  node: number,
  name: string,
  password: string,
): Promise<boolean> {
  const client = await cluster.client(node);
  const reply = await client.call("AUTH", name, password);
  client.close();
  if (reply !== "OK") expect(errorText(reply)).toMatch(WRONGPASS);
  return reply === "OK";
}

async function startAll(cluster: TestCluster): Promise<void> {
  for (const node of NODES) cluster.spawn(node);
  await Promise.all(NODES.map((node) => cluster.ready(node)));
}

describe("ACL SAVE and ACL LOAD on one of three nodes", () => {
  let cluster: TestCluster;
  let administrator: RespClient;
  beforeAll(async () => {
    cluster = await TestCluster.start({ settings: SETTINGS });
    administrator = await cluster.client(0);
  });
  afterAll(async () => {
    administrator?.close();
    await cluster?.close();
  });

  it("LOAD without a file says so and changes nothing (F52)", async () => {
    expect(errorText(await administrator.call("ACL", "LOAD"))).toMatch(/^ERR There is no ACL file/);
    expect(await administrator.call("ACL", "USERS")).toEqual(["default"]);
  });

  it("SAVE writes a file of that node that only it may read, sorted, hashed, with nothing left beside it (F50)", async () => {
    for (const name of ["zoe", "adam"]) {
      expect(
        await administrator.call(
          "ACL",
          "SETUSER",
          name,
          "on",
          `>${name}-password`,
          `~${name}:*`,
          "+@all",
        ),
      ).toBe("OK");
    }
    expect(await administrator.call("ACL", "SAVE")).toBe("OK");
    const { mode } = statSync(fileOf(cluster, 0));
    expect(mode & 0o777).toBe(0o600);
    const lines = readFileSync(fileOf(cluster, 0), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("user "));
    expect(lines.map((line) => line.split(" ")[1])).toEqual(["adam", "default", "zoe"]);
    expect(lines[0]).toContain("#pbkdf2-sha256$");
    const beside = readdirSync(cluster.nodes[0].dataDir).filter(
      (name) => name.includes("acl") && name !== "acl.conf",
    );
    expect(beside).toEqual([]);
    expect(existsSync(fileOf(cluster, 1))).toBe(false);
  });

  it("LOAD changes the users of all nodes, ends who is gone everywhere, and leaves the others alone (F99, S08, D8)", async () => {
    const zoe = await cluster.client(2);
    expect(await zoe.call("AUTH", "zoe", "zoe-password")).toBe("OK");
    const adam = await cluster.client(1);
    expect(await adam.call("AUTH", "adam", "adam-password")).toBe("OK");
    const lines = readFileSync(fileOf(cluster, 0), "utf8")
      .split("\n")
      .filter((line) => !line.startsWith("user zoe "));
    writeFileSync(fileOf(cluster, 0), [...lines, userLine("eve", "eve-password"), ""].join("\n"));
    expect(await administrator.call("ACL", "LOAD")).toBe("OK");
    await until("zoe's connection is closed", () => !zoe.isOpen);
    expect(await adam.call("SET", "adam:a", "1")).toBe("OK");
    expect(await administrator.call("ACL", "WHOAMI")).toBe("default");
    for (const node of NODES) {
      expect(await cluster.call(node, "ACL", "USERS")).toEqual(["adam", "default", "eve"]);
      expect(await mayLogIn(cluster, node, "eve", "eve-password")).toBe(true);
      expect(await mayLogIn(cluster, node, "zoe", "zoe-password")).toBe(false);
    }
    adam.close();
  });

  it("LOAD of a file with one bad line, a password in plain, or no default user changes nothing and names the line (F53, F54, F55)", async () => {
    const good = readFileSync(fileOf(cluster, 0));
    const before = await cluster.call(1, "ACL", "LIST");
    for (const [lines, text] of [
      [[DEFAULT_LINE, "user bad on +@nosuchcategory"], /acl\.conf:2: /],
      [["# first", DEFAULT_LINE, "user plain on >secret-in-plain"], /acl\.conf:3: /],
      [[userLine("only", "x")], /default/],
    ] as const) {
      writeFile(cluster, 0, lines);
      const reply = errorText(await administrator.call("ACL", "LOAD"));
      expect(reply).toMatch(/^ERR /);
      expect(reply).toMatch(text);
      expect(reply).not.toContain("secret-in-plain");
      expect(await cluster.call(1, "ACL", "LIST")).toEqual(before);
    }
    writeFileSync(fileOf(cluster, 0), good);
  });

  it("a living cluster is not overruled by the file of a node that starts, which says that it differs", async () => {
    writeFile(cluster, 2, [DEFAULT_LINE, userLine("stale", "stale-password")]);
    const before = await cluster.call(0, "ACL", "LIST");
    await cluster.end(2, "SIGTERM");
    cluster.spawn(2);
    await cluster.ready(2);
    await until("the difference is told", () =>
      cluster.log(2).includes("the ACL file differs from the users of the cluster"),
    );
    for (const node of NODES) expect(await cluster.call(node, "ACL", "LIST")).toEqual(before);
    expect(await mayLogIn(cluster, 2, "stale", "stale-password")).toBe(false);
    expect(cluster.log(2)).not.toContain("stale-password");
  });

  it.each<[string, (file: string) => void, RegExp]>([
    [
      "a line that is none",
      (file) => writeFileSync(file, `${DEFAULT_LINE}\n\nnonsense\n`),
      /acl\.conf:3: /,
    ],
    [
      "a password in plain",
      (file) => writeFileSync(file, `${DEFAULT_LINE}\nuser x on >plain\n`),
      /acl\.conf:2: /,
    ],
    [
      "no default user",
      (file) => writeFileSync(file, `${userLine("x", "x")}\n`),
      /acl\.conf.*default/,
    ],
    [
      "a symbolic link",
      (file) => {
        writeFileSync(`${file}.real`, `${DEFAULT_LINE}\n`, { mode: 0o600 });
        unlinkSync(file);
        symlinkSync(`${file}.real`, file);
      },
      /acl\.conf.*symbolic link/,
    ],
  ])(
    "a node whose file is wrong does not start, and says where: %s (D6, F54, F59, F64)",
    async (_what, spoil, text) => {
      await cluster.end(1, "SIGTERM");
      writeFile(cluster, 1, [DEFAULT_LINE]);
      spoil(fileOf(cluster, 1));
      const logged = cluster.log(1).length;
      const exited = new Promise<number | null>((resolve) =>
        cluster.spawn(1).once("exit", resolve),
      );
      expect(await exited).not.toBe(0);
      expect(cluster.log(1).slice(logged)).toMatch(text);
      // The others serve, and so does this one when the file is gone.
      expect(await administrator.call("SET", "serving", "1")).toBe("OK");
      unlinkSync(fileOf(cluster, 1));
      cluster.spawn(1);
      await cluster.ready(1);
      expect(await cluster.call(1, "ACL", "USERS")).toEqual(["adam", "default", "eve"]);
    },
  );
});

describe("a new cluster", () => {
  let cluster: TestCluster | null = null;
  afterEach(async () => {
    await cluster?.close();
    cluster = null;
  });

  async function prepared(options: TestClusterOptions = {}): Promise<TestCluster> {
    cluster = await TestCluster.prepare({ settings: SETTINGS, ...options });
    return cluster;
  }

  it("takes its first users from the file of one node, with the passwords that Redis has hashed (F99, S15)", async () => {
    const seeded = await prepared();
    writeFile(seeded, 1, ["user default off nopass", userLine("first", "first-password")]);
    await startAll(seeded);
    for (const node of NODES) {
      await until(
        "the users are there",
        async () => await mayLogIn(seeded, node, "first", "first-password"),
      );
      expect(errorText(await seeded.call(node, "GET", "a"))).toMatch(/^NOAUTH /);
    }
  });

  it("takes them from one of several files, whichever was first; the other nodes tell that theirs differ", async () => {
    const seeded = await prepared();
    for (const node of NODES) {
      writeFile(seeded, node, [
        DEFAULT_LINE,
        userLine("shared", "shared-password"),
        userLine(`own${node}`, "own-password"),
      ]);
    }
    await startAll(seeded);
    const users = (await seeded.call(0, "ACL", "USERS")) as readonly string[];
    const winner = NODES.find((node) => users.includes(`own${node}`))!;
    for (const node of NODES) {
      expect(await seeded.call(node, "ACL", "USERS")).toEqual([
        "default",
        `own${winner}`,
        "shared",
      ]);
      expect(await mayLogIn(seeded, node, "shared", "shared-password")).toBe(true);
      if (node === winner) continue;
      await until("the difference is told", () =>
        seeded.log(node).includes("the ACL file differs from the users of the cluster"),
      );
    }
    expect(seeded.log(winner)).not.toContain("the ACL file differs");
  });

  it("takes requirepass from one node, whichever was first; others tell that theirs differs, and none of them says which", async () => {
    const seeded = await prepared({
      environmentOf: (name) => ({ FERRITE_REQUIREPASS: `password-of-${name}` }),
    });
    await startAll(seeded);
    const winners: number[] = [];
    for (const node of NODES) {
      if (await mayLogIn(seeded, 0, "default", `password-of-node${node + 1}`)) winners.push(node);
    }
    expect(winners).toHaveLength(1);
    for (const node of NODES) {
      expect(errorText(await seeded.call(node, "GET", "a"))).toMatch(/^NOAUTH /);
      expect(await mayLogIn(seeded, node, "default", `password-of-node${winners[0] + 1}`)).toBe(
        true,
      );
      expect(seeded.log(node)).not.toContain("password-of-");
      if (node === winners[0]) continue;
      await until("the difference is told", () =>
        seeded.log(node).includes("requirepass differs from the default user's password"),
      );
    }
  });

  it("is not formed by nodes of which one has a wrong file, and forms when it is right (D6, F64)", async () => {
    const seeded = await prepared();
    writeFile(seeded, 0, [DEFAULT_LINE, "user broken on +nosuchcommand"]);
    for (const node of [1, 2]) seeded.spawn(node);
    const exited = new Promise<number | null>((resolve) => seeded.spawn(0).once("exit", resolve));
    expect(await exited).not.toBe(0);
    expect(seeded.log(0)).toMatch(/acl\.conf:2: /);
    writeFile(seeded, 0, [DEFAULT_LINE, userLine("mended", "mended-password")]);
    seeded.spawn(0);
    await Promise.all(NODES.map((node) => seeded.ready(node)));
    await until(
      "the users are there",
      async () => await mayLogIn(seeded, 1, "mended", "mended-password"),
    );
  });
});
