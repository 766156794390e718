/** Certificates that live for seconds: what ends with them, what goes on, and what mends it (S33, F79). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause, until } from "../../e2e/harness/cluster.ts";
import { fingerprintOf, shownBy } from "./support/shown-certificate.ts";
import { TlsCluster } from "./tls-cluster.ts";

const NODES = [0, 1, 2];
/** Long enough to be taken over and to make links with, short enough to be waited for. */
const LIFE_MS = 6000;
/** More for a node that starts with it. */
const START_MS = 9000;
/** Certificates end on whole seconds, and what is open is looked at once a second. */
const LOOK_MS = 2500;
/** A machine that does other work is given longer. */
const CLOSED_WITHIN_MS = 15_000;

let cluster: TlsCluster;

beforeAll(async () => {
  cluster = await TlsCluster.start({ settings: { "audit-repeat-limit": "0" } });
});
afterAll(async () => {
  await cluster?.close();
});

/** When a certificate ends that is made now; whole seconds, as they are written. */
function soonMs(lifeMs = LIFE_MS): number {
  return Math.ceil((Date.now() + lifeMs) / 1000) * 1000;
}

async function isOver(untilMs: number): Promise<void> {
  await pause(Math.max(0, untilMs - Date.now()));
}

describe("a client's certificate that ends while it is connected (S33)", () => {
  it("ends its connections on every node, and nobody else's (S33)", async () => {
    const untilMs = soonMs();
    const brief = cluster.room.client("brief", { untilMs });
    const others = await Promise.all(
      NODES.map((node) => cluster.connect(node, cluster.room.client("alice").options)),
    );
    const clients = await Promise.all(NODES.map((node) => cluster.connect(node, brief.options)));
    for (const client of clients) expect(await client.call("PING")).toBe("PONG");
    await isOver(untilMs);
    await until(
      "all are closed",
      () => clients.every((client) => !client.isOpen),
      CLOSED_WITHIN_MS,
    );
    for (const node of NODES) {
      expect(await others[node].call("PING")).toBe("PONG");
      others[node].close();
      expect(await cluster.metric(node, "ferrite_tls_certificates_closed_total")).toBe(1);
      await until("the trail tells", () =>
        cluster.audit(node).some(({ action, reason }) => {
          return action === "connection.revoked" && reason?.includes("expired") === true;
        }),
      );
    }
  });

  it("ends nothing with tls-close-expired no, but makes no new connection (S33)", async () => {
    await cluster.configureAll("tls-close-expired", "no");
    const untilMs = soonMs();
    const brief = cluster.room.client("brief", { untilMs });
    const clients = await Promise.all(NODES.map((node) => cluster.connect(node, brief.options)));
    await isOver(untilMs + LOOK_MS);
    for (const node of NODES) {
      expect(await clients[node].call("PING")).toBe("PONG");
      expect(await cluster.attempt(node, brief.options)).not.toBe("+PONG");
    }
    await cluster.configureAll("tls-close-expired", "yes");
    await until(
      "yes counts at once",
      () => clients.every((client) => !client.isOpen),
      CLOSED_WITHIN_MS,
    );
  });
});

describe("a node's certificate for clients that ends (F79)", () => {
  it("is refused by clients that verify, while the node goes on, says so, and is mended by a new one (F79, S33)", async () => {
    const untilMs = soonMs();
    const alice = cluster.room.client("alice");
    const open = await cluster.connect(0, alice.options);
    const made = cluster.writeCertificate(0, "tls", cluster.room.node("node1", { untilMs }));
    await until("it serves", async () => {
      return (await shownBy(cluster.tlsPorts[0])) === fingerprintOf(made.pem);
    });
    expect(await cluster.attempt(0, alice.options)).toBe("+PONG");
    await isOver(untilMs);
    await until("clients refuse it", async () => {
      return (await cluster.attempt(0, alice.options)) === "CERT_HAS_EXPIRED";
    });
    expect(await open.call("PING")).toBe("PONG");
    open.close();
    const ready = await cluster.http(0, "/readyz?verbose");
    expect(ready.status).toBe(200);
    expect(ready.text).toContain("the certificate for clients has ended");
    cluster.writeCertificate(0, "tls");
    await until("a new one serves", async () => {
      return (await cluster.attempt(0, alice.options)) === "+PONG";
    });
    expect((await cluster.http(0, "/readyz?verbose")).text).not.toContain("has ended");
  });
});

describe("a node's certificate for other nodes that ends (S31, S33)", () => {
  const BRIEF = 2;

  async function isReady(): Promise<boolean> {
    const answer = await cluster.http(BRIEF, "/readyz").catch(() => null);
    return answer?.status === 200;
  }

  /** Starts node3 with a certificate that ends soon; all its links are made with it. */
  async function startedWithBriefCertificate(closeExpired: "yes" | "no"): Promise<number> {
    await cluster.configureAll("tls-close-expired", closeExpired);
    expect(await cluster.base.end(BRIEF, "SIGTERM")).toBe(0);
    const untilMs = soonMs(START_MS + LIFE_MS);
    cluster.writeCertificate(BRIEF, "peer", cluster.room.node("node3", { untilMs }));
    cluster.spawn(BRIEF, { "tls-close-expired": closeExpired });
    await cluster.ready(BRIEF);
    for (const node of [0, 1]) {
      const name = "ferrite_peer_certificate_expiry_timestamp_seconds";
      const shown = (): Promise<number> => cluster.metric(node, name, { peer: "node3" });
      await until("it was shown", async () => (await shown()) === untilMs / 1000);
    }
    expect(Date.now()).toBeLessThan(untilMs);
    return untilMs;
  }

  it("leaves its links alone with tls-close-expired no (S33)", async () => {
    const untilMs = await startedWithBriefCertificate("no");
    await isOver(untilMs + LOOK_MS);
    expect(await isReady()).toBe(true);
    expect(await cluster.admin(BRIEF, "SET", "after-its-end", "1")).toBe("OK");
  });

  it("ends its links, on both sides and with a reason, until there is a new one (S31, S33)", async () => {
    const untilMs = await startedWithBriefCertificate("yes");
    await isOver(untilMs);
    await until("it knows no leader", async () => !(await isReady()));
    for (const node of [0, 1]) {
      await until("its links have ended", async () => {
        return (
          (await cluster.metric(node, "ferrite_peer_refusals_total", { reason: "expired" })) > 0
        );
      });
      await until("the trail tells", () =>
        cluster.audit(node).some(({ action }) => action === "peer.refused.expired"),
      );
    }
    await until("it says itself why", () =>
      cluster.log(BRIEF).some(({ reason }) => reason === "ownExpired"),
    );
    await until("the others serve", async () => {
      const answer = await cluster.base.call(0, "SET", "meanwhile", "2").catch(() => null);
      return answer === "OK";
    });
    cluster.writeCertificate(BRIEF, "peer");
    await until("it is a member again", isReady);
    await until("it has what it missed", async () => {
      return (await cluster.base.call(BRIEF, "GET", "meanwhile")) === "2";
    });
  });
});
