import { describe, expect, it } from "vitest";
import { inspectCredentials } from "../../src/certificates/index.ts";
import { CLIENT_AUTH, makeCertificate, makeList, makeNode } from "./certificate-maker.ts";
import { CredentialWorld, NODE_NAME } from "./credential-world.ts";

const nowMs = Date.now();

describe("A look at a set of files", () => {
  it("says what they are when they are good", async () => {
    const world = new CredentialWorld();
    const crlFile = world.write("list.crl", makeList(world.authority, { revoked: [1n, 2n] }));
    const files = { ...world.files, crlFile };
    const found = await inspectCredentials(files, "peers", { nodeName: NODE_NAME, nowMs });
    expect(found).toMatchObject({
      problems: [],
      warnings: [],
      chain: [
        {
          subject: "CN=n1",
          issuer: "CN=Test authority",
          keyKind: "ec prime256v1",
          alternativeNames: "DNS:n1",
        },
      ],
      authorities: [{ subject: "CN=Test authority" }],
      lists: [{ revokedCount: 2 }],
    });
  });

  it("says everything that is wrong with them", async () => {
    const world = new CredentialWorld();
    const usages = [CLIENT_AUTH];
    world.writePair(makeNode("n2", world.authority, { usages, untilMs: nowMs - 1000 }));
    world.write("node.key", makeCertificate().keyPem);
    const found = await inspectCredentials(world.files, "peers", { nodeName: NODE_NAME, nowMs });
    expect(found.problems.map(({ code }) => code)).toEqual([
      "keyMismatch",
      "expired",
      "wrongUse",
      "wrongName",
    ]);
    expect(found.chain).toHaveLength(1);
  });

  it("says so when they can not be read", async () => {
    const world = new CredentialWorld();
    const files = { ...world.files, certFile: "/nowhere/x.crt" };
    const found = await inspectCredentials(files, "clients", { nowMs });
    expect(found).toMatchObject({ problems: [{ code: "missingFile" }], chain: [] });
  });
});
