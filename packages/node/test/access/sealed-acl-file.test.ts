/** The ACL file of a node that encrypts what it keeps (S40). */
import { randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AtRestKeys } from "@ferrite/storage";
import { describe, expect, it } from "vitest";
import { fileSealing, type FileSealing } from "../../src/access/file-sealing.ts";
import type { AclFile } from "../../src/access/acl-file.ts";
import { aclFile, CheapPasswords, newUsers, NOW_MS } from "./access-fixtures.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

function newKeys(more: Partial<AtRestKeys> = {}): AtRestKeys {
  const current = { id: 1, bytes: Uint8Array.from(randomBytes(32)) };
  return { nodeId: "node-1", current, older: [], acceptsPlainFiles: false, ...more };
}

function sealingWith(keys: AtRestKeys, warnings: string[] = []): FileSealing {
  return fileSealing(
    { clusterId: "cluster-1", keys: () => keys },
    { warn: (_, message) => warnings.push(message) },
  );
}

function fileAt(path: string, sealing?: FileSealing): AclFile {
  const users = newUsers();
  users.setUser("canary-user", ["on", "nopass", "~canary-pattern:*", "+get"], NOW_MS);
  return aclFile(path, users, new CheapPasswords(), sealing);
}

async function messageOf(reading: ReturnType<AclFile["read"]>): Promise<string> {
  const outcome = await reading;
  return outcome.ok ? "" : outcome.errorText;
}

describe("the ACL file of a node that encrypts", () => {
  it("is sealed by SAVE, opened by LOAD, and holds nothing that can be read (S40)", async () => {
    const path = join(temporaryDirectory(), "acl.conf");
    const sealing = sealingWith(newKeys());
    expect(await fileAt(path, sealing).save()).toBeNull();
    const stored = readFileSync(path, "latin1");
    for (const word of ["canary", "user", "default", "Ferrite"]) expect(stored).not.toContain(word);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const outcome = await fileAt(path, sealing).read();
    expect(outcome.ok && outcome.lines.join("\n")).toContain("canary-user");
  });

  it("adds no more than its header", async () => {
    const [plain, sealed] = [1, 2].map(() => join(temporaryDirectory(), "acl.conf"));
    await fileAt(plain).save();
    await fileAt(sealed, sealingWith(newKeys())).save();
    expect(statSync(sealed).size - statSync(plain).size).toBe(512);
  });

  it("may be written by hand: that is read, and warned of", async () => {
    const path = join(temporaryDirectory(), "acl.conf");
    writeFileSync(path, "user default on nopass ~* &* +@all\n", { mode: 0o600 });
    const warnings: string[] = [];
    expect(await fileAt(path, sealingWith(newKeys(), warnings)).read()).toMatchObject({ ok: true });
    expect(warnings.join()).toMatch(/not encrypted.*ACL SAVE encrypts it/);
  });

  it("opens with an older key of the node, and with no other's (S40)", async () => {
    const path = join(temporaryDirectory(), "acl.conf");
    const old = newKeys();
    await fileAt(path, sealingWith(old)).save();
    const rotated = newKeys({
      current: { id: 2, bytes: Uint8Array.from(randomBytes(32)) },
      older: [old.current],
    });
    expect(await fileAt(path, sealingWith(rotated)).read()).toMatchObject({ ok: true });
    for (const keys of [newKeys(), { ...rotated, older: [] }, { ...old, nodeId: "node-2" }]) {
      expect(await messageOf(fileAt(path, sealingWith(keys)).read())).toContain(path);
    }
  });

  it("is refused by a node that does not encrypt, with what to do", async () => {
    const path = join(temporaryDirectory(), "acl.conf");
    await fileAt(path, sealingWith(newKeys())).save();
    expect(await messageOf(fileAt(path).read())).toMatch(
      /it is encrypted, and at-rest-encryption is no.*The users were not changed/,
    );
  });

  it("is refused when a byte of it was changed", async () => {
    const path = join(temporaryDirectory(), "acl.conf");
    const sealing = sealingWith(newKeys());
    await fileAt(path, sealing).save();
    const whole = readFileSync(path);
    for (const at of [20, 130, 300, 430, 505, 600, whole.length - 1]) {
      const changed = Buffer.from(whole);
      changed[at] ^= 1;
      writeFileSync(path, changed);
      expect(await fileAt(path, sealing).read(), `byte ${at}`).toMatchObject({ ok: false });
    }
  });
});
