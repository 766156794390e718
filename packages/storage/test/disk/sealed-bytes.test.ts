import { describe, expect, it } from "vitest";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import {
  isSealed,
  openSealedBytes,
  sealBytes,
  sealedBytesMax,
  sealedKindBytesMax,
  sealedNameBytesMax,
} from "../../src/disk/sealed-bytes.ts";
import type { SealedFile } from "../../src/disk/sealed-bytes.ts";
import { atRestKeys, keysOf, storageErrorOf } from "./log-fixtures.ts";

const file = { kind: "acl", name: "users.acl", clusterId: "cluster" };
const path = "/data/users.acl";
const contents = new TextEncoder().encode("user ann on >opensesame ~* +@all\n".repeat(20));

function openSealed(
  bytes: Uint8Array,
  changes: Partial<SealedFile> = {},
  keys: AtRestKeys | null = atRestKeys,
): string {
  const opened = openSealedBytes(keys, { ...file, path, ...changes }, bytes);
  return new TextDecoder().decode(opened);
}

describe("sealed files", () => {
  it("S40: hold their contents for who has the key, and show nothing of them", () => {
    const sealed = sealBytes(atRestKeys, file, contents);
    expect(isSealed(sealed)).toBe(true);
    expect(Buffer.from(sealed).includes("opensesame")).toBe(false);
    expect(openSealed(sealed)).toBe(new TextDecoder().decode(contents));
    expect(Buffer.from(sealBytes(atRestKeys, file, contents)).equals(sealed)).toBe(false);
    expect(openSealed(sealBytes(atRestKeys, file, new Uint8Array(0)))).toBe("");
    expect(openSealed(sealed, {}, keysOf(3))).toBe(new TextDecoder().decode(contents));
  });

  it("S40: do not open as another kind, under another name, for another node or another cluster", () => {
    const sealed = sealBytes(atRestKeys, file, contents);
    const error = (action: () => unknown) => storageErrorOf(action);
    expect(error(() => openSealed(sealed, { kind: "backup" })).message).toContain(
      'the sealed acl file "users.acl", expected was the sealed backup file "users.acl"',
    );
    expect(error(() => openSealed(sealed, { name: "other.acl" })).code).toBe("damaged");
    expect(error(() => openSealed(sealed, { clusterId: "other" })).code).toBe("foreignCluster");
    expect(error(() => openSealed(sealed, { clusterId: null })).code).toBe("foreignCluster");
    const node = { ...atRestKeys, nodeId: "another-node" };
    expect(error(() => openSealed(sealed, {}, node)).message).toContain("made for another node");
  });

  it("S40: made before there was a cluster open afterwards, too", () => {
    const sealed = sealBytes(atRestKeys, { ...file, clusterId: null }, contents);
    expect(openSealed(sealed)).toBe(openSealed(sealed, { clusterId: null }));
  });

  it("S40: say what to do when there are no keys, the key is missing, or it is another one", () => {
    const sealed = sealBytes(atRestKeys, file, contents);
    const code = (keys: AtRestKeys | null): string => {
      const error = storageErrorOf(() => openSealed(sealed, {}, keys));
      expect(error.message).toContain(path);
      return error.code;
    };
    expect(code(null)).toBe("encrypted");
    expect(code({ ...keysOf(2), older: [] })).toBe("missingKey");
    expect(code(keysOf(1, { current: { id: 1, bytes: new Uint8Array(32) } }))).toBe("wrongKey");
  });

  it("S40: plain contents are taken while they are accepted, and only then", () => {
    const plain = new TextEncoder().encode("user default on");
    expect(openSealed(plain, {}, null)).toBe("user default on");
    expect(openSealed(plain, {}, keysOf(1, { acceptsPlainFiles: true }))).toBe("user default on");
    const error = storageErrorOf(() => openSealed(plain));
    expect(error).toMatchObject({ code: "notEncrypted", file: path });
  });

  it("S40: are refused at whatever byte they were changed or cut", () => {
    const sealed = sealBytes(atRestKeys, file, contents);
    for (let at = 0; at < sealed.length; at += 1) {
      const isFreeSlot = at >= 352 && at < 424;
      const changed = sealed.slice();
      changed[at] ^= 0x20;
      if (isFreeSlot) {
        expect(openSealed(changed)).toBe(openSealed(sealed));
      } else {
        // Without its magic it is no sealed file, and a plain one is not taken.
        const expected = at < 8 ? "notEncrypted" : "damaged";
        expect(storageErrorOf(() => openSealed(changed)).code, `byte ${at}`).toBe(expected);
      }
    }
    for (let end = 8; end < sealed.length; end += 1) {
      expect(storageErrorOf(() => openSealed(sealed.slice(0, end))).code).toBe("damaged");
    }
  });

  it("refuse contents, kinds and names that are too long", () => {
    const code = (changes: Partial<typeof file>, bytes = contents): string =>
      storageErrorOf(() => sealBytes(atRestKeys, { ...file, ...changes }, bytes)).code;
    expect(code({ kind: "k".repeat(sealedKindBytesMax + 1) })).toBe("limitExceeded");
    expect(code({ name: "n".repeat(sealedNameBytesMax + 1) })).toBe("limitExceeded");
    expect(code({ clusterId: "c".repeat(65) })).toBe("limitExceeded");
    expect(code({}, new Uint8Array(sealedBytesMax + 1))).toBe("limitExceeded");
    const longest = {
      kind: "k".repeat(sealedKindBytesMax),
      name: "n".repeat(sealedNameBytesMax),
      clusterId: "c".repeat(64),
    };
    expect(openSealed(sealBytes(atRestKeys, longest, contents), longest)).toContain("user ann");
  });
});
