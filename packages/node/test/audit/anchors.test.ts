import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Anchoring } from "../../src/audit/anchoring.ts";
import type { AuditAnchors } from "../../src/replica/access-state.ts";
import {
  auditDirectory,
  auditFiles,
  FaultyFileSystem,
  NODE_ID,
  note,
  recordsOnDisk,
  startWorld,
  until,
  written,
  type TrailWorld,
} from "./trail-world.ts";

/** The replicated state, of one node that is also the cluster. */
class FakeAnchors implements AuditAnchors {
  readonly state = new Map<string, { readonly sequence: number; readonly head: string }>();
  proposals = 0;
  applies = true;

  propose(
    anchor: { readonly sequence: number; readonly head: string },
    done: (applied: boolean) => void,
  ): void {
    this.proposals++;
    if (this.applies) this.state.set(NODE_ID, anchor);
    setImmediate(() => done(this.applies));
  }

  latest(): ReadonlyMap<string, { readonly sequence: number; readonly head: string }> {
    return this.state;
  }
}

/** Time passes, and what it starts is let happen. */
async function pass(world: TrailWorld, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 250) {
    world.clock.advance(250);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Time passes until it has happened: the disk takes its own. */
async function passUntil(world: TrailWorld, isDone: () => boolean, what: string): Promise<void> {
  await until(() => {
    if (isDone()) return true;
    world.clock.advance(250);
    return false;
  }, what);
}

describe("Anchors in the Raft log (S51)", () => {
  it("the head is witnessed every interval, when there is something new", async () => {
    const anchors = new FakeAnchors();
    let head = { sequence: 1, hash: "a1" };
    const anchoring = new Anchoring({
      nodeId: NODE_ID,
      intervalMs: 10_000,
      makeDurable: () => Promise.resolve(head),
      hashAt: () => Promise.resolve(null),
      mismatch: () => expect.unreachable("nothing is amiss"),
      failed: (error) => expect.unreachable(error.message),
    });
    anchoring.attach(anchors, () => true);
    const at = async (nowMs: number): Promise<number> => {
      anchoring.tick(nowMs);
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      return anchors.proposals;
    };
    expect(await at(0)).toBe(1);
    expect(anchoring.anchored()).toEqual(head);
    head = { sequence: 2, hash: "b2" };
    expect(await at(9999)).toBe(1);
    expect(await at(10_000)).toBe(2);
    expect(await at(20_000)).toBe(2);
    expect(anchoring.all()).toEqual([[NODE_ID, head]]);
  });

  it("the head of a trail is witnessed, and that can be seen", async () => {
    const world = await startWorld();
    const anchors = new FakeAnchors();
    world.trail.attachAnchors(anchors, () => true);
    await written(world.trail);
    await passUntil(world, () => anchors.proposals === 1, "the anchor");
    expect(world.trail.status().anchored).toEqual(world.trail.status().head);
    expect(world.trail.status().anchors).toEqual([[NODE_ID, world.trail.status().head]]);
    await world.trail.close();
  });

  it("an anchor that did not get into the log is proposed again", async () => {
    const world = await startWorld();
    const anchors = new FakeAnchors();
    anchors.applies = false;
    world.trail.attachAnchors(anchors, () => true);
    await written(world.trail);
    await passUntil(world, () => anchors.proposals >= 2, "trying again");
    expect(world.trail.status().anchored).toBeNull();
    await world.trail.close();
  });

  it("nothing is witnessed that a power cut could take away, or before the node has caught up", async () => {
    const fileSystem = new FaultyFileSystem();
    const world = await startWorld({ fileSystem, settings: { auditFsync: "no" } });
    const anchors = new FakeAnchors();
    let isCaughtUp = false;
    world.trail.attachAnchors(anchors, () => isCaughtUp);
    await written(world.trail);
    await pass(world, 11_000);
    expect(anchors.proposals).toBe(0);
    isCaughtUp = true;
    fileSystem.syncError = "EIO";
    await pass(world, 11_000);
    expect(anchors.proposals).toBe(0);
    fileSystem.syncError = null;
    world.trail.record(note("x"));
    await passUntil(world, () => anchors.proposals === 1, "the anchor");
    expect(world.trail.status().anchored?.sequence).toBeGreaterThanOrEqual(2);
    await world.trail.close();
  });

  async function anchoredTrail(): Promise<{ dataDirectory: string; anchors: FakeAnchors }> {
    const world = await startWorld();
    const anchors = new FakeAnchors();
    world.trail.attachAnchors(anchors, () => true);
    for (let at = 0; at < 5; at++) world.trail.record(note(String(at)));
    await written(world.trail);
    await passUntil(world, () => anchors.proposals === 1, "the anchor");
    await world.trail.close();
    return { dataDirectory: world.dataDirectory, anchors };
  }

  it("a node whose files are as they were finds nothing wrong", async () => {
    const { dataDirectory, anchors } = await anchoredTrail();
    const world = await startWorld({ dataDirectory });
    world.trail.attachAnchors(anchors, () => true);
    await pass(world, 11_000);
    await world.trail.close();
    expect(world.complaints).toEqual([]);
    expect(recordsOnDisk(dataDirectory)).toHaveLength(6);
  });

  it("a tail that was cut while the node was down is noticed, and no sequence is used twice", async () => {
    const { dataDirectory, anchors } = await anchoredTrail();
    const [file] = auditFiles(dataDirectory);
    const lines = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, `${lines.slice(0, 3).join("\n")}\n`);
    const world = await startWorld({ dataDirectory });
    world.trail.attachAnchors(anchors, () => true);
    await passUntil(world, () => world.trail.status().head.sequence >= 7, "noticing");
    await written(world.trail);
    await world.trail.close();
    const records = recordsOnDisk(dataDirectory);
    expect(records.slice(3)).toMatchObject([
      { seq: 4, action: "audit.anchor.mismatch", severity: "alert", after: "6:missing" },
      { seq: 7, action: "audit.chain.started", reason: expect.stringContaining("missing") },
    ]);
    expect(world.complaints).toEqual([
      "the audit trail is not the one that the cluster has witnessed",
    ]);
  });

  it("a trail that was removed or made anew while the node was down is noticed", async () => {
    const { dataDirectory, anchors } = await anchoredTrail();
    const witnessed = anchors.state.get(NODE_ID)?.head;
    rmSync(auditDirectory(dataDirectory), { recursive: true });
    const world = await startWorld({ dataDirectory });
    for (let at = 0; at < 20; at++) world.trail.record(note(`forged ${at}`));
    world.trail.attachAnchors(anchors, () => true);
    await written(world.trail);
    await passUntil(world, () => world.trail.status().head.sequence >= 22, "noticing");
    await world.trail.close();
    const mismatch = recordsOnDisk(dataDirectory).find(
      ({ action }) => action === "audit.anchor.mismatch",
    );
    expect(mismatch).toMatchObject({ before: `6:${witnessed}` });
  });
});
