/** Stands between a dialer and a listener: keeps what passes, and can hold it back, slow it down or cut it off. */
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

export interface TcpProxyOptions {
  /** So much of what the dialer sends is passed on; without it as much as the line takes, and all is kept. */
  readonly bytesPerMs?: number;
}

export class TcpProxy {
  readonly address: string;
  /** Everything the dialer sent, unless the proxy is slow. */
  readonly captured: Buffer[] = [];
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  #held = false;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async to(target: string, options: TcpProxyOptions = {}): Promise<TcpProxy> {
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
      const { bytesPerMs } = options;
      if (bytesPerMs === undefined) {
        inbound.on("data", (chunk) => {
          proxy.captured.push(chunk);
          outbound.write(chunk);
        });
      } else {
        passSlowly(inbound, outbound, bytesPerMs);
      }
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

/** Reads no faster than it passes on, so that what is too much stays with the dialer. */
function passSlowly(inbound: Socket, outbound: Socket, bytesPerMs: number): void {
  inbound.on("data", (chunk) => {
    outbound.write(chunk);
    inbound.pause();
    setTimeout(() => inbound.resume(), chunk.length / bytesPerMs);
  });
  inbound.on("end", () => outbound.end());
}
