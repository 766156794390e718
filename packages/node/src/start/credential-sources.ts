/** Where the settings say that certificates come from, and what is asked of them. */
import type { CredentialUse } from "../certificates/live-credentials.ts";
import { peerNameProblem } from "../certificates/peer-name.ts";
import { SETTING_NAMES, type CredentialSource, type SettingNames } from "../certificates/source.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { clientTlsFiles, peerTlsFiles } from "../config/tls-files.ts";

/** What a node has certificates for by itself; syslog reads its own files at each connection. */
export type NodeUse = Exclude<CredentialUse, "syslog">;

/** Null: this node has no certificate for it. */
export function credentialSource(config: NodeConfig, use: NodeUse): CredentialSource | null {
  return use === "clients" ? clientSource(config) : peerSource(config);
}

function clientSource(config: NodeConfig): CredentialSource | null {
  const files = clientTlsFiles(config);
  if (files === null) return null;
  const staleLists = config.tlsCrlStale;
  return {
    key: JSON.stringify([files, staleLists]),
    use: "clients",
    files,
    settings: SETTING_NAMES.clients,
    staleLists,
    require: null,
  };
}

function peerSource(config: NodeConfig): CredentialSource | null {
  const files = peerTlsFiles(config);
  if (files === null) return null;
  const { tlsCrlStale: staleLists, nodeName, peerAllowedSan } = config;
  return {
    key: JSON.stringify([files, staleLists, nodeName, peerAllowedSan]),
    use: "peers",
    files,
    settings: peerSettingNames(config),
    staleLists,
    require: (certificate) => peerNameProblem(certificate, nodeName, peerAllowedSan),
  };
}

/** What peers have from `tls-*` is called by that name, as that is what has to be mended. */
function peerSettingNames(config: NodeConfig): SettingNames {
  const { clients, peers } = SETTING_NAMES;
  const hasOwnAuthorities =
    config.peerTlsCaCertFile !== null || config.peerTlsCaCertDirectory !== null;
  const trust = hasOwnAuthorities ? peers : clients;
  return {
    cert: (config.peerTlsCertFile === null ? clients : peers).cert,
    key: (config.peerTlsKeyFile === null ? clients : peers).key,
    passphrase: (config.peerTlsKeyFile === null ? clients : peers).passphrase,
    authorities: trust.authorities,
    authorityDirectory: trust.authorityDirectory,
    revocations: (config.peerTlsCrlFile === null ? clients : peers).revocations,
  };
}
