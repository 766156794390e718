/**
 * What clients really send, with changed bytes, into a running node over TCP: the node lives, other connections get right
 * answers all the while, memory stays bounded, and no connection is left behind.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CommandGenerator } from "../compat/command-generator.ts";
import type { Prng } from "../compat/prng.ts";
import { encodeWords } from "../compat/requests.ts";
import { report, TestCluster, until } from "../e2e/harness/cluster.ts";
import { attack, Witness } from "./client-attack.ts";
import type { Attack } from "./client-attack.ts";
import { announceSeed, roundName, roundRandom, rounds } from "./fuzz-seed.ts";
import { mutateStream, piecesOf, randomBytes } from "./mutate.ts";

const ROUNDS = rounds(400);
const CONNECTIONS = 8;
const REQUESTS = 12;
const MEBIBYTE = 1024 ** 2;
const RSS_GROWTH_BYTES_MAX = 250 * MEBIBYTE;

/** Pieces of the protocol, right and wrong. */
const TOKENS = [
  "\r\n",
  "\r",
  "\n",
  "*",
  "$",
  "*0\r\n",
  "*-1\r\n",
  "$-1\r\n",
  "*1\r\n",
  "*3\r\n",
  "*1048576\r\n",
  "*1048577\r\n",
  "*2147483648\r\n",
  "$0\r\n\r\n",
  "$67108864\r\n",
  "$67108865\r\n",
  "$99999999999999999999\r\n",
  ":1\r\n",
  "+OK\r\n",
  "PING\r\n",
  '"',
  "'",
  "\0",
  "*1\r\n$5\r\nHELLO\r\n",
  "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n",
  "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n",
  "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n",
  "*1\r\n$5\r\nRESET\r\n",
  "*1\r\n$4\r\nQUIT\r\n",
  "*3\r\n$4\r\nWAIT\r\n$1\r\n9\r\n$2\r\n50\r\n",
  "*2\r\n$19\r\nFERRITE.CONSISTENCY\r\n$12\r\nlinearizable\r\n",
  "*2\r\n$4\r\nINFO\r\n$3\r\nall\r\n",
  "*2\r\n$7\r\nCOMMAND\r\n$4\r\nDOCS\r\n",
];

/** May make a value of half a gigabyte, and rightly so. */
const NOT_SENT = /^setrange$/i;

function traffic(random: Prng): Buffer {
  const generator = new CommandGenerator(
    random,
    random.pick(["mixed", "patterns", "subsequences"]),
  );
  const requests: Buffer[] = [];
  while (requests.length < REQUESTS) {
    const words = generator.next();
    if (NOT_SENT.test(words[0])) continue;
    const isTyped = random.oneIn(8) && words.every((word) => /^[\w:.*-]+$/.test(word));
    requests.push(isTyped ? Buffer.from(`${words.join(" ")}\r\n`) : encodeWords(words));
  }
  return Buffer.concat(requests);
}

function attackOf(random: Prng): Attack {
  const connections = Array.from({ length: CONNECTIONS }, () => {
    const bytes = random.oneIn(10)
      ? randomBytes(random.below(4000), random)
      : mutateStream(traffic(random), random, TOKENS);
    return piecesOf(bytes, random);
  });
  return { connections };
}

describe("A node that is sent broken requests", () => {
  let cluster: TestCluster;
  let witness: Witness;
  let startRssBytes: number;

  beforeAll(async () => {
    announceSeed("client requests");
    cluster = await TestCluster.start({ nodes: 1 });
    witness = await Witness.connect(cluster.nodes[0].port);
    await witness.check();
    startRssBytes = rssBytes();
  });
  afterAll(async () => {
    witness.close();
    await cluster.close();
  });

  function rssBytes(): number {
    const status = readFileSync(`/proc/${cluster.pid(0)}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  }

  test("lives, answers others rightly, keeps its memory and forgets the connections", async () => {
    const { port } = cluster.nodes[0];
    let answered = 0;
    let closed = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const done = await attack(port, witness, attackOf(roundRandom(round))).catch((error) => {
        throw new Error(`${roundName(round)}: ${String(error)}\n${cluster.log(0).slice(-2000)}`);
      });
      answered += done.answered;
      closed += done.closed;
      expect(cluster.isRunning(0), roundName(round)).toBe(true);
      expect(rssBytes() - startRssBytes).toBeLessThan(RSS_GROWTH_BYTES_MAX);
    }
    const attackers = ROUNDS * CONNECTIONS;
    report(
      `${attackers} connections: ${answered} were answered, ${closed} were closed by the node`,
    );
    report(`memory grew by ${Math.round((rssBytes() - startRssBytes) / MEBIBYTE)} MiB`);
    // Else the bytes would be too broken, or too whole, to try much.
    expect(answered).toBeGreaterThan(attackers / 4);
    expect(closed).toBeGreaterThan(attackers / 20);
    await until("only the witness and the asking client are connected", async () => {
      return (await cluster.info(0, "clients")).get("connected_clients") === "2";
    });
    // That the machine's disk stood still is no fault of the requests.
    const told = cluster.log(0).split("\n");
    expect(told.filter((line) => !line.includes('"stalledMs"')).join("\n")).not.toMatch(
      /"level":"(error|fatal)"/,
    );
  });

  test("canary: a server that loses connections, mixes up answers or dies is found", async () => {
    const one = attackOf(roundRandom(1));
    const broken: Attack = { connections: [...one.connections, [Buffer.from("*-9\r\n")]] };
    const expectFound = async (defect: Defect, words: RegExp): Promise<void> => {
      const server = await startDefective(defect);
      const other = await Witness.connect(server.port);
      await other.check();
      // Sockets of one process are not served in the order of what was written to them: a witness may come first once.
      const attackTwice = async (): Promise<unknown> => {
        await attack(server.port, other, broken);
        return attack(server.port, other, broken);
      };
      await expect(attackTwice()).rejects.toThrow(words);
      other.close();
      server.close();
    };
    await expectFound("dies", /ended|ECONNREFUSED|ECONNRESET/);
    await expectFound("mixes", /the witness heard/);
  });
});

type Defect = "dies" | "mixes";

/** Serves the witness rightly, until somebody sends a negative count. */
async function startDefective(defect: Defect): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  let isBroken = false;
  let count = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      const text = bytes.toString("latin1");
      if (text.includes("*-9")) {
        isBroken = true;
        if (defect === "dies") for (const each of sockets) each.destroy();
      }
      const echoed = /round \d+/.exec(text)?.[0];
      if (echoed === undefined) return;
      count += isBroken ? 2 : 1;
      const digits = String(count);
      socket.write(
        `:${digits}\r\n$${echoed.length}\r\n${echoed}\r\n$${digits.length}\r\n${digits}\r\n`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
