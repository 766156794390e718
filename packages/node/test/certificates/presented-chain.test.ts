import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type SecureVersion, type TLSSocket } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { presentedChain } from "../../src/certificates/presented-chain.ts";
import { makeAuthority, makeList, makeNode } from "./certificate-maker.ts";
import { CredentialWorld } from "./credential-world.ts";

describe("What the other side has shown", () => {
  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "is verified also on a resumed session of %s, over an intermediate authority (S35)",
    async (version) => {
      const world = new CredentialWorld();
      const crlFile = world.write("list.crl", makeList(world.authority));
      const credentials = await world.open("clients", { files: { ...world.files, crlFile } });
      const middle = makeAuthority("Middle", { issuer: world.authority });
      const client = makeNode("client", middle);
      const accepted: TLSSocket[] = [];
      const server = createServer({
        ...credentials.current().contextOptions,
        requestCert: true,
        rejectUnauthorized: true,
      });
      server.on("secureConnection", (socket) => {
        accepted.push(socket);
        socket.on("error", () => undefined);
        socket.write("x");
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const dial = { port, cert: client.pem + middle.pem, key: client.keyPem, version };

      const session = await handshake(dial);
      if (session === null) throw new Error("no session to resume");
      await handshake({ ...dial, session });
      expect(accepted.map((socket) => socket.isSessionReused())).toEqual([false, true]);

      const verdicts = (): unknown[] =>
        accepted.map((socket) => {
          const chain = presentedChain(socket);
          const serial = chain[0]?.serialNumber ?? "";
          expect(BigInt(`0x${serial}`)).toBe(client.serial);
          return credentials.current().verify(chain, "client", Date.now())?.reason ?? null;
        });
      expect(verdicts()).toEqual([null, null]);

      world.write(
        "list.crl",
        makeList(world.authority) + makeList(middle, { revoked: [client.serial] }),
      );
      await credentials.reload("file");
      expect(verdicts()).toEqual(["revoked", "revoked"]);
    },
  );

  it("is nothing when it was not asked", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open("clients");
    const server = createServer(credentials.current().contextOptions);
    const accepted = once(server, "secureConnection");
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    onTestFinished(() => void socket.destroy());
    const [serverSide] = (await accepted) as [TLSSocket];
    expect(presentedChain(serverSide)).toEqual([]);
    serverSide.destroy();
  });
});

interface Dial {
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  readonly version: SecureVersion;
  readonly session?: Buffer;
}

/** Stays connected until the end of the test. Its ticket, null for one that was resumed. */
async function handshake({ version, ...options }: Dial): Promise<Buffer | null> {
  const socket = connect({
    ...options,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
  });
  onTestFinished(() => void socket.destroy());
  const resumed = options.session !== undefined;
  const [[ticket]] = await Promise.all([
    resumed ? Promise.resolve([null]) : once(socket, "session"),
    once(socket, "data"),
  ]);
  return ticket as Buffer | null;
}
