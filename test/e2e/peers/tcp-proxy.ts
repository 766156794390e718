/** Stands between a dialer and a listener: keeps what passes, and can hold it back or cut it off. */
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

export class TcpProxy {
  readonly address: string;
  /** Everything the dialer sent. */
  readonly captured: Buffer[] = [];
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  #held = false;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async to(target: string): Promise<TcpProxy> {
    const [host, port] = target.split(":") as [string, string];
    const sockets = new Set<Socket>();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new TcpProxy(server, sockets);
    server.on("connection", (inbound) => {
      const outbound = connect({ host, port: Number(port) });
      for (const [socket, other] of [
        [inbound, outbound],
        [outbound, inbound],
      ] as const) {
        sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
      }
      inbound.on("data", (chunk) => {
        proxy.captured.push(chunk);
        outbound.write(chunk);
      });
      outbound.on("data", (chunk) => {
        inbound.write(chunk);
      });
      if (proxy.#held) {
        inbound.pause();
      }
    });
    return proxy;
  }

  /** Takes nothing more from the dialers: their bytes pile up. */
  hold(): void {
    this.#held = true;
    for (const socket of this.#sockets) {
      socket.pause();
    }
  }

  release(): void {
    this.#held = false;
    for (const socket of this.#sockets) {
      socket.resume();
    }
  }

  /** Breaks every connection that passes through, as a reset network would. */
  cut(): void {
    for (const socket of this.#sockets) {
      socket.resetAndDestroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
