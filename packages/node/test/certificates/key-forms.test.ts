import { mkdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AUTHORITY_FILES_MAX } from "../../src/certificates/limits.ts";
import {
  ecKeys,
  edKeys,
  makeAuthority,
  makeCertificate,
  makeNode,
  rsaKeys,
  type Keys,
} from "./certificate-maker.ts";
import { CredentialWorld, NODE_NAME } from "./credential-world.ts";

const PASSPHRASE = "pässword with spaces ";

describe("A key", () => {
  const forms: readonly (readonly [string, () => Keys, "pkcs1" | "pkcs8" | "sec1"])[] = [
    ["of ECDSA in PKCS #8", ecKeys, "pkcs8"],
    ["of ECDSA in SEC 1", ecKeys, "sec1"],
    ["of RSA in PKCS #1", () => rsaKeys(2048), "pkcs1"],
    ["of RSA in PKCS #8", () => rsaKeys(2048), "pkcs8"],
    ["of Ed25519 in PKCS #8", edKeys, "pkcs8"],
  ];

  it.each(forms)("%s serves", async (_what, make, type) => {
    const world = new CredentialWorld();
    const keys = make();
    world.writePair(makeNode(NODE_NAME, world.authority, { keys }));
    world.write("node.key", keys.privateKey.export({ type, format: "pem" }));
    expect((await world.open()).current().generation).toBe(1);
  });

  it.each([
    ["PKCS #8", "pkcs8"],
    ["OpenSSL's old form", "sec1"],
  ] as const)(
    "that is encrypted in %s is opened with the first line of a file",
    async (_, type) => {
      const world = new CredentialWorld();
      const made = makeNode(NODE_NAME, world.authority);
      world.writePair(made);
      const options = {
        type,
        format: "pem",
        cipher: "aes-256-cbc",
        passphrase: PASSPHRASE,
      } as const;
      world.write("node.key", made.keys.privateKey.export(options));
      const keyPassphraseFile = world.write("passphrase", `${PASSPHRASE}\r\nanother line\n`);
      const credentials = await world.open("peers", {
        files: { ...world.files, keyPassphraseFile },
      });
      // Whoever makes a context of it needs no passphrase any more.
      expect(credentials.current().contextOptions.key).toContain("BEGIN PRIVATE KEY");
    },
  );

  it("may be in one file with its certificate and the chain above it", async () => {
    const world = new CredentialWorld();
    const middle = makeAuthority("Middle", { issuer: world.authority });
    const made = makeNode(NODE_NAME, middle);
    const certFile = world.write("all.pem", made.keyPem + made.pem + middle.pem);
    const credentials = await world.open("peers", {
      files: { ...world.files, certFile, keyFile: certFile },
    });
    expect(credentials.current().contextOptions.cert).toContain(middle.pem.split("\n")[1]);
  });
});

describe("Authorities", () => {
  it("are those of a file and of all files of a directory, each once", async () => {
    const world = new CredentialWorld();
    const others = ["one", "two"].map((name) => makeAuthority(name));
    mkdirSync(world.path("authorities"));
    world.write("authorities/a.pem", others[0]?.pem ?? "");
    world.write("authorities/b.CRT", (others[1]?.pem ?? "") + world.authority.pem);
    world.write("authorities/c.cer", makeAuthority("binary").der);
    world.write("authorities/README", "not looked at");
    world.write("authorities/.hidden.pem", "not looked at");
    const files = { ...world.files, caDirectory: world.path("authorities") };
    const credentials = await world.open("peers", { files });
    expect(credentials.health().authoritiesUntilMs).toHaveLength(4);
  });

  it("are refused when a file of the directory is none, by the name of that file", async () => {
    const world = new CredentialWorld();
    mkdirSync(world.path("authorities"));
    world.write("authorities/bad.pem", makeCertificate().pem);
    const files = { ...world.files, caDirectory: world.path("authorities") };
    await expect(world.open("peers", { files })).rejects.toThrow(/authorities\/bad.pem/);
  });

  it("are refused when the directory is empty, too full, or a file", async () => {
    const world = new CredentialWorld();
    const files = { ...world.files, caDirectory: world.path("authorities") };
    await expect(world.open("peers", { files })).rejects.toMatchObject({ code: "missingFile" });
    mkdirSync(world.path("authorities"));
    await expect(world.open("peers", { files })).rejects.toMatchObject({ code: "badAuthority" });
    const crowd = Array.from({ length: AUTHORITY_FILES_MAX + 1 }, (_, i) => `${i}.pem`);
    const ports = { ...world.ports.files, names: () => Promise.resolve(crowd) };
    const { readFiles } = await import("../../src/certificates/read-files.ts");
    await expect(readFiles(world.source("peers", { files }), ports)).rejects.toMatchObject({
      code: "tooLarge",
    });
    const notOne = { ...world.files, caDirectory: world.path("ca.crt") };
    await expect(world.open("peers", { files: notOne })).rejects.toMatchObject({
      code: "wrongKind",
    });
  });

  it("may be many", async () => {
    const world = new CredentialWorld();
    const keys = ecKeys();
    const many = Array.from({ length: 300 }, (_, i) => makeAuthority(`Authority ${i}`, { keys }));
    world.write("ca.crt", [world.authority, ...many].map((each) => each.pem).join("noise\n"));
    const credentials = await world.open();
    expect(credentials.health().authoritiesUntilMs).toHaveLength(301);
  });
});
