/** One real node in this process, for the commands that talk to it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNode, type NodeHandle } from "@ferrite/node";
import { parseConfig } from "@ferrite/node/config";
import { run } from "../../src/program.ts";
import { FakeWorld } from "../fixtures/fake-world.ts";

export interface Answer {
  readonly code: number;
  readonly printed: readonly string[];
  readonly errors: string;
  readonly prompts: readonly string[];
}

export interface Person {
  readonly typed?: string[];
  readonly piped?: string;
  readonly environment?: Record<string, string>;
}

export class OneNode {
  readonly directory: string;
  readonly socketPath: string;
  readonly #node: NodeHandle;

  private constructor(directory: string, node: NodeHandle) {
    this.directory = directory;
    this.socketPath = join(directory, "socket");
    this.#node = node;
  }

  /** `settings` sees the directory of the node, which is removed with it. */
  static async start(
    settingsFor: (directory: string) => Promise<Record<string, string>> = () => Promise.resolve({}),
  ): Promise<OneNode> {
    const directory = mkdtempSync(join(tmpdir(), "ferrite-cli-user-"));
    const settings = {
      dir: join(directory, "data"),
      port: "0",
      "http-port": "0",
      unixsocket: join(directory, "socket"),
      "password-hash-iterations": "1000",
      "log-segment-bytes": "1mb",
      ...(await settingsFor(directory)),
    };
    const flags = Object.entries(settings).map(([name, value]) => ({
      name,
      value,
      flag: `--${name}`,
    }));
    const host = { hostname: "box", workingDirectory: directory, isTerminal: false };
    const { config } = parseConfig({ flags }, host);
    return new OneNode(directory, await startNode({ config }));
  }

  get port(): string {
    return this.#node.addresses.resp[0]?.split(":").at(-1) ?? "";
  }

  get tlsPort(): string {
    return this.#node.addresses.tls[0]?.split(":").at(-1) ?? "";
  }

  /** `ferrite user <words>`; the options for the connection come right behind the sub-command. */
  async user(words: readonly string[], person: Person = {}): Promise<Answer> {
    const [subcommand = "", ...rest] = words;
    return this.run(["user", subcommand, "--port", this.port, ...rest], person);
  }

  /** Any command line. */
  async run(args: readonly string[], person: Person = {}): Promise<Answer> {
    const world = new FakeWorld();
    world.typed = person.typed ?? null;
    world.piped = person.piped ?? "";
    world.environment = person.environment ?? {};
    const code = await run(args, world);
    return { code, printed: world.printed, errors: world.errors, prompts: world.prompts };
  }

  async stop(): Promise<void> {
    await this.#node.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
