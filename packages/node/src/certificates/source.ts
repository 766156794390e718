/** Where the certificates of one use come from, and what is asked of them. */
import type { X509Certificate } from "node:crypto";
import type { TlsFiles } from "../config/tls-files.ts";
import type { CredentialUse } from "./live-credentials.ts";

/** What the files are called in the configuration: an error without it sends people looking. */
export interface SettingNames {
  readonly cert: string;
  readonly key: string;
  readonly passphrase: string;
  readonly authorities: string;
  readonly authorityDirectory: string;
  readonly revocations: string;
}

export interface CredentialSource {
  /** Equal for sources of which the same comes. */
  readonly key: string;
  readonly use: CredentialUse;
  readonly files: TlsFiles;
  readonly settings: SettingNames;
  /** tls-crl-stale. */
  readonly staleLists: "accept" | "refuse";
  /** What else the own certificate has to have (a name): a sentence about what is wrong, or null. */
  readonly require: ((certificate: X509Certificate) => string | null) | null;
}

const CLIENT_SETTINGS: SettingNames = {
  cert: "tls-cert-file",
  key: "tls-key-file",
  passphrase: "tls-key-passphrase-file",
  authorities: "tls-ca-cert-file",
  authorityDirectory: "tls-ca-cert-dir",
  revocations: "tls-crl-file",
};

const PEER_SETTINGS: SettingNames = {
  cert: "peer-tls-cert-file",
  key: "peer-tls-key-file",
  passphrase: "peer-tls-key-passphrase-file",
  authorities: "peer-tls-ca-cert-file",
  authorityDirectory: "peer-tls-ca-cert-dir",
  revocations: "peer-tls-crl-file",
};

const SYSLOG_SETTINGS: SettingNames = {
  ...CLIENT_SETTINGS,
  cert: "audit-syslog-cert-file",
  key: "audit-syslog-key-file",
  authorities: "audit-syslog-ca-cert-file",
};

/** The settings that a use has by its own name. Peers may have theirs from `tls-*`: see start/node-certificates.ts. */
export const SETTING_NAMES: Readonly<Record<CredentialUse, SettingNames>> = {
  clients: CLIENT_SETTINGS,
  peers: PEER_SETTINGS,
  syslog: SYSLOG_SETTINGS,
};
