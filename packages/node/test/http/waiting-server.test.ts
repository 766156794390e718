import { afterEach, expect, it } from "vitest";
import { startWaitingServer, type HttpServerHandle } from "../../src/http/http-server.ts";

let server: HttpServerHandle | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

it("a node that waits for its cluster lives, is not ready, and says what it waits for", async () => {
  let problem = "Waiting for n2 to form the cluster.";
  server = await startWaitingServer({ host: "127.0.0.1", port: 0, problem: () => problem });
  const { port } = server.address;
  const get = async (path: string): Promise<[number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return [answer.status, await answer.text()];
  };
  expect(await get("/health")).toEqual([200, "ok\n"]);
  expect(await get("/livez")).toEqual([200, "ok\n"]);
  expect(await get("/readyz")).toEqual([
    503,
    "[-]cluster failed: Waiting for n2 to form the cluster.\nreadyz check failed\n",
  ]);
  problem = "Asking to join.";
  expect((await get("/readyz?verbose"))[1]).toContain("Asking to join.");
  expect((await get("/metrics"))[0]).toBe(503);
  expect((await get("/else"))[0]).toBe(404);
});
