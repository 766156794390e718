/** Stands before a port and can lose everything that is sent to it, as a network that fails in one direction does. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class GatedProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  #losing: "nothing" | "inbound" | "both" = "nothing";

  /** `targetPort` need not be listened on yet. */
  static async before(targetPort: number): Promise<GatedProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new GatedProxy(server, targetPort);
  }

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (inbound) => {
      const outbound = connect({ host: "127.0.0.1", port: targetPort, noDelay: true });
      inbound.setNoDelay(true);
      this.#follow(inbound, outbound);
      this.#follow(outbound, inbound);
      inbound.on("data", (bytes) => this.isLosing || outbound.write(bytes));
      outbound.on("data", (bytes) => this.#losing === "both" || inbound.write(bytes));
    });
  }

  get isLosing(): boolean {
    return this.#losing !== "nothing";
  }

  /** From now on nothing reaches the port; what comes from it still passes, unless both directions are lost. */
  lose(direction: "inbound" | "both" = "inbound"): void {
    this.#losing = direction;
  }

  /** New connections pass again. Those that lost something are of no use any more. */
  pass(): void {
    this.#losing = "nothing";
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #follow(socket: Socket, other: Socket): void {
    this.#sockets.add(socket);
    // Either side's end is the other's; why a connection broke is seen by the nodes.
    socket.on("error", () => other.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      other.destroy();
    });
  }
}
