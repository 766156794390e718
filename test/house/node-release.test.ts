import { expect, test } from "vitest";

import { isUsableRelease, toolchainVersions } from "../../scripts/setup/node-release.mjs";
import { repository } from "./planted-tree.ts";

test.each([
  ["20.20.2", false],
  ["22.12.0", false],
  ["22.18.0", true],
  ["22.23.3", true],
  ["23.11.0", false],
  ["24.17.0", true],
  ["24.18.0", false],
  ["24.21.0", false],
  ["24.22.0", true],
  ["25.1.0", false],
  ["26.0.0", true],
])("Node.js %s is used as it is: %s", (version, usable) => {
  expect(isUsableRelease(version)).toBe(usable);
});

test("The release that the toolchain brings is one that is used", () => {
  const { nodeVersion } = toolchainVersions(repository);
  expect(isUsableRelease(nodeVersion)).toBe(true);
});
