import { describe, expect, it } from "vitest";
import { createLogger } from "../../src/logging/logger.ts";

function capture(): { lines: string[]; write(line: string): void } {
  const lines: string[] = [];
  return { lines, write: (line) => void lines.push(line) };
}

describe("the logger", () => {
  it("writes one JSON object per line, with level as a word, time and the node's name", () => {
    const destination = capture();
    createLogger({ level: "info", nodeName: "n1", destination }).info({ port: 1 }, "listening");
    const line = JSON.parse(destination.lines[0] ?? "") as Record<string, unknown>;
    expect(line).toMatchObject({ level: "info", node: "n1", port: 1, msg: "listening" });
    expect(new Date(String(line["time"])).getTime()).toBeGreaterThan(0);
  });

  it("says nothing below its level", () => {
    const destination = capture();
    createLogger({ level: "warn", nodeName: "n1", destination }).info("hello");
    expect(destination.lines).toEqual([]);
  });

  it("hides secrets, also one level down and in child loggers", () => {
    const destination = capture();
    const logger = createLogger({ level: "info", nodeName: "n1", destination });
    logger.info({ requirepass: "hush", settings: { "cluster-token": "hush", port: 5 } }, "start");
    logger.child({ part: "x" }).warn({ password: "hush" }, "again");
    expect(destination.lines.join("")).not.toContain("hush");
    expect(destination.lines[0]).toContain('"port":5');
  });
});
