import { PassThrough } from "node:stream";
import type { Socket } from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import type { ClientEnds } from "../../src/server/client-ends.ts";
import { TLS_HANDSHAKES_MAX, TLS_HANDSHAKES_PER_ADDRESS_MAX } from "../../src/server/limits.ts";
import { TlsHandshakes } from "../../src/server/tls-handshakes.ts";
import { TlsRoom } from "./support/tls-room.ts";

let room: TlsRoom;

beforeAll(async () => {
  room = await TlsRoom.create();
});

function ends(host: string, port: number): ClientEnds {
  return { address: `${host}:${port}`, localAddress: "10.0.0.1:6380", origin: "remote" };
}

function handshakes(limits: {
  readonly clientsMax: number;
  readonly clientsPerAddressMax: number;
}) {
  const refused: string[] = [];
  const parts = new TlsHandshakes({
    limits: () => ({ ...limits, timeoutMs: 1000 }),
    nowMs: () => 0,
    onSecure: () => undefined,
    onFailed: ({ reason }, { address }) => refused.push(`${reason} ${address}`),
  });
  parts.use(room.credentials.current().contextOptions);
  return { parts, refused };
}

/** A connection on which nothing is ever said. */
function silent(): Socket {
  return new PassThrough() as unknown as Socket;
}

describe("handshakes in progress", () => {
  it("are not more than there may be in all, nor of one address (S23)", () => {
    const { parts, refused } = handshakes({ clientsMax: 3, clientsPerAddressMax: 2 });
    for (const port of [1, 2, 3]) parts.begin(silent(), ends("192.0.2.1", port));
    expect(refused).toEqual(["tooMany 192.0.2.1:3"]);
    parts.begin(silent(), ends("192.0.2.2", 1));
    parts.begin(silent(), ends("192.0.2.3", 1));
    expect(refused).toEqual(["tooMany 192.0.2.1:3", "tooMany 192.0.2.3:1"]);
    expect(parts.count).toBe(3);
    parts.stop();
    expect(parts.count).toBe(0);
  });

  it("leave room for others when one address has all it may have", () => {
    expect(TLS_HANDSHAKES_PER_ADDRESS_MAX).toBeLessThan(TLS_HANDSHAKES_MAX);
  });

  it("are not begun once they were stopped", () => {
    const { parts, refused } = handshakes({ clientsMax: 3, clientsPerAddressMax: 2 });
    parts.stop();
    parts.begin(silent(), ends("192.0.2.1", 1));
    expect(refused).toEqual(["tooMany 192.0.2.1:1"]);
  });
});
