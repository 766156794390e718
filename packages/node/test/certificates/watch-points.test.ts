import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { systemCertificatePorts } from "../../src/certificates/system-files.ts";
import { watchPoints } from "../../src/certificates/watch-points.ts";
import { openCredentials } from "../../src/certificates/watched-credentials.ts";
import { makeNode } from "./certificate-maker.ts";
import { CredentialWorld, NODE_NAME } from "./credential-world.ts";

let root = "";

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "ferrite-watch-")));
  const made = root;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
});

function pointsOf(...paths: readonly string[]): Record<string, readonly string[] | "all"> {
  const points = [...watchPoints(paths)].map(([directory, names]) => [
    directory.slice(root.length),
    names === "all" ? names : [...names].sort(),
  ]);
  return Object.fromEntries(points) as Record<string, readonly string[] | "all">;
}

/** As the kubelet lays out a secret. */
function kubernetesSecret(files: Readonly<Record<string, string>>, generation: string): void {
  mkdirSync(join(root, generation));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(root, generation, name), text);
  symlinkSync(generation, join(root, "..data_tmp"));
  renameSync(join(root, "..data_tmp"), join(root, "..data"));
}

describe("Where a path can change", () => {
  it("is its directory, for a file and for one that is not there yet", () => {
    writeFileSync(join(root, "a.crt"), "");
    expect(pointsOf(join(root, "a.crt"), join(root, "b.key"))).toEqual({ "": ["a.crt", "b.key"] });
    expect(pointsOf(join(root, "later", "a.crt"))).toEqual({ "": ["later"] });
  });

  it("is every link on the way, as Kubernetes turns them", () => {
    kubernetesSecret({ "tls.crt": "" }, "..2026_01");
    symlinkSync("..data/tls.crt", join(root, "tls.crt"));
    expect(pointsOf(join(root, "tls.crt"))).toEqual({
      "": ["..data", "tls.crt"],
      "/..2026_01": ["tls.crt"],
    });
  });

  it("is everything in a directory of authorities", () => {
    mkdirSync(join(root, "real"));
    symlinkSync("real", join(root, "link"));
    expect(pointsOf(`${join(root, "link")}/`)).toEqual({ "": ["link", "real"], "/real": "all" });
  });

  it("ends where links go around in a circle", () => {
    symlinkSync("b", join(root, "a"));
    symlinkSync("a", join(root, "b"));
    expect(pointsOf(join(root, "a"))).toEqual({ "": ["a", "b"] });
  });
});

describe("A secret that Kubernetes replaces (S33)", () => {
  it("is taken as soon as its link turns, certificate and key together", async () => {
    const world = new CredentialWorld();
    const first = makeNode(NODE_NAME, world.authority);
    const second = makeNode(NODE_NAME, world.authority);
    const contents = (made: typeof first) => ({
      "ca.crt": world.authority.pem,
      "tls.crt": made.pem,
      "tls.key": made.keyPem,
    });
    kubernetesSecret(contents(first), "..2026_01");
    for (const name of ["ca.crt", "tls.crt", "tls.key"]) {
      symlinkSync(`..data/${name}`, join(root, name));
    }
    const files = {
      ...world.files,
      certFile: join(root, "tls.crt"),
      keyFile: join(root, "tls.key"),
      caFile: join(root, "ca.crt"),
    };
    // The real watch and the real clock: what is to be shown is that the system tells.
    const ports = systemCertificatePorts(world.ports.logger);
    const credentials = await openCredentials(
      { ...world.options("peers", { files }), reloadIntervalMs: 0 },
      { ports, onEvent: (event) => void world.events.push(event) },
    );
    onTestFinished(() => credentials.close());
    for (const [made, generation] of [
      [second, "..2026_02"],
      [makeNode(NODE_NAME, world.authority), "..2026_03"],
    ] as const) {
      const changed = new Promise<bigint>((resolve) => {
        const end = credentials.onChange((now) => {
          end();
          resolve(BigInt(`0x${now.certificate.serialNumber}`));
        });
      });
      kubernetesSecret(contents(made), generation);
      expect(await changed).toBe(made.serial);
    }
    expect(world.eventsOf("refused")).toEqual([]);
  });
});
