import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseConfig } from "../../src/config/parse-config.ts";
import type { AtRestConfig } from "../../src/config/node-config.ts";
import { configuredSource, patiently } from "../../src/at-rest/configured-source.ts";
import { VaultTransit, type VaultTransitOptions } from "../../src/at-rest/vault-transit.ts";
import { temporaryDirectory } from "../access/temporary-directory.ts";
import { makeTlsFiles } from "../audit/tls-files.ts";
import { FakeVault, type FakeVaultOptions } from "./fake-vault.ts";
import { refusalOf } from "./refusal-of.ts";

const CONTEXT = { nodeId: "node-1", clusterId: "cluster-1" };
const SECRET = randomBytes(32);

function testConfig(fields: Partial<AtRestConfig> = {}): AtRestConfig {
  const host = { hostname: "node-a", workingDirectory: "/srv/app", isTerminal: false };
  return { ...parseConfig({}, host).config, ...fields };
}

interface World {
  readonly vault: FakeVault;
  readonly tokenFile: string;
  readonly source: VaultTransit;
  readonly options: VaultTransitOptions;
}

async function world(
  fake: FakeVaultOptions = {},
  more: Partial<VaultTransitOptions> = {},
): Promise<World> {
  const vault = await FakeVault.start(fake);
  onTestFinished(() => vault.close());
  const tokenFile = join(temporaryDirectory(), "token");
  writeFileSync(tokenFile, `${vault.token}\n`);
  const options = {
    address: vault.address,
    mount: vault.mount,
    key: vault.key,
    namespace: "",
    tokenFile,
    caCertFile: null,
    timeoutMs: 2000,
    ...more,
  };
  return { vault, tokenFile, options, source: new VaultTransit(options) };
}

function failing(status: number, ...errors: readonly string[]): Pick<FakeVault, "failsWith"> {
  return { failsWith: { status, errors } };
}

describe("Vault's transit engine", () => {
  it("wraps and unwraps, and says with which version of which key", async () => {
    const { source, vault } = await world();
    const wrapped = await source.wrap(SECRET, CONTEXT);
    expect(wrapped).toMatchObject({ by: "vault", keyId: "transit/ferrite:v1" });
    expect(wrapped.text).toMatch(/^vault:v1:/);
    expect(Buffer.from(await source.unwrap(wrapped, CONTEXT))).toEqual(SECRET);
    expect(vault.rotate()).toBe(2);
    expect(Buffer.from(await source.unwrap(wrapped, CONTEXT))).toEqual(SECRET);
    expect((await source.wrap(SECRET, CONTEXT)).keyId).toBe("transit/ferrite:v2");
  });

  it("binds what it wraps to node and cluster (S40)", async () => {
    const { source } = await world();
    const wrapped = await source.wrap(SECRET, CONTEXT);
    const refusal = await refusalOf(source.unwrap(wrapped, { ...CONTEXT, nodeId: "node-2" }));
    expect(refusal.code).toBe("VAULT_REFUSED");
    expect(refusal.message).toMatch(/status 400.*message authentication failed/);
  });

  it("says that a version was taken out of use", async () => {
    const { source, vault } = await world();
    const wrapped = await source.wrap(SECRET, CONTEXT);
    vault.minDecryptionVersion = vault.rotate();
    expect((await refusalOf(source.unwrap(wrapped, CONTEXT))).message).toMatch(/too old/);
  });

  it("reads its token anew each time: an agent replaces it", async () => {
    const { source, vault, tokenFile } = await world();
    await source.wrap(SECRET, CONTEXT);
    vault.token = "hvs.another";
    expect((await refusalOf(source.wrap(SECRET, CONTEXT))).code).toBe("VAULT_REFUSED");
    writeFileSync(tokenFile, vault.token);
    await source.wrap(SECRET, CONTEXT);
  });

  it("uses mount and namespace", async () => {
    const { source } = await world(
      { mount: "team-a/transit", namespace: "ops/eu", key: "ferrite.prod" },
      { namespace: "ops/eu" },
    );
    expect((await source.wrap(SECRET, CONTEXT)).keyId).toBe("team-a/transit/ferrite.prod:v1");
  });

  it("speaks TLS with authorities of its own, and with no others", async () => {
    const tls = makeTlsFiles(temporaryDirectory(), "localhost");
    const { source, options } = await world({ tls }, { caCertFile: tls.caFile });
    await source.wrap(SECRET, CONTEXT);
    const stranger = new VaultTransit({ ...options, caCertFile: null });
    const refusal = await refusalOf(stranger.wrap(SECRET, CONTEXT));
    expect(refusal.code).toBe("VAULT_UNAVAILABLE");
    expect(refusal.message).toMatch(/SELF_SIGNED|UNABLE_TO_|DEPTH_ZERO/);
  });
});

describe("what Vault refuses is told apart", () => {
  it.each([
    ["a token that is not good", { token: "hvs.x" }, "VAULT_REFUSED", /403.*expired, or its pol/],
    ["a seal", { isSealed: true }, "VAULT_UNAVAILABLE", /sealed or in maintenance/],
    ["too much", failing(429), "VAULT_UNAVAILABLE", /busy \(status 429\)/],
    ["a standby that can not pass on", failing(473), "VAULT_UNAVAILABLE", /busy/],
    ["a failure", failing(500, "1 error:\n\t* disk"), "VAULT_UNAVAILABLE", /500.*1 error: \* disk/],
    ["another address", { redirectsTo: "https://a" }, "VAULT_REFUSED", /active node's address/],
  ] as const)("%s", async (_, change, code, message) => {
    const { source, vault } = await world();
    Object.assign(vault, change);
    const refusal = await refusalOf(source.wrap(SECRET, CONTEXT));
    expect(refusal).toMatchObject({ code });
    expect(refusal.message).toMatch(message);
  });

  it("a mount, and a key, that are not there", async () => {
    const { options } = await world();
    const mount = new VaultTransit({ ...options, mount: "elsewhere" });
    expect((await refusalOf(mount.wrap(SECRET, CONTEXT))).message).toMatch(/no such mount or key/);
    const key = new VaultTransit({ ...options, key: "elsewhere" });
    expect((await refusalOf(key.wrap(SECRET, CONTEXT))).message).toMatch(/403/);
  });

  it("nobody there, and nobody who answers in time", async () => {
    const { options, vault } = await world({}, { timeoutMs: 200 });
    vault.latencyMs = 1000;
    const slow = await refusalOf(new VaultTransit(options).wrap(SECRET, CONTEXT));
    expect(slow.code).toBe("VAULT_UNAVAILABLE");
    expect(slow.message).toMatch(/no answer within 200 ms \(at-rest-vault-timeout-ms\)/);
    await vault.close();
    const gone = await refusalOf(new VaultTransit(options).wrap(SECRET, CONTEXT));
    expect(gone.message).toMatch(/can not be reached at http:\/\/127\.0\.0\.1:\d+: ECONNREFUSED/);
  });

  it("without ever telling token or secret, also when the other side repeats them", async () => {
    const { source, vault } = await world();
    const token = vault.token;
    const plaintext = SECRET.toString("base64");
    for (const echo of [`token ${token}`, `got ${plaintext}`]) {
      vault.failsWith = { status: 400, errors: [echo] };
      const refusal = await refusalOf(source.wrap(SECRET, CONTEXT));
      const all = `${refusal.message} ${refusal.stack} ${JSON.stringify(refusal)}`;
      expect(all).not.toContain(token);
      expect(all).not.toContain(plaintext);
    }
  });

  it("a token that would break the request apart", async () => {
    const { source, tokenFile } = await world();
    for (const text of ["a\r\nx-evil: 1", "\n", "käse"]) {
      writeFileSync(tokenFile, text);
      const refusal = await refusalOf(source.wrap(SECRET, CONTEXT));
      expect(refusal.code).toBe("KEY_UNREADABLE");
      expect(refusal.message).toMatch(/at-rest-vault-token-file/);
      expect(refusal.message).not.toContain("evil");
    }
  });

  it("something that is not Vault", async () => {
    const { source, vault } = await world();
    vault.failsWith = { status: 200, errors: [] };
    expect((await refusalOf(source.wrap(SECRET, CONTEXT))).message).toMatch(/not Vault's/);
  });

  it("a keyring of another key", async () => {
    const { source } = await world();
    const wrapped = await source.wrap(SECRET, CONTEXT);
    const other = { ...wrapped, keyId: "transit/ferrite2:v1" };
    expect((await refusalOf(source.unwrap(other, CONTEXT))).code).toBe("WRONG_KEY");
    const local = { by: "local", keyId: "abc", text: "AAAA" } as const;
    expect((await refusalOf(source.unwrap(local, CONTEXT))).message).toMatch(
      /wrapped with key abc, not with transit\/ferrite/,
    );
  });
});

describe("a node that starts while Vault is not there yet", () => {
  it("asks again until it is unsealed, and says so (S40)", async () => {
    const { source, vault } = await world();
    vault.isSealed = true;
    const waits: string[] = [];
    const wrapped = await patiently(() => source.wrap(SECRET, CONTEXT), {
      waitMs: 60_000,
      monotonicNowMs: () => performance.now(),
      onWait: (error) => {
        waits.push(error.message);
        vault.isSealed = false;
      },
    });
    expect(wrapped.by).toBe("vault");
    expect(waits).toEqual([expect.stringMatching(/sealed/)]);
  });

  it("gives up when its time is over, and says what to do", async () => {
    const { source, vault } = await world();
    vault.isSealed = true;
    let nowMs = 0;
    const attempt = patiently(() => source.wrap(SECRET, CONTEXT), {
      waitMs: 1000,
      monotonicNowMs: () => nowMs,
      onWait: () => {
        nowMs += 1000;
      },
    });
    const refusal = await refusalOf(attempt);
    expect(refusal.message).toMatch(
      /sealed.*nothing was changed; start it again when Vault answers/,
    );
    expect(vault.requests).toBe(2);
  });

  it("does not ask again when the answer was no", async () => {
    const { source, vault } = await world();
    vault.token = "hvs.x";
    const attempt = patiently(() => source.wrap(SECRET, CONTEXT), {
      waitMs: 60_000,
      monotonicNowMs: () => performance.now(),
      onWait: () => expect.unreachable(),
    });
    expect((await refusalOf(attempt)).code).toBe("VAULT_REFUSED");
    expect(vault.requests).toBe(1);
  });
});

describe("the settings", () => {
  it("name the source", async () => {
    const warn = (): void => undefined;
    const key = randomBytes(32).toString("base64");
    expect(configuredSource(testConfig({ atRestKeyFile: "/kek" }), warn).place).toBe(
      "at-rest-key-file /kek",
    );
    expect(configuredSource(testConfig({ atRestKey: key }), warn).kind).toBe("environment");
    const { options } = await world();
    const vault = testConfig({
      atRestVaultAddress: options.address,
      atRestVaultTransitKey: options.key,
      atRestVaultTokenFile: options.tokenFile,
    });
    expect((await configuredSource(vault, warn).wrap(SECRET, CONTEXT)).by).toBe("vault");
    expect(() => configuredSource(testConfig(), warn)).toThrow(/no key-encryption key is set/);
  });
});
