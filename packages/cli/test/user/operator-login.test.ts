/** As whom `ferrite user` acts, and where its passwords come from. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OneNode } from "./one-node.ts";

let node: OneNode;

beforeAll(async () => {
  node = await OneNode.start();
});

afterAll(async () => {
  await node.stop();
});

describe("Whom ferrite user logs in as", () => {
  it("takes a Unix socket instead of host and port", async () => {
    expect((await node.run(["user", "list", "--unixsocket", node.socketPath])).code).toBe(0);
    const nowhere = join(node.directory, "nothing");
    expect((await node.run(["user", "list", "--unixsocket", nowhere])).errors).toBe(
      `ferrite: ${nowhere}: nobody listens there`,
    );
  });

  it("says where nobody listens", async () => {
    expect((await node.run(["user", "list", "--port", "1"])).errors).toBe(
      "ferrite: 127.0.0.1:1: nobody listens there",
    );
  });

  it("asks for the password of --user at a terminal, or says how to give it", async () => {
    await node.user(["set", "operator", "reset", "on", "+acl"]);
    await node.user(["passwd", "operator", "--stdin"], { piped: "pw" });
    const asked = await node.user(["list", "--user", "operator"], { typed: ["pw"] });
    expect(asked).toMatchObject({
      code: 0,
      prompts: [`Password of operator on 127.0.0.1:${node.port}: `],
    });
    expect(await node.user(["list", "--user", "operator"])).toMatchObject({
      code: 1,
      errors: expect.stringContaining(
        "a password is needed: give it in FERRITE_PASSWORD",
      ) as string,
    });
  });

  it("takes it from a file, standard input, FERRITE_PASSWORD or REDISCLI_AUTH", async () => {
    const file = join(node.directory, "login-password");
    writeFileSync(file, "pw\n");
    const login = ["list", "--user", "operator"];
    expect((await node.user([...login, "--login-password-file", file])).code).toBe(0);
    const dash = await node.user([...login, "--login-password-file", "-"], { piped: "pw" });
    expect(dash.code).toBe(0);
    for (const name of ["FERRITE_PASSWORD", "REDISCLI_AUTH"]) {
      expect((await node.user(login, { environment: { [name]: "pw" } })).code).toBe(0);
    }
  });

  it("says when the password is wrong, and does not repeat it", async () => {
    const environment = { FERRITE_PASSWORD: "sesame" };
    const { code, errors } = await node.user(["list", "--user", "operator"], { environment });
    expect([code, errors]).toEqual([
      1,
      `ferrite: 127.0.0.1:${node.port}: the password of operator is wrong, or there is no such user, or it is disabled`,
    ]);
  });

  it("says when a password is given and the default user has none", async () => {
    const environment = { FERRITE_PASSWORD: "pw" };
    expect((await node.user(["list"], { environment })).errors).toContain(
      "the default user has no password there",
    );
  });

  it("repeats what an operator may not do", async () => {
    await node.user(["set", "weak", "on", "nopass"]);
    const environment = { FERRITE_PASSWORD: "x" };
    expect((await node.user(["list", "--user", "weak"], { environment })).errors).toBe(
      "ferrite: NOPERM this user has no permissions to run the 'acl|users' command",
    );
  });

  it("asks for the default user's password where it has one", async () => {
    await node.user(["passwd", "default", "--stdin"], { piped: "pw" });
    const asked = await node.user(["list"], { typed: ["pw"] });
    expect([asked.code, asked.prompts]).toEqual([
      0,
      [`Password of default on 127.0.0.1:${node.port}: `],
    ]);
    const back = await node.user(["set", "default", "nopass"], { typed: ["pw"] });
    expect(back.code).toBe(0);
  });

  it.each(["list", "show", "set", "passwd", "explain", "delete"])(
    "%s has a help of its own",
    async (name) => {
      const { code, printed } = await node.run(["user", name, "--help"]);
      expect(code).toBe(0);
      expect(printed.join("\n")).toContain("--login-password-file");
    },
  );
});
