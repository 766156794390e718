/** Connects, says nothing, and listens to what it is told. */
import { connect, type Socket } from "node:net";
import { until } from "../../../e2e/harness/cluster.ts";

export class SilentClient {
  readonly #socket: Socket;
  #received = "";
  #isClosed = false;

  /** `localAddress`: where it comes from. */
  static async connect(port: number, host: string, localAddress?: string): Promise<SilentClient> {
    const from = localAddress === undefined ? {} : { localAddress };
    const socket = connect({ port, host, ...from });
    const client = new SilentClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return client;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => (this.#received += bytes.toString("latin1")));
    // A reset is an end like any other.
    socket.on("error", () => undefined);
    socket.on("close", () => (this.#isClosed = true));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** All it was told until the node closed the connection. */
  async lastWords(): Promise<string> {
    await until("the node closes the connection", () => this.#isClosed);
    return this.#received;
  }

  close(): void {
    this.#socket.destroy();
  }
}
