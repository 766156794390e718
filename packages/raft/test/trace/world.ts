/** The small cluster a trace plays on: nothing happens but what its commands say, and everything is written down. */
import type { Message, Ready } from "../../src/index.ts";
import type { NodeEvents, TestNode } from "../harness/test-node.ts";
import { describeMessage, describeReady } from "./describe.ts";

export class TraceWorld implements NodeEvents {
  readonly nodes = new Map<string, TestNode>();
  /** Messages that left and did not arrive yet, oldest first. */
  inFlight: Message[] = [];
  readonly cutLinks = new Set<string>();
  /** Nodes whose disk writes wait for the command `persist`. */
  readonly held = new Set<string>();
  #lines: string[] = [];

  say(line: string): void {
    this.#lines.push(line);
  }

  takeLines(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  node(id: string): TestNode {
    const node = this.nodes.get(id);
    if (node === undefined) {
      throw new Error(`there is no node "${id}"`);
    }
    return node;
  }

  /** Does something at a node, and carries out what it then wants. */
  act(id: string, action: (node: TestNode) => void): void {
    const node = this.node(id);
    action(node);
    this.carryOut(node);
  }

  carryOut(node: TestNode): void {
    node.pump();
    while (node.up && !this.held.has(node.id) && node.disk.pendingWrites > 0) {
      node.completeWrite();
    }
  }

  /** Delivers the oldest message, or loses it where the link is cut or nobody is there. */
  deliverOne(): void {
    const message = this.inFlight.shift();
    if (message === undefined) {
      return;
    }
    const lost = this.cutLinks.has(`${message.from}>${message.to}`) || !this.node(message.to).up;
    this.say(`${lost ? "lost" : "recv"} ${describeMessage(message)}`);
    if (!lost) {
      this.act(message.to, (node) => node.core.step(message));
    }
  }

  // What the nodes tell.

  send(message: Message): void {
    this.inFlight.push(message);
  }

  readyTaken(node: TestNode, ready: Ready): void {
    describeReady(node.id, ready).forEach((line) => this.say(line));
  }

  appended(): void {
    // Written down by readyTaken, as is everything below that a Ready names.
  }

  applied(): void {}

  installed(node: TestNode): void {
    this.say(`  ${node.id} installs the snapshot at ${node.appliedIndex}`);
  }

  readConfirmed(): void {}

  readFailed(): void {}
}
