/** A disk of made-up files under the real service: what rewriting does to them shows in the list. */
import { randomBytes } from "node:crypto";
import { NodeFileSystem, type AtRestKeys } from "@ferrite/storage";
import { onTestFinished, vi } from "vitest";
import { AtRestService } from "../../src/at-rest/at-rest-service.ts";
import type { DiskFile, DiskFiles } from "../../src/at-rest/disk-files.ts";
import { GivenKey } from "../../src/at-rest/given-key.ts";
import { keyringPath, OpenKeyring, readKeyringFile } from "../../src/at-rest/keyring-file.ts";
import { newKeyring, type Keyring } from "../../src/at-rest/keyring.ts";
import type { KeySource } from "../../src/at-rest/key-source.ts";
import type { AuditEvent } from "../../src/audit/audit-trail.ts";
import { temporaryDirectory } from "../access/temporary-directory.ts";

export const CONTEXT = { nodeId: "node-1", clusterId: "cluster-1" };

export function newSource(): GivenKey {
  return new GivenKey(randomBytes(32).toString("base64"));
}

export class FakeDisk implements DiskFiles {
  files: DiskFile[] = [];
  readonly calls: string[] = [];
  keys: AtRestKeys | null = null;
  isBusy = false;
  failure: Error | null = null;

  /** A file under a node key; null: not encrypted. */
  add(path: string, nodeKeyId: number | null): void {
    const nodeKeyIds = nodeKeyId === null ? [] : [nodeKeyId];
    this.files.push({ path, sizeBytes: 100, encrypted: nodeKeyId !== null, nodeKeyIds });
  }

  useKeys(keys: AtRestKeys): void {
    this.keys = keys;
    this.calls.push(`useKeys ${[keys.current, ...keys.older].map(({ id }) => id).join(" ")}`);
  }

  roll(): Promise<void> {
    this.calls.push("roll");
    return Promise.resolve();
  }

  list(): readonly DiskFile[] {
    if (this.failure !== null) throw this.failure;
    return [...this.files];
  }

  hasEarlierWork(): boolean {
    return this.isBusy;
  }

  rewrap(files: readonly DiskFile[], keys: AtRestKeys): Promise<void> {
    this.calls.push(`rewrap ${files.map(({ path }) => path).join(" ")}`);
    const paths = new Set(files.map(({ path }) => path));
    this.files = this.files.map((file) =>
      paths.has(file.path) ? { ...file, nodeKeyIds: [keys.current.id] } : file,
    );
    return Promise.resolve();
  }

  renew(plain: readonly DiskFile[]): void {
    this.calls.push(`renew ${plain.map(({ path }) => path).join(" ")}`);
    this.files = this.files.filter((file) => file.encrypted);
  }
}

export class ServiceWorld {
  readonly disk: FakeDisk = new FakeDisk();
  readonly events: AuditEvent[] = [];
  readonly logged: string[] = [];
  readonly path: string = keyringPath(temporaryDirectory());
  source: KeySource = newSource();
  service!: AtRestService;
  keyring!: OpenKeyring;

  /** A node that was just given its first keyring. Time is the test's. */
  static async create(acceptsPlainFiles = false): Promise<ServiceWorld> {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const world = new ServiceWorld();
    const at = { fileSystem: new NodeFileSystem(), path: world.path };
    world.keyring = await OpenKeyring.create(
      at,
      newKeyring(CONTEXT, acceptsPlainFiles),
      world.source,
    );
    world.start(true);
    return world;
  }

  /** As after a crash: the keyring is read from its file, the disk is what it was. */
  async restart(): Promise<void> {
    this.service.close();
    const fileSystem = new NodeFileSystem();
    const file = readKeyringFile(fileSystem, this.path);
    if (file === null) throw new Error("there is no keyring");
    this.keyring = await OpenKeyring.open({ fileSystem, path: this.path }, file, this.source);
    this.start(false);
  }

  attach(): void {
    this.service.attach({
      disk: this.disk,
      audit: { record: (event) => void this.events.push(event), refusal: () => null },
    });
  }

  /** What stands in the file. */
  async stored(): Promise<Keyring> {
    const fileSystem = new NodeFileSystem();
    const file = readKeyringFile(fileSystem, this.path);
    if (file === null) throw new Error("there is no keyring");
    return (await OpenKeyring.open({ fileSystem, path: this.path }, file, this.source)).contents;
  }

  get actions(): string[] {
    return this.events.map(({ action, outcome }) => `${action} ${outcome}`);
  }

  private start(isNew: boolean): void {
    const log = (_: object, message: string): void => void this.logged.push(message);
    this.service = new AtRestService({
      keyring: this.keyring,
      isNew,
      source: () => this.source,
      logger: { info: log, warn: log, error: log },
    });
    const { service } = this;
    onTestFinished(() => service.close());
  }
}
