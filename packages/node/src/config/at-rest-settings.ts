/** The settings of encryption at rest: a part of the table in schema.ts. */
import { keyText, vaultAddress, vaultName } from "./at-rest-kinds.ts";
import type { AtRestConfig } from "./node-config.ts";
import type { Setting } from "./setting.ts";
import { integer, path, yesNo } from "./value-kinds.ts";

const HOUR_MS = 3_600_000;

export const AT_REST_SETTINGS: {
  readonly [Field in keyof AtRestConfig]: Setting<AtRestConfig[Field]>;
} = {
  atRestEncryption: {
    name: "at-rest-encryption",
    group: "storage",
    kind: yesNo,
    defaultText: "no",
    about:
      "Whether the log, snapshots and the ACL file are encrypted. Needs a key-encryption key: at-rest-key-file, at-rest-key or at-rest-vault-address. A node that has data is rewritten in the background. There is no way back on the same data directory.",
    common: true,
  },
  atRestKeyFile: {
    name: "at-rest-key-file",
    group: "storage",
    kind: path,
    defaultText: "",
    about:
      "A file with the key-encryption key: 32 bytes raw, in hexadecimal or in base64, or lines of `id:base64`. The first key counts; the others still open what was wrapped with them. A changed file is noticed by FERRITE.ATREST REWRAP and at SIGHUP.",
    live: true,
    common: true,
  },
  atRestKey: {
    name: "at-rest-key",
    group: "storage",
    kind: keyText,
    defaultText: "",
    about:
      "The key-encryption key itself. Meant for the environment (FERRITE_AT_REST_KEY): other users of the machine can see flags.",
    secret: true,
  },
  atRestVaultAddress: {
    name: "at-rest-vault-address",
    group: "storage",
    kind: vaultAddress,
    defaultText: "",
    about:
      "A HashiCorp Vault (or OpenBao) whose transit engine holds the key-encryption key: it never leaves there.",
    live: true,
    common: true,
  },
  atRestVaultTransitKey: {
    name: "at-rest-vault-transit-key",
    group: "storage",
    kind: vaultName,
    defaultText: "",
    about: "The name of the key in Vault's transit engine. Its type has to be aes256-gcm96.",
    live: true,
    common: true,
  },
  atRestVaultMount: {
    name: "at-rest-vault-mount",
    group: "storage",
    kind: vaultName,
    defaultText: "transit",
    about: "Where the transit engine is mounted in Vault.",
    live: true,
  },
  atRestVaultTokenFile: {
    name: "at-rest-vault-token-file",
    group: "storage",
    kind: path,
    defaultText: "",
    about:
      "A file with the token for Vault, read anew at each use: an agent may replace it at any time.",
    live: true,
    common: true,
  },
  atRestVaultNamespace: {
    name: "at-rest-vault-namespace",
    group: "storage",
    kind: vaultName,
    defaultText: "",
    defaultMeaning: "none",
    about: "The namespace in Vault.",
    live: true,
  },
  atRestVaultCaCertFile: {
    name: "at-rest-vault-ca-cert-file",
    group: "storage",
    kind: path,
    defaultText: "",
    defaultMeaning: "the authorities that Node.js brings along",
    about: "The authorities that may have signed the certificate of Vault (PEM).",
    live: true,
  },
  atRestVaultTimeoutMs: {
    name: "at-rest-vault-timeout-ms",
    group: "storage",
    kind: integer({ min: 100, max: HOUR_MS }),
    defaultText: "5000",
    about: "A request that Vault has not answered by then has failed.",
    live: true,
  },
  atRestVaultWaitMs: {
    name: "at-rest-vault-wait-ms",
    group: "storage",
    kind: integer({ min: 0, max: 24 * HOUR_MS }),
    defaultText: "30000",
    about:
      "How long a starting node asks again while Vault is sealed, busy or can not be reached. Then the start fails. 0 asks once.",
  },
};

/** Those that say where the key-encryption key is. */
export const AT_REST_SOURCE_FIELDS: readonly (keyof AtRestConfig)[] = [
  "atRestKeyFile",
  "atRestKey",
  "atRestVaultAddress",
  "atRestVaultTransitKey",
  "atRestVaultMount",
  "atRestVaultNamespace",
];

type Report = (field: keyof AtRestConfig, text: string) => void;

/** Exactly one place for the key, and all that the place needs. */
export function checkAtRest(config: AtRestConfig, report: Report): void {
  const sources = SOURCES.filter(([, isSet]) => isSet(config)).map(([field]) => field);
  const names = SOURCES.map(([field]) => AT_REST_SETTINGS[field].name);
  const all = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
  if (config.atRestEncryption && sources.length === 0) {
    report("atRestEncryption", `needs a key-encryption key: set one of ${all}`);
  }
  if (sources.length > 1) {
    const given = sources.map((field) => AT_REST_SETTINGS[field].name).join(" and ");
    report(sources[1], `only one of ${all} may be set, not ${given}`);
  }
  checkVault(config, report);
}

const SOURCES: readonly (readonly [keyof AtRestConfig, (config: AtRestConfig) => boolean])[] = [
  ["atRestKeyFile", (config) => config.atRestKeyFile !== null],
  ["atRestKey", (config) => config.atRestKey !== ""],
  ["atRestVaultAddress", (config) => config.atRestVaultAddress !== null],
];

function checkVault(config: AtRestConfig, report: Report): void {
  const hasVault = config.atRestVaultAddress !== null;
  const needed = [
    ["atRestVaultTransitKey", config.atRestVaultTransitKey !== ""],
    ["atRestVaultTokenFile", config.atRestVaultTokenFile !== null],
    ["atRestVaultMount", config.atRestVaultMount !== ""],
  ] as const;
  if (!hasVault) {
    const useless = needed.slice(0, 2).find(([, isSet]) => isSet);
    if (useless !== undefined) report(useless[0], "needs at-rest-vault-address");
    return;
  }
  for (const [field, isSet] of needed) {
    if (!isSet) report(field, "is missing: at-rest-vault-address needs it");
  }
}

/** What is legal and probably not meant. */
export function atRestWarnings(config: AtRestConfig): string[] {
  const hasKey = SOURCES.some(([, isSet]) => isSet(config));
  if (config.atRestEncryption || !hasKey) return [];
  return [
    "there is a key-encryption key, but at-rest-encryption is no: nothing is encrypted on disk",
  ];
}
