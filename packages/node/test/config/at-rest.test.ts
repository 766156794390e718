import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { Settings } from "../../src/config/settings.ts";

const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7 + 3)).toString("base64");
const HOST = { hostname: "node-a", workingDirectory: "/srv/app", isTerminal: false };

function parse(settings: Readonly<Record<string, string>>): ReturnType<typeof parseConfig> {
  const flags = Object.entries(settings).map(([name, value]) => ({
    name,
    value,
    flag: `--${name}`,
  }));
  return parseConfig({ flags }, HOST);
}

function problemsOf(settings: Readonly<Record<string, string>>): string {
  try {
    parse(settings);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ text }) => text).join("\n");
    throw error;
  }
  return "";
}

const VAULT = {
  "at-rest-vault-address": "https://vault.example.org:8200/",
  "at-rest-vault-transit-key": "ferrite",
  "at-rest-vault-token-file": "token",
};

describe("the settings of encryption at rest", () => {
  it("are off unless somebody asks for it", () => {
    expect(parse({}).config).toMatchObject({ atRestEncryption: false, atRestKeyFile: null });
  });

  it("need exactly one place for the key-encryption key (S40)", () => {
    expect(problemsOf({ "at-rest-encryption": "yes" })).toMatch(
      /needs a key-encryption key: set one of at-rest-key-file, at-rest-key or at-rest-vault-address/,
    );
    expect(
      problemsOf({ "at-rest-encryption": "yes", "at-rest-key-file": "kek", ...VAULT }),
    ).toMatch(/only one of .* may be set, not at-rest-key-file and at-rest-vault-address/);
    expect(problemsOf({ "at-rest-encryption": "yes", "at-rest-key": KEY })).toBe("");
  });

  it("make paths absolute and take the slash off Vault's address", () => {
    const { config } = parse({ "at-rest-encryption": "yes", ...VAULT });
    expect(config.atRestVaultTokenFile).toBe("/srv/app/token");
    expect(config.atRestVaultAddress).toBe("https://vault.example.org:8200");
    expect(parse({ "at-rest-key-file": "kek" }).config.atRestKeyFile).toBe("/srv/app/kek");
  });

  it("refuse a Vault that is reached in plain text, but for one on this machine", () => {
    const plain = (address: string): string =>
      problemsOf({ ...VAULT, "at-rest-vault-address": address });
    expect(plain("http://vault.example.org:8200")).toMatch(/must begin with https:/);
    expect(plain("http://127.0.0.1.example.org:8200")).toMatch(/must begin with https:/);
    expect(plain("http://127.0.0.1:8100")).toBe("");
    expect(plain("http://[::1]:8100")).toBe("");
    expect(plain("https://user:secret@vault:8200")).toMatch(/no user/);
    expect(plain("ftp://vault")).toMatch(/must be an address/);
  });

  it("refuse names in Vault that lead elsewhere", () => {
    for (const name of ["../sys/seal", "a/../../b", "a?b", "a%2fb", "a b"]) {
      expect(problemsOf({ ...VAULT, "at-rest-vault-transit-key": name }), name).toMatch(/must be/);
    }
    const { config } = parse({ ...VAULT, "at-rest-vault-mount": "/team-a/transit/" });
    expect(config.atRestVaultMount).toBe("team-a/transit");
  });

  it("miss what belongs to Vault, and say what is of no use without it", () => {
    expect(problemsOf({ "at-rest-vault-address": "https://vault" })).toBe(
      "at-rest-vault-transit-key: is missing: at-rest-vault-address needs it\n" +
        "at-rest-vault-token-file: is missing: at-rest-vault-address needs it",
    );
    expect(problemsOf({ "at-rest-vault-token-file": "token" })).toMatch(
      /needs at-rest-vault-address/,
    );
  });

  it("warn when there is a key and nothing is encrypted with it", () => {
    expect(parse({ "at-rest-key-file": "kek" }).warnings.join()).toMatch(
      /at-rest-encryption is no: nothing is encrypted/,
    );
    const both = { "at-rest-key-file": "kek", "at-rest-encryption": "yes" };
    expect(parse(both).warnings.join()).not.toMatch(/encrypted/);
  });

  it("never repeat a key, neither in a refusal nor in CONFIG GET", () => {
    const wrong = `${KEY.slice(0, -4)}!!!!`;
    const said = problemsOf({ "at-rest-encryption": "yes", "at-rest-key": wrong });
    expect(said).toMatch(/32 bytes in base64/);
    expect(said).not.toContain(wrong.slice(0, 8));
    const { config } = parse({ "at-rest-encryption": "yes", "at-rest-key": KEY });
    expect(new Settings(config).get("at-rest-key")).toBe("(redacted)");
  });

  it("let the place of the key change while the node runs, not whether it encrypts", () => {
    const settings = new Settings(
      parse({ "at-rest-encryption": "yes", "at-rest-key-file": "kek" }).config,
    );
    expect(settings.set([["at-rest-encryption", "no"]])).toMatch(/immutable config/);
    expect(settings.set([["at-rest-key-file", ""]])).toMatch(/needs a key-encryption key/);
    const moved = Object.entries({ "at-rest-key-file": "", ...VAULT });
    expect(settings.set(moved)).toBeNull();
    expect(settings.current().atRestVaultTransitKey).toBe("ferrite");
  });
});
