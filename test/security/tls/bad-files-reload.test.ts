/**
 * Files of certificates that go bad while nodes run, for clients and for peers: the pair from before goes on serving, and
 * log, metric, trail, INFO and readiness say so until there is a good one (S33, F84).
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { until } from "../../e2e/harness/cluster.ts";
import { RespError } from "../../e2e/harness/resp-client.ts";
import { writeSecret } from "./support/authority-room.ts";
import {
  BAD_FILES,
  putEncryptedPair,
  putGoodPair,
  type BadFiles,
  type Place,
} from "./support/bad-files.ts";
import { Lanes } from "./support/lanes.ts";
import { fingerprintOf, shownBy } from "./support/shown-certificate.ts";
import { TlsCluster, type Use } from "./tls-cluster.ts";

const NODES = [0, 1, 2];
/** As metrics, INFO, logs and the trail call it. */
const NAMES: Readonly<Record<Use, "clients" | "peers">> = { tls: "clients", peer: "peers" };
const PREFIXES: Readonly<Record<Use, string>> = { tls: "tls", peer: "peer-tls" };

/** As many as there are lanes: these tests wait for seconds and compute for nothing. */
vi.setConfig({ maxConcurrency: 6 });

let cluster: TlsCluster;
/** Nodes whose pair of that use is nobody's at the moment. */
const lanes: Readonly<Record<Use, Lanes<number>>> = {
  tls: new Lanes(NODES),
  peer: new Lanes(NODES),
};

beforeAll(async () => {
  cluster = await TlsCluster.start({ settings: { "audit-repeat-limit": "0" } });
});
afterAll(async () => {
  await cluster?.close();
});

/** Clients and peers by turns, so that all lanes are in use. */
const rows = BAD_FILES.filter(({ hasPassphrase }) => hasPassphrase !== true).flatMap((bad) =>
  (bad.uses ?? (["tls", "peer"] as const)).map((use) => {
    return { what: bad.what, setting: PREFIXES[use], use, bad };
  }),
);

/** The fingerprint of what a new connection is shown. */
function serves(node: number, use: Use): Promise<string> {
  const port = use === "tls" ? cluster.tlsPorts[node] : cluster.base.nodes[node].peerPort;
  return shownBy(port);
}

function reloads(node: number, use: Use, result: string): Promise<number> {
  return cluster.metric(node, "ferrite_certificate_reloads_total", { use: NAMES[use], result });
}

async function info(node: number, use: Use, field: string): Promise<string | undefined> {
  const fields = await cluster.base.info(node, "certificates");
  return fields.get(`tls_${NAMES[use]}_${field}`);
}

/** Everything that has to tell of files that are not good, tells. */
async function isTold(node: number, use: Use, file: string, says: RegExp): Promise<void> {
  const name = NAMES[use];
  expect(await cluster.metric(node, "ferrite_certificate_refused", { use: name })).toBe(1);
  expect(await info(node, use, "last_reload_error")).toMatch(says);
  expect(await info(node, use, "last_reload_error")).toContain(file);
  expect(Number(await info(node, use, "refused_since"))).toBeGreaterThan(1_700_000_000);
  const ready = await cluster.http(node, "/readyz?verbose");
  expect(ready.status).toBe(200);
  expect(ready.text).toContain(`the files for ${name} are not good`);
  expect(ready.text).not.toContain(file);
  await until("the log tells", () =>
    cluster.log(node).some(({ level, use: told, reason }) => {
      return level === "error" && told === name && says.test(String(reason));
    }),
  );
  await until("the trail tells", () =>
    cluster.audit(node).some(({ action, reason }) => {
      return (
        action === "certificate.refused" && reason?.startsWith(`${name}: `) && says.test(reason)
      );
    }),
  );
}

/** CONFIG SET of files that could not serve is refused in words that name one, and changes nothing. */
async function isNotTakenByConfigSet(
  node: number,
  use: Use,
  bad: BadFiles,
  extra: readonly string[] = [],
): Promise<void> {
  const place = elsewhere(node, use);
  bad.spoil(place);
  const prefix = PREFIXES[use];
  const certSetting = `${prefix}-cert-file`;
  const before = await cluster.admin(node, "CONFIG", "GET", certSetting);
  const words = [certSetting, place.certFile, `${prefix}-key-file`, place.keyFile, ...extra];
  const answer = await cluster.base.call(node, "CONFIG", "SET", ...words);
  expect(answer).toBeInstanceOf(RespError);
  expect((answer as RespError).text).toMatch(bad.says);
  expect((answer as RespError).text).toContain(place[bad.file]);
  expect(await cluster.admin(node, "CONFIG", "GET", certSetting)).toEqual(before);
}

/** Files of the same node that no setting names yet. */
function elsewhere(node: number, use: Use): Place {
  const place = cluster.place(node, use);
  return {
    ...place,
    certFile: `${place.certFile}.next`,
    keyFile: `${place.keyFile}.next`,
    passphraseFile: `${place.passphraseFile}.next`,
  };
}

async function goesOnWithTheOldPair(node: number, use: Use, bad: BadFiles): Promise<void> {
  const place = cluster.place(node, use);
  const before = await serves(node, use);
  const refused = await reloads(node, use, "refused");

  await isNotTakenByConfigSet(node, use, bad);
  expect(await serves(node, use)).toBe(before);

  bad.spoil(place);
  await until("the file is noticed", async () => (await reloads(node, use, "refused")) > refused);
  await isTold(node, use, place[bad.file], bad.says);
  expect(await serves(node, use)).toBe(before);

  const afterFile = await reloads(node, use, "refused");
  process.kill(cluster.base.pid(node), "SIGHUP");
  await until("SIGHUP reads again", async () => (await reloads(node, use, "refused")) > afterFile);
  expect(await serves(node, use)).toBe(before);

  const mended = putGoodPair(place);
  await until(
    "a good pair serves",
    async () => (await serves(node, use)) === fingerprintOf(mended.pem),
  );
  expect(await cluster.metric(node, "ferrite_certificate_refused", { use: NAMES[use] })).toBe(0);
  expect(await info(node, use, "last_reload_error")).toBe("");
  expect(await info(node, use, "refused_since")).toBe("-1");
  expect((await cluster.http(node, "/readyz?verbose")).text).not.toContain(
    `the files for ${NAMES[use]} are not good`,
  );
}

describe("a running node (S33, F84)", () => {
  it.concurrent.each(rows)(
    "with $what for $setting goes on with the pair from before, says so, and takes the next good one (S33, F84)",
    async ({ use, bad }) => await lanes[use].use((node) => goesOnWithTheOldPair(node, use, bad)),
  );
});

describe("a key with a passphrase (S33)", () => {
  const wrong = BAD_FILES.find(({ hasPassphrase }) => hasPassphrase === true)!;

  it.each(["tls", "peer"] as const)(
    "is taken by CONFIG SET with the right passphrase only, for %s, and kept when the passphrase file goes bad (S33, F81)",
    async (use) => {
      const prefix = PREFIXES[use];
      const place = elsewhere(1, use);
      const passphrase = [`${prefix}-key-passphrase-file`, place.passphraseFile];
      await isNotTakenByConfigSet(1, use, wrong, passphrase);

      const made = putEncryptedPair(place);
      const files = [`${prefix}-cert-file`, place.certFile, `${prefix}-key-file`, place.keyFile];
      await cluster.admin(1, "CONFIG", "SET", ...files, ...passphrase);
      expect(await serves(1, use)).toBe(fingerprintOf(made.pem));

      writeSecret(place.passphraseFile, "wrong\n");
      await until("it is noticed", async () => {
        return (await info(1, use, "last_reload_error"))?.includes(place.passphraseFile) === true;
      });
      await isTold(1, use, place.keyFile, wrong.says);
      expect(await serves(1, use)).toBe(fingerprintOf(made.pem));
      const told = JSON.stringify([cluster.log(1), cluster.audit(1)]);
      expect(told).not.toContain("correct horse");

      const next = putEncryptedPair(place);
      await until("the next pair serves", async () => {
        return (await serves(1, use)) === fingerprintOf(next.pem);
      });
      expect(await info(1, use, "last_reload_error")).toBe("");
    },
  );
});

it("after all of that, the cluster serves on every node, and no link was lost for it (S33)", async () => {
  const client = cluster.room.client("alice");
  for (const node of NODES) {
    expect(await cluster.attempt(node, client.options, "SET after 1\r\n")).toBe("+OK");
    expect(await cluster.metric(node, "ferrite_peer_links_lost_total")).toBe(0);
  }
});
