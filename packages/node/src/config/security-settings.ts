/** The settings about who is let in: a part of the table in schema.ts. */
import type { NodeConfig } from "./node-config.ts";
import type { Setting } from "./setting.ts";
import { integer, path, permissions, choice, yesNo } from "./value-kinds.ts";

type SecurityField =
  | "protectedMode"
  | "unixSocket"
  | "unixSocketPermissions"
  | "unauthenticatedClientsMax"
  | "unauthenticatedClientsPerAddressMax"
  | "authTimeoutMs"
  | "authThrottle"
  | "authThrottleMaxDelayMs"
  | "authQueueMax"
  | "authCacheEntriesMax"
  | "passwordHashIterations"
  | "aclFile"
  | "aclNewCommands"
  | "aclAutoSave"
  | "aclLogEntriesMax"
  | "aclMaxStalenessMs";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const SECURITY_SETTINGS: {
  readonly [Field in SecurityField]: Setting<NodeConfig[Field]>;
} = {
  protectedMode: {
    name: "protected-mode",
    group: "security",
    kind: yesNo,
    defaultText: "yes",
    about:
      "While no user has a password, only clients on this machine (loopback, Unix socket) are served. Once one has, others may connect and have to log in: a default user without a password stays a matter of this machine. `no` lets everybody in as that user, as Redis does.",
    live: true,
    common: true,
  },
  unixSocket: {
    name: "unixsocket",
    group: "security",
    kind: path,
    defaultText: "",
    defaultMeaning: "none",
    about:
      "Path of a Unix socket for clients on this machine, besides the TCP port. A socket that nobody listens on any more is replaced; any other file there is an error.",
  },
  unixSocketPermissions: {
    name: "unixsocketperm",
    group: "security",
    kind: permissions,
    defaultText: "700",
    about:
      "Permissions of the Unix socket, in octal: who may connect to it. They are set before anybody can.",
  },
  unauthenticatedClientsMax: {
    name: "unauthenticated-clients-max",
    group: "security",
    kind: integer({ min: 1, max: 4294967295 }),
    defaultText: "1000",
    about:
      "Clients connected at the same time that have to log in and have not; further ones are refused. Clients on this machine do not count.",
    live: true,
  },
  unauthenticatedClientsPerAddressMax: {
    name: "unauthenticated-clients-per-address-max",
    group: "security",
    kind: integer({ min: 1, max: 4294967295 }),
    defaultText: "500",
    about:
      "The same for one address; an IPv6 network of 64 bits counts as one. Less than unauthenticated-clients-max, so that one address can not take all places.",
    live: true,
  },
  authTimeoutMs: {
    name: "auth-timeout-ms",
    group: "security",
    kind: integer({ min: 0, max: HOUR_MS }),
    defaultText: "10000",
    about:
      "A client that has to log in and has not by then is disconnected; the time that the node takes to check a password does not count. 0 means never.",
    live: true,
  },
  authThrottle: {
    name: "auth-throttle",
    group: "security",
    kind: yesNo,
    defaultText: "yes",
    about:
      "Whether wrong passwords slow down further attempts for the same user from the same address (after 3, from 100 ms doubling) and from the same address for any user (after 20). Clients on this machine are never slowed down, nor are those that are logged in.",
    live: true,
  },
  authThrottleMaxDelayMs: {
    name: "auth-throttle-max-delay-ms",
    group: "security",
    kind: integer({ min: 100, max: 10 * MINUTE_MS }),
    defaultText: "10000",
    about:
      "The longest time between two attempts for one user from one address; over all users of an address it is a tenth of it.",
    live: true,
  },
  authQueueMax: {
    name: "auth-queue-max",
    group: "security",
    kind: integer({ min: 1, max: 65_536 }),
    defaultText: "256",
    about:
      "Passwords that may wait to be hashed, about 20 ms each; beyond it logins are told to try again. Logins from this machine and changes of users have queues of their own of this size.",
  },
  authCacheEntriesMax: {
    name: "auth-cache-entries",
    group: "security",
    kind: integer({ min: 0, max: 1_000_000 }),
    defaultText: "10000",
    about:
      "Logins that are remembered as right, so that clients that come again are not hashed again. Every change of users empties it. 0 remembers none.",
  },
  passwordHashIterations: {
    name: "password-hash-iterations",
    group: "security",
    kind: integer({ min: 1_000, max: 10_000_000 }),
    defaultText: "100000",
    about:
      "Iterations of PBKDF2-SHA256 in new password hashes. Older ones with fewer are replaced when their user logs in. Less than the default is for tests.",
    live: true,
  },
  aclFile: {
    name: "aclfile",
    group: "security",
    kind: path,
    defaultText: "",
    defaultMeaning: "`acl.conf` in `dir`",
    about:
      "File with users, written by ACL SAVE and read by ACL LOAD. It seeds a cluster whose users nobody has changed yet and never overrules a living one.",
  },
  aclNewCommands: {
    name: "acl-new-commands",
    group: "security",
    kind: choice(["allow", "deny"]),
    defaultText: "allow",
    about:
      "What users with `+@all` or a category get of commands that a later version adds: all, or none until an administrator sets this anew. It holds for the whole cluster: CONFIG SET changes it everywhere, the value of a file only counts until somebody has.",
    live: true,
  },
  aclAutoSave: {
    name: "acl-auto-save",
    group: "security",
    kind: yesNo,
    defaultText: "no",
    about:
      "Whether this node writes its ACL file by itself after every change of users. The users of the cluster need no file; this keeps a copy for people and other clusters up to date.",
    live: true,
  },
  aclLogEntriesMax: {
    name: "acllog-max-len",
    group: "security",
    kind: integer({ min: 0, max: 100_000 }),
    defaultText: "128",
    about: "Lines of ACL LOG.",
    live: true,
  },
  aclMaxStalenessMs: {
    name: "acl-max-staleness-ms",
    group: "security",
    kind: integer({ min: 1_000, max: HOUR_MS }),
    defaultText: "10000",
    about:
      "A node without contact to a majority for longer than this honours no credentials any more: rules may have been changed elsewhere. Changes reach every node in contact before they are confirmed, and all others cease to serve by this time.",
  },
};
