/**
 * Who a client is by its certificate (S30, F86): exactly one name of the kind that was asked for, of a user who exists; in
 * every other case nobody, and never the default user.
 */
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dnsName } from "../../../packages/node/test/certificates/certificate-maker.ts";
import {
  COMMON_NAME,
  attribute,
  der,
  nameOf,
  sequence,
  set,
  utf8,
} from "../../../packages/node/test/certificates/der-maker.ts";
import { until } from "../../e2e/harness/cluster.ts";
import type { RespClient, RespValue } from "../../e2e/harness/resp-client.ts";
import type { ClientFiles } from "./support/authority-room.ts";
import { TlsCluster } from "./tls-cluster.ts";

const NODES = [0, 1, 2];
const ORGANIZATION = "2.5.4.10";
const T61 = 0x14;
const BMP = 0x1e;
const NO_SUCH_USER =
  "-NOAUTH the user of this client's certificate does not exist or may not be used";

const uri = (text: string): Buffer => der(0x86, Buffer.from(text, "latin1"));
const email = (text: string): Buffer => der(0x81, Buffer.from(text, "latin1"));
const commonName = (value: Buffer): Buffer => set(attribute(COMMON_NAME, value));

let cluster: TlsCluster;

beforeAll(async () => {
  cluster = await TlsCluster.start({
    settings: { "tls-auth-clients-user": "CN", "audit-repeat-limit": "0" },
  });
  for (const user of [
    "alice",
    "bob",
    "jürgen",
    "alice.example.org",
    "alice@example.org",
    "spiffe://example.org/alice",
  ]) {
    await cluster.admin(0, "ACL", "SETUSER", user, "on", ">password", "~*", "+@all");
  }
  await cluster.admin(0, "ACL", "SETUSER", "sleeper", "off", ">password", "~*", "+@all");
  await allNodesKnow("sleeper");
});
afterAll(async () => {
  await cluster?.close();
});

async function allNodesKnow(user: string, isThere = true): Promise<void> {
  await until(`all nodes know of ${user}`, async () => {
    const lists = await Promise.all(NODES.map((node) => cluster.admin(node, "ACL", "USERS")));
    return lists.every((list) => (list as readonly string[]).includes(user) === isThere);
  });
}

async function whoIs(node: number, { options }: ClientFiles): Promise<RespValue> {
  const client = await cluster.connect(node, options);
  try {
    return await client.call("ACL", "WHOAMI");
  } finally {
    client.close();
  }
}

/** On every node: turned away in these words, counted, and told in ACL LOG, INFO and the trail. */
async function isNobody(client: ClientFiles, words: string | RegExp): Promise<void> {
  for (const node of NODES) {
    const before = await denials(node);
    const recorded = refusals(node, client).length;
    const answer = await cluster.attempt(node, client.options, "ACL WHOAMI\r\n");
    if (typeof words === "string") expect(answer).toBe(words);
    else expect(answer).toMatch(words);
    expect(await denials(node)).toBe(before + 1);
    const [entry] = (await cluster.admin(node, "ACL", "LOG", "1")) as readonly RespValue[][];
    expect(entry).toContain("tls-cert");
    await until("the trail has it", () => refusals(node, client).length === recorded + 1);
    expect(refusals(node, client).at(-1)).toMatchObject({
      method: "certificate",
      client: { tls: true, cert_serial: serialOf(client) },
    });
  }
}

async function denials(node: number): Promise<number> {
  return Number((await cluster.base.info(node, "stats")).get("acl_access_denied_tls_cert"));
}

function refusals(node: number, client: ClientFiles): ReturnType<TlsCluster["audit"]> {
  return cluster
    .audit(node)
    .filter(
      (each) => each.action === "auth.refused" && each.client?.cert_serial === serialOf(client),
    );
}

function serialOf({ made }: ClientFiles): string {
  const hex = made.serial.toString(16).toUpperCase();
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

describe("the common name (S30, F86)", () => {
  it("makes a client its user from the first command on, on every node, and the trail says by what (F86, S50)", async () => {
    const alice = cluster.room.client("alice");
    const fingerprint = new X509Certificate(alice.made.pem).fingerprint256.replaceAll(":", "");
    for (const node of NODES) {
      expect(await whoIs(node, alice)).toBe("alice");
      await until("the trail has it", () =>
        cluster.audit(node).some(({ action, user, method, client }) => {
          return (
            action === "auth.accepted" &&
            user === "alice" &&
            method === "certificate" &&
            client?.cert_serial === serialOf(alice) &&
            client.cert === fingerprint
          );
        }),
      );
    }
  });

  it("may be a string of several kinds, which name the same user", async () => {
    const wide = Buffer.from("jürgen", "utf16le").swap16();
    for (const value of [utf8("jürgen"), der(BMP, wide)]) {
      const client = cluster.room.client("", { subject: sequence(commonName(value)) });
      expect(await whoIs(1, client)).toBe("jürgen");
    }
  });

  const ambiguous: readonly (readonly [string, Buffer])[] = [
    ["a zero byte in it", sequence(commonName(utf8("alice\0.evil.example")))],
    ["a line end in it", sequence(commonName(utf8("alice\r\n")))],
    ["two of them", sequence(commonName(utf8("bob")), commonName(utf8("alice")))],
    ["the same one twice", sequence(commonName(utf8("alice")), commonName(utf8("alice")))],
    [
      "a part that it shares with another name",
      sequence(set(attribute(COMMON_NAME, utf8("alice")), attribute(ORGANIZATION, utf8("x")))),
    ],
    [
      "two in one part",
      sequence(set(attribute(COMMON_NAME, utf8("alice")), attribute(COMMON_NAME, utf8("bob")))),
    ],
    ["a T61String", sequence(commonName(der(T61, Buffer.from("alice"))))],
    [
      "a BMPString with a zero character",
      sequence(commonName(der(BMP, Buffer.from("alice\0", "utf16le").swap16()))),
    ],
    ["none", sequence(set(attribute(ORGANIZATION, utf8("alice"))))],
    ["nothing at all", sequence()],
  ];
  it.each(ambiguous)("names nobody with %s, on any node (S30)", async (_what, subject) => {
    const client = cluster.room.client("", { subject });
    await isNobody(client, /^-NOAUTH this certificate names no user: /);
  });

  it.each([
    ["that there is not", "mallory"],
    ["in another case", "Alice"],
    ["with what looks like a further name", "alice, CN=bob"],
    ["with a space at its end", "alice "],
    ["that is disabled", "sleeper"],
  ])("of a user %s is refused on every node, in the same words (S30, S14)", async (_what, name) => {
    await isNobody(cluster.room.client(name), NO_SUCH_USER);
  });

  it("never makes anybody the default user but who is called so (S30)", async () => {
    const defaultUser = cluster.room.client("default");
    for (const node of NODES) expect(await whoIs(node, defaultUser)).toBe("default");
    const told = NODES.flatMap((node) => cluster.audit(node)).filter(
      ({ action, user, client }) =>
        action === "auth.accepted" && user === "default" && client?.tls === true,
    );
    expect(told.every(({ client }) => client?.cert_serial === serialOf(defaultUser))).toBe(true);
  });
});

describe("alternative names (S30, F86)", () => {
  const alternatives = (...names: readonly Buffer[]): ClientFiles =>
    cluster.room.client("", {
      subject: nameOf("bob"),
      alternativeNames: sequence(...names),
    });

  const kinds: readonly (readonly [
    string,
    () => ClientFiles,
    string,
    () => readonly ClientFiles[],
  ])[] = [
    [
      "SAN-URI",
      () => alternatives(uri("spiffe://example.org/alice"), dnsName("bob")),
      "spiffe://example.org/alice",
      () => [
        alternatives(uri("spiffe://example.org/alice"), uri("spiffe://example.org/bob")),
        alternatives(dnsName("bob")),
        alternatives(uri("spiffe://example.org/alice\0x")),
        alternatives(uri("spiffe://example.org//alice")),
        alternatives(uri("spiffe://example.org/../alice")),
        alternatives(uri("spiffe://EXAMPLE.org/alice")),
        alternatives(uri("spiffe://example.org:80/alice")),
        alternatives(uri("spiffe://example.org/%61lice")),
        alternatives(uri("spiffe://example.org/alice, URI:spiffe://example.org/bob")),
      ],
    ],
    [
      "SAN-DNS",
      () => alternatives(dnsName("alice.example.org"), uri("spiffe://example.org/bob")),
      "alice.example.org",
      () => [
        alternatives(dnsName("alice.example.org"), dnsName("bob")),
        alternatives(uri("spiffe://example.org/alice")),
        alternatives(dnsName("alice.example.org\0.evil.example")),
        alternatives(dnsName("evil.example, DNS:alice.example.org")),
      ],
    ],
    [
      "SAN-EMAIL",
      () => alternatives(email("alice@example.org"), dnsName("bob")),
      "alice@example.org",
      () => [
        alternatives(email("alice@example.org"), email("bob@example.org")),
        alternatives(dnsName("alice@example.org")),
        alternatives(email("alice@example.org\0")),
        alternatives(email("evil@example, email:alice@example.org")),
      ],
    ],
  ];
  it.each(kinds)(
    "%s names exactly one user or nobody, on every node, live by CONFIG SET (S30, F86)",
    async (kind, good, user, bad) => {
      await cluster.configureAll("tls-auth-clients-user", kind);
      for (const node of NODES) expect(await whoIs(node, good())).toBe(user);
      for (const client of bad()) await isNobody(client, /^-NOAUTH /);
    },
  );

  it("stand for other users where a rule says so, by prefix or as a whole (S30)", async () => {
    await cluster.configureAll("tls-auth-clients-user", "SAN-URI");
    await cluster.configureAll("tls-auth-clients-user-map", "spiffe://example.org/app/*=bob");
    const app = alternatives(uri("spiffe://example.org/app/billing"));
    for (const node of NODES) expect(await whoIs(node, app)).toBe("bob");
    await isNobody(alternatives(uri("spiffe://example.net/app/billing")), NO_SUCH_USER);
    await cluster.configureAll("tls-auth-clients-user-map", "");
    await cluster.configureAll("tls-auth-clients-user", "CN");
  });
});

describe("a client that is logged in by its certificate", () => {
  it("may become somebody else by AUTH, is again who the certificate says after RESET, and stays who it was after a wrong password (S30)", async () => {
    const client = await cluster.connect(1, cluster.room.client("alice").options);
    expect(await client.call("AUTH", "bob", "password")).toBe("OK");
    expect(await client.call("ACL", "WHOAMI")).toBe("bob");
    expect(await client.call("AUTH", "alice", "wrong")).toMatchObject({
      text: expect.stringMatching(/^WRONGPASS /) as string,
    });
    expect(await client.call("ACL", "WHOAMI")).toBe("bob");
    expect(await client.call("RESET")).toBe("RESET");
    expect(await client.call("ACL", "WHOAMI")).toBe("alice");
    client.close();
  });

  async function connected(name: string): Promise<readonly RespClient[]> {
    const { options } = cluster.room.client(name);
    const clients = await Promise.all(NODES.map((node) => cluster.connect(node, options)));
    for (const client of clients) expect(await client.call("ACL", "WHOAMI")).toBe(name);
    return clients;
  }

  it("is closed on all nodes when its user is deleted on one, and a new user of that name does not bring it back (S30, S03)", async () => {
    await cluster.admin(0, "ACL", "SETUSER", "shortlived", "on", ">p", "~*", "+@all");
    await allNodesKnow("shortlived");
    const clients = await connected("shortlived");
    const others = await connected("alice");
    await cluster.admin(2, "ACL", "DELUSER", "shortlived");
    await cluster.admin(2, "ACL", "SETUSER", "shortlived", "on", ">p", "~*", "+@all");
    await until("all are closed", () => clients.every((client) => !client.isOpen));
    for (const other of others) {
      expect(await other.call("PING")).toBe("PONG");
      other.close();
    }
    await allNodesKnow("shortlived");
    for (const client of await connected("shortlived")) client.close();
  });

  it("is closed on all nodes when its user is disabled, and does not come in again until it is enabled (S30)", async () => {
    const clients = await connected("shortlived");
    await cluster.admin(1, "ACL", "SETUSER", "shortlived", "off");
    await until("all are closed", () => clients.every((client) => !client.isOpen));
    await isNobody(cluster.room.client("shortlived"), NO_SUCH_USER);
    await cluster.admin(1, "ACL", "SETUSER", "shortlived", "on");
    await until("it comes in again", async () => {
      const answers = await Promise.all(
        NODES.map((node) => cluster.attempt(node, cluster.room.client("shortlived").options)),
      );
      return answers.every((answer) => answer === "+PONG");
    });
  });

  it("has the rights of its user and no others (F86)", async () => {
    await cluster.admin(0, "ACL", "SETUSER", "reader", "on", "~r:*", "+get", "+acl|whoami");
    await allNodesKnow("reader");
    const { options } = cluster.room.client("reader");
    for (const node of NODES) {
      const client = await cluster.connect(node, options);
      expect(await client.call("GET", "r:1")).toBe(null);
      expect(await client.call("GET", "other")).toMatchObject({
        text: expect.stringMatching(/^NOPERM /) as string,
      });
      expect(await client.call("SET", "r:1", "v")).toMatchObject({
        text: expect.stringMatching(/^NOPERM /) as string,
      });
      client.close();
    }
  });
});
