import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { configurationMarkdown } from "../../src/config/document.ts";
import { settingNames } from "../../src/config/schema.ts";

const PAGE = new URL("../../../../docs/configuration.md", import.meta.url);

describe("docs/configuration.md", () => {
  it("is what the table of settings says (REWRITE=1 writes it anew)", () => {
    const wanted = configurationMarkdown();
    if (process.env["REWRITE"] === "1") writeFileSync(PAGE, wanted);
    expect(readFileSync(PAGE, "utf8")).toBe(wanted);
  });

  it("names every setting", () => {
    const page = configurationMarkdown();
    for (const name of settingNames()) expect(page).toContain(`### ${name}\n`);
  });
});
