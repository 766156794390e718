import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bootUsers } from "../../src/access/boot-users.ts";
import { HashingUnavailable } from "../../src/access/password-work.ts";
import {
  aclFile,
  applyProposal,
  catalogue,
  CheapPasswords,
  CollectingLogger,
  FakeState,
  NOW_MS,
  sha256,
} from "./access-fixtures.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const OPEN = "user default on nopass ~* &* +@all";
const LOCKED = "user default off";

class Boot {
  readonly state = new FakeState();
  readonly passwords = new CheapPasswords();
  readonly logger = new CollectingLogger();
  readonly stop = new AbortController();
  readonly path: string = join(temporaryDirectory(), "acl.conf");
  requirepass = "";

  /** The lines of the file that is there at the start. */
  file(...lines: readonly string[]): this {
    writeFileSync(this.path, lines.join("\n"), { mode: 0o600 });
    return this;
  }

  /** Makes the cluster one that lives: somebody has changed users before. */
  living(...rules: readonly string[]): this {
    const proposal = { kind: "set", name: "bob", rules } as const;
    expect(applyProposal(this.state.table, proposal)).toMatchObject({ ok: true });
    return this;
  }

  run(): Promise<void> {
    return bootUsers({
      state: this.state,
      file: aclFile(this.path, this.state.table, this.passwords),
      catalogue,
      passwords: this.passwords,
      requirepass: this.requirepass,
      logger: this.logger,
      signal: this.stop.signal,
    });
  }

  /** Resolves when the comparison that goes on behind the start has ended. */
  async compared(): Promise<void> {
    await this.run();
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
  }

  get lines(): string[] {
    return this.state.table.all().map((user) => user.describe());
  }
}

describe("A new cluster", () => {
  test("without a file and without requirepass keeps the default user as it is", async () => {
    const boot = new Boot();
    await boot.run();
    expect(boot.state.proposals).toEqual([]);
    expect(boot.state.table.revision).toBe(0);
  });

  test("gets the users of the file, all of them", async () => {
    const boot = new Boot().file(LOCKED, "user bob on nopass ~app:* +@read");
    await boot.run();
    expect(boot.lines).toEqual([
      "user bob on nopass ~app:* resetchannels -@all +@read",
      "user default off resetchannels -@all",
    ]);
    expect(boot.logger.lines).toEqual([]);
  });

  test("takes the passwords of a Redis file over, hashed", async () => {
    const boot = new Boot().file(OPEN, `user bob on #${sha256("pw")}`);
    await boot.run();
    const [stored] = boot.state.table.get("bob")?.passwords ?? [];
    expect(await boot.passwords.verify(Buffer.from(sha256("pw"), "hex"), stored)).toBe(true);
    expect(JSON.stringify(boot.state.proposals)).not.toContain(sha256("pw"));
  });

  test("gets the default user's password from requirepass", async () => {
    const boot = new Boot();
    boot.requirepass = "päss";
    await boot.run();
    expect(boot.lines).toEqual([
      expect.stringMatching(/^user default on #pbkdf2-sha256\$\S+ ~\* &\* \+@all$/),
    ]);
    const [stored] = boot.state.table.get("default")?.passwords ?? [];
    expect(await boot.passwords.verify(Buffer.from(sha256("päss"), "hex"), stored)).toBe(true);
  });

  test("prefers the file to requirepass, and says so", async () => {
    const boot = new Boot().file(`user default on #${sha256("other")} ~* +@all`);
    boot.requirepass = "pw";
    await boot.run();
    expect(boot.logger.messages("warn")).toEqual([
      "requirepass is not used: the ACL file says who the default user is",
    ]);
  });

  test("(D6) does not start when requirepass is set and the file lets everybody in", async () => {
    const boot = new Boot().file("# users", OPEN);
    boot.requirepass = "pw";
    await expect(boot.run()).rejects.toMatchObject({
      code: "ACL_FILE_REFUSED",
      message:
        `${boot.path}:2: the default user needs no password here (nopass), but requirepass is set; ` +
        "take one of the two away",
    });
    expect(boot.state.proposals).toEqual([]);
  });

  test("a password after nopass is no contradiction to requirepass", async () => {
    const boot = new Boot().file(`user default on nopass #${sha256("pw")} ~* +@all`);
    boot.requirepass = "pw";
    await boot.run();
    expect(boot.state.table.get("default")?.hasNoPassword).toBe(false);
  });

  test("waits for the cluster as long as it does not agree", async () => {
    const boot = new Boot().file(LOCKED);
    boot.state.errors.push("CLUSTERDOWN no leader is known", "UNKNOWNOUTCOME the leader was lost");
    await boot.run();
    expect(boot.state.proposals).toHaveLength(3);
    expect(boot.lines).toEqual(["user default off resetchannels -@all"]);
  });

  test("waits until this node knows the users of the cluster", async () => {
    const boot = new Boot().file(LOCKED);
    boot.state.refusal = "LOADING this node starts";
    const started = boot.run();
    await new Promise((resolve) => setImmediate(resolve));
    expect(boot.state.proposals).toEqual([]);
    boot.state.refusal = null;
    await started;
    expect(boot.state.proposals).toHaveLength(1);
  });

  test("ends waiting when the node stops", async () => {
    const boot = new Boot().file(LOCKED);
    boot.state.refusal = "LOADING this node starts";
    const started = boot.run();
    boot.stop.abort(new Error("stopped"));
    await expect(started).rejects.toThrow("stopped");
  });

  test("does not start when the cluster refuses its users", async () => {
    const boot = new Boot().file(LOCKED);
    boot.state.errors.push("ERR User 1 of the list: no such command");
    await expect(boot.run()).rejects.toMatchObject({
      code: "USERS_NOT_SEEDED",
      message: `${boot.path}: User 1 of the list: no such command`,
    });
  });

  test("keeps the users of the node that was first, and reports what differs", async () => {
    const boot = new Boot().file(OPEN, "user mine on");
    boot.state.meanwhile = (table) =>
      void table.seed(["user default off", "user theirs on"], NOW_MS);
    await boot.compared();
    expect(boot.lines).toEqual([
      "user default off resetchannels -@all",
      "user theirs on resetchannels -@all",
    ]);
    expect(boot.logger.lines).toEqual([
      expect.objectContaining({
        level: "warn",
        fields: { different: ["default"], onlyInFile: ["mine"], onlyInCluster: ["theirs"] },
      }),
    ]);
  });
});

describe("A file that is wrong stops the start", () => {
  test.each<[string, (boot: Boot) => void]>([
    ["a new cluster", () => undefined],
    ["a cluster that has users already", (boot) => void boot.living("on")],
  ])("(F64) (D6) in %s, with the line", async (_name, prepare) => {
    const boot = new Boot().file(LOCKED, "user bob on >sesame");
    prepare(boot);
    const before = boot.lines;
    await expect(boot.run()).rejects.toMatchObject({
      code: "ACL_FILE_REFUSED",
      message: `${boot.path}:2: plaintext passwords (> and <) are not allowed in ACL files, use #<hash>`,
    });
    expect(boot.lines).toEqual(before);
    expect(boot.state.proposals).toEqual([]);
  });

  test("(F64) before anything is waited for", async () => {
    const boot = new Boot().file("garbage");
    boot.state.refusal = "LOADING this node starts";
    await expect(boot.run()).rejects.toThrow(
      "acl.conf:1: the line does not begin with 'user <name>'",
    );
  });
});

describe("A living cluster", () => {
  test("is never overruled by a file, which is reported when it differs", async () => {
    const boot = new Boot().living("on", "+get").file(OPEN, "user bob on +set");
    await boot.compared();
    expect(boot.state.proposals).toEqual([]);
    expect(boot.state.table.get("bob")?.describe()).toBe("user bob on resetchannels -@all +get");
    expect(boot.logger.lines).toEqual([
      {
        level: "warn",
        fields: { different: ["bob"], onlyInFile: [], onlyInCluster: [] },
        message: expect.stringContaining("ACL LOAD takes the file over"),
      },
    ]);
  });

  test("is silent about a file that says the same in other words", async () => {
    const boot = new Boot()
      .living("on", "~*", "+get")
      .file(OPEN, "user bob on +@all -@all allkeys +GET");
    await boot.compared();
    expect(boot.logger.lines).toEqual([]);
  });

  test("is silent about a Redis file with the same passwords, and reports another password", async () => {
    const boot = new Boot();
    const stored = await boot.passwords.hash(Buffer.from(sha256("pw"), "hex"));
    boot.living("on", `#${stored}`).file(OPEN, `user bob on #${sha256("pw")}`);
    await boot.compared();
    expect(boot.logger.lines).toEqual([]);
    boot.file(OPEN, `user bob on #${sha256("other")}`);
    await boot.compared();
    expect(boot.logger.lines[0]?.fields).toMatchObject({ different: ["bob"] });
  });

  test("names only some of many, and no rules or passwords", async () => {
    const boot = new Boot().living("on");
    const users = Array.from(
      { length: 30 },
      (_, index) => `user u${index + 10} #${sha256("secret")}`,
    );
    boot.file(OPEN, "user bob on", ...users);
    await boot.run();
    await boot.logger.next();
    const shown = Array.from({ length: 10 }, (_, index) => `u${index + 10}`);
    expect(boot.logger.lines[0].fields["onlyInFile"]).toEqual([...shown, "and 20 more"]);
    expect(JSON.stringify(boot.logger.lines)).not.toContain(sha256("secret"));
  });

  test("reports a requirepass that is not the default user's password", async () => {
    const boot = new Boot().living("on");
    boot.requirepass = "pw";
    await boot.compared();
    expect(boot.logger.messages("warn")).toEqual([
      expect.stringContaining("requirepass differs from the default user's password"),
    ]);
    const stored = await boot.passwords.hash(Buffer.from(sha256("pw"), "hex"));
    boot.state.table.setUser("default", ["resetpass", `#${stored}`], NOW_MS);
    await boot.compared();
    expect(boot.logger.lines).toHaveLength(1);
  });

  test("starts without the comparison when the hashing thread does not do it", async () => {
    const boot = new Boot().living("on");
    boot.requirepass = "pw";
    boot.state.table.setUser(
      "default",
      [`#${await boot.passwords.hash(Buffer.alloc(32))}`],
      NOW_MS,
    );
    boot.passwords.failure = new HashingUnavailable("failed");
    await boot.compared();
    expect(boot.logger.lines).toEqual([]);
  });
});
