/** Why a node did not start, in one sentence that says what to do. */
import type { NodeConfig } from "@ferrite/node/config";

interface SystemError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly path?: string;
}

export function describeStartFailure(error: unknown, config: NodeConfig): string {
  if (!(error instanceof Error)) return String(error);
  const { code, address, port, path } = error as SystemError;
  const where = address === undefined ? `port ${port}` : `${address}:${port}`;
  switch (code) {
    case "EADDRINUSE":
      return `${where} is already in use; stop what listens there or set another ${portSetting(config, port)}`;
    case "EADDRNOTAVAIL":
      return `this machine has no address ${address}; check bind, tls-bind, peer-bind and http-bind`;
    case "EACCES":
    case "EPERM":
      return path === undefined
        ? `this user may not listen on ${where}; set a port above 1023`
        : `this user may not use ${path}`;
    case "EROFS":
      return `${path ?? config.dataDir} is on a disk that can only be read; set another dir`;
    case "ENOSPC":
      return `there is no room on the disk of ${config.dataDir}`;
    default:
      return error.message;
  }
}

function portSetting(config: NodeConfig, port: number | undefined): string {
  if (port === config.httpPort) return "http-port";
  if (port === config.tlsPort) return "tls-port";
  return port === config.peerPort ? "peer-port" : "port";
}
