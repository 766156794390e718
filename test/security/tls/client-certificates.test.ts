/**
 * Who may make a connection at all: certificates that are missing, foreign, over, early, for something else, self-made or
 * revoked, on the real listener of every node; and what is left to do without TLS when TLS is required.
 */
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  CLIENT_AUTH,
  DAY_MS,
  SERVER_AUTH,
  makeAuthority,
  makeCertificate,
  makeList,
} from "../../../packages/node/test/certificates/certificate-maker.ts";
import { nameOf } from "../../../packages/node/test/certificates/der-maker.ts";
import { until } from "../../e2e/harness/cluster.ts";
import { RawClient } from "../../e2e/harness/raw-client.ts";
import { RespClient } from "../../e2e/harness/resp-client.ts";
import { REFUSED } from "./support/attempt.ts";
import type { AuthorityRoom, ClientFiles } from "./support/authority-room.ts";
import { TlsCluster } from "./tls-cluster.ts";

const NODES = [0, 1, 2];
const TLS_REQUIRED = "-ERR TLS required: plaintext connections are not permitted\r\n";

interface BadClient {
  readonly what: string;
  /** Label of the metric, and of the log line. */
  readonly reason: string;
  /** Ids of the checklists. */
  readonly ids: string;
  readonly make: (room: AuthorityRoom) => ConnectionOptions;
}

const REVOKED_SERIAL = 4711n;
const stranger = makeAuthority("Another authority");
/** The same name as the good one's: only its key tells it apart. */
const impostor = makeAuthority("Test authority");

const BAD_CLIENTS: readonly BadClient[] = [
  {
    what: "no certificate",
    reason: "missing",
    ids: "F82, D1",
    make: (room) => room.anonymous,
  },
  {
    what: "a certificate of another authority",
    reason: "untrusted",
    ids: "F80",
    make: (room) => room.client("alice", { issuer: stranger }).options,
  },
  {
    what: "a certificate of another authority with the same name",
    reason: "untrusted",
    ids: "F80",
    make: (room) => room.client("alice", { issuer: impostor }).options,
  },
  {
    what: "a certificate that it has signed itself",
    reason: "untrusted",
    ids: "F80",
    make: (room) =>
      room.files(makeCertificate({ subject: nameOf("alice"), usages: [CLIENT_AUTH] })).options,
  },
  {
    what: "an expired certificate",
    reason: "expired",
    ids: "F80",
    make: (room) => room.client("alice", { untilMs: Date.now() - 1000 }).options,
  },
  {
    what: "a certificate that is not valid yet",
    reason: "notYetValid",
    ids: "F80",
    make: (room) => room.client("alice", { fromMs: Date.now() + DAY_MS }).options,
  },
  {
    what: "a certificate that may be a server only",
    reason: "wrongUse",
    ids: "F80",
    make: (room) => room.client("alice", { usages: [SERVER_AUTH] }).options,
  },
  {
    what: "a revoked certificate",
    reason: "revoked",
    ids: "F80, S35",
    make: (room) => room.client("alice", { serial: REVOKED_SERIAL }).options,
  },
];

let cluster: TlsCluster;
let alice: ClientFiles;

beforeAll(async () => {
  cluster = await TlsCluster.start({
    settings: { "audit-repeat-limit": "0" },
    settingsOf: (made, node) => ({
      "tls-crl-file": made.path(node, "clients.crl"),
      unixsocket: socketOf(made, node),
    }),
    before: (made) => {
      const list = makeList(made.room.authority, { revoked: [REVOKED_SERIAL] });
      for (const node of made.nodes) made.write(node, "clients.crl", list);
    },
  });
  alice = cluster.room.client("alice");
});
afterAll(async () => {
  await cluster?.close();
});

function socketOf(made: TlsCluster, node: number): string {
  return join(made.base.directory, `${node}.sock`);
}

const REASONS = [...new Set(BAD_CLIENTS.map(({ reason }) => reason)), "staleRevocationList"];

/** Refused by that node, and told of: metric, log and trail. */
async function isRefusedAndTold(
  node: number,
  options: ConnectionOptions,
  reason: string,
): Promise<void> {
  const countOf = (word: string): Promise<number> =>
    cluster.metric(node, "ferrite_tls_handshake_failures_total", { reason: word });
  const count = (): Promise<number> => countOf(reason);
  const refusals = (): number =>
    cluster.audit(node).filter(({ action }) => action === "connection.refused.certificate").length;
  // The trail's file comes a little later than the refusal: those of the tests before have to be there.
  await until("the trail has all that were refused before", async () => {
    const counts = await Promise.all(REASONS.map(countOf));
    return refusals() === counts.reduce((sum, one) => sum + one, 0);
  });
  const [counted, recorded] = [await count(), refusals()];
  expect(await cluster.attempt(node, options)).toMatch(REFUSED);
  expect(await count()).toBe(counted + 1);
  await until("the trail has it", () => refusals() === recorded + 1);
  await until("the log has it", () => cluster.log(node).some((line) => line["reason"] === reason));
}

describe("tls-auth-clients yes, which is the default as soon as there are authorities", () => {
  it("lets good certificates in, on every node (F80)", async () => {
    for (const node of NODES) expect(await cluster.attempt(node, alice.options)).toBe("+PONG");
  });

  it.each(BAD_CLIENTS)(
    "refuses a client with $what on every node, and tells why in log, metric and trail ($ids)",
    async ({ make, reason }) => {
      const options = make(cluster.room);
      for (const node of NODES) {
        for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
          await isRefusedAndTold(node, { ...options, maxVersion }, reason);
        }
      }
    },
  );

  it("has nothing run of what a refused client sent in its first bytes (F80, F82)", async () => {
    const options = BAD_CLIENTS[1].make(cluster.room);
    for (const node of NODES) {
      expect(await cluster.attempt(node, options, "SET sneaked 1\r\n")).toMatch(REFUSED);
      expect(await cluster.attempt(node, cluster.room.anonymous, "SET sneaked 1\r\n")).toMatch(
        REFUSED,
      );
      expect(await cluster.admin(node, "EXISTS", "sneaked")).toBe(0);
    }
  });
});

describe("a revocation list that is past its next update (S35)", () => {
  function publish(changes: Parameters<typeof makeList>[1]): void {
    const list = makeList(cluster.room.authority, { revoked: [REVOKED_SERIAL], ...changes });
    for (const node of NODES) cluster.write(node, "clients.crl", list);
  }

  const revoked = (): ConnectionOptions =>
    cluster.room.client("alice", { serial: REVOKED_SERIAL }).options;

  it("counts as it is with tls-crl-stale accept, and is told as a warning (S35)", async () => {
    publish({
      thisUpdateMs: Date.now() - 2 * DAY_MS,
      nextUpdateMs: Date.now() - DAY_MS,
      number: 2,
    });
    for (const node of NODES) {
      await until("readiness warns", async () => {
        const { status, text } = await cluster.http(node, "/readyz?verbose");
        return status === 200 && text.includes("a revocation list for clients is out of date");
      });
      expect(await cluster.attempt(node, alice.options)).toBe("+PONG");
      expect(await cluster.attempt(node, revoked())).toMatch(REFUSED);
    }
  });

  it("closes and refuses everybody of its authority with tls-crl-stale refuse, until there is a fresh one (S35)", async () => {
    const open = await Promise.all(NODES.map((node) => cluster.connect(node, alice.options)));
    await cluster.configureAll("tls-crl-stale", "refuse");
    await until("they are closed", () => open.every((client) => !client.isOpen));
    for (const node of NODES) await isRefusedAndTold(node, alice.options, "staleRevocationList");
    publish({ number: 3 });
    for (const node of NODES) {
      await until("a fresh list lets them in", async () => {
        return (await cluster.attempt(node, alice.options)) === "+PONG";
      });
      expect(await cluster.attempt(node, revoked())).toMatch(REFUSED);
      const { text } = await cluster.http(node, "/readyz?verbose");
      expect(text).not.toContain("out of date");
    }
    await cluster.configureAll("tls-crl-stale", "accept");
  });
});

describe("tls-auth-clients, live by CONFIG SET", () => {
  it("optional: nobody has to show a certificate, but one that is shown has to be good (F80, F81)", async () => {
    await cluster.configureAll("tls-auth-clients", "optional");
    for (const node of NODES) {
      expect(await cluster.attempt(node, cluster.room.anonymous)).toBe("+PONG");
      expect(await cluster.attempt(node, alice.options)).toBe("+PONG");
      for (const { make, reason, what } of BAD_CLIENTS) {
        if (reason === "missing") continue;
        expect(await cluster.attempt(node, make(cluster.room)), what).toMatch(REFUSED);
      }
    }
  });

  it("no: nobody is asked, whatever is brought along (F81)", async () => {
    await cluster.configureAll("tls-auth-clients", "no");
    for (const node of NODES) {
      for (const { make, what } of BAD_CLIENTS) {
        expect(await cluster.attempt(node, make(cluster.room)), what).toBe("+PONG");
      }
    }
  });

  it("yes again: those without a certificate who are connected go, at once and on every node (F81, F82)", async () => {
    const without = await Promise.all(
      NODES.map((node) => cluster.connect(node, cluster.room.anonymous)),
    );
    for (const client of without) expect(await client.call("PING")).toBe("PONG");
    await cluster.configureAll("tls-auth-clients", "yes");
    await until("they are closed", () => without.every((client) => !client.isOpen));
    for (const node of NODES) {
      expect(await cluster.admin(node, "CONFIG", "GET", "tls-auth-clients")).toEqual([
        "tls-auth-clients",
        "yes",
      ]);
      expect(await cluster.attempt(node, cluster.room.anonymous)).toMatch(REFUSED);
    }
  });
});

describe("require-tls (F75, S38)", () => {
  /** Everything that comes back in the clear until the server ends the connection. */
  async function inTheClear(node: number, request: string): Promise<string> {
    const client = await RawClient.connect(cluster.base.nodes[node].port);
    await client.send(request);
    await client.isClosedByServer();
    return client.received;
  }

  it("no: the plain port serves (F75)", async () => {
    for (const node of NODES) expect(await cluster.admin(node, "SET", "plain", "1")).toBe("OK");
  });

  it("yes, set while clients are connected: they are refused with their next command, and closed (F75, F81)", async () => {
    const before = await Promise.all(NODES.map((node) => cluster.base.client(node)));
    for (const client of before) expect(await client.call("GET", "plain")).toBe("1");
    for (const node of NODES) {
      const secure = await cluster.connect(node, alice.options);
      expect(await secure.call("CONFIG", "SET", "require-tls", "yes")).toBe("OK");
      secure.close();
      expect(await before[node].call("GET", "plain")).toMatchObject({
        text: TLS_REQUIRED.slice(1, -2),
      });
      await until("it is closed", () => !before[node].isOpen);
    }
  });

  it.each([
    ["GET", "GET plain\r\n"],
    ["SET", "SET plain 2\r\n"],
    ["AUTH", "AUTH default secret\r\n"],
    ["HELLO with a password", "HELLO 2 AUTH default secret\r\n"],
    ["INFO", "INFO\r\n"],
    ["CONFIG SET require-tls no", "CONFIG SET require-tls no\r\n"],
    ["a command that there is not", "NOSUCH\r\n"],
    ["FERRITE.STATUS", "FERRITE.STATUS\r\n"],
  ])(
    "yes: %s is refused in the clear on every node, and the connection closed (F75)",
    async (_what, request) => {
      for (const node of NODES) {
        expect(await inTheClear(node, `${request}PING\r\n`)).toBe(TLS_REQUIRED);
      }
    },
  );

  it("yes: PING, HELLO and QUIT are answered in the clear, and health checks go on (F75)", async () => {
    for (const node of NODES) {
      expect(await inTheClear(node, "PING\r\nQUIT\r\n")).toBe("+PONG\r\n+OK\r\n");
      expect(await inTheClear(node, "HELLO 2\r\nQUIT\r\n")).toMatch(/^\*14\r\n[^]*\+OK\r\n$/);
      for (const path of ["/readyz", "/livez", "/health", "/metrics"]) {
        expect((await cluster.http(node, path)).status).toBe(200);
      }
    }
  });

  it("yes: TLS serves, the Unix socket too, and what was refused is counted and in the trail (F75, F95)", async () => {
    for (const node of NODES) {
      expect(await cluster.attempt(node, alice.options, "GET plain\r\n")).toBe("$1");
      const local = await RespClient.connectUnix(socketOf(cluster, node));
      expect(await local.call("GET", "plain")).toBe("1");
      local.close();
      expect(await cluster.metric(node, "ferrite_tls_required_refusals_total")).toBeGreaterThan(5);
      await until("the trail has it", () =>
        cluster.audit(node).some(({ action, client }) => {
          return action === "connection.refused.tls" && client?.tls === false;
        }),
      );
    }
  });

  it("no again, over TLS: the plain port serves as before (F75, F81)", async () => {
    for (const node of NODES) {
      const secure = await cluster.connect(node, alice.options);
      expect(await secure.call("CONFIG", "GET", "require-tls")).toEqual(["require-tls", "yes"]);
      expect(await secure.call("CONFIG", "SET", "require_tls", "no")).toBe("OK");
      secure.close();
      expect(await cluster.admin(node, "GET", "plain")).toBe("1");
    }
  });
});
