import { describe, expect, it } from "vitest";
import { DialAddresses } from "../../src/peers/dial-addresses.ts";
import { MEMBERS_MAX } from "../../src/peers/hello.ts";
import { MemberTable } from "../../src/peers/member-table.ts";

const member = (name: string, id = `id-${name}`) => ({
  id,
  name,
  peerAddress: `${name}.table:1`,
  clientAddress: "",
});
const hint = (name: string, peerAddress = `${name}.heard:1`) => ({
  id: `id-${name}`,
  name,
  peerAddress,
});

function tableOf(names: readonly string[], peers: readonly string[] = []): MemberTable {
  const configured = peers.map((name) => ({ name, address: `${name}.configured:1` }));
  const table = new MemberTable("a", configured);
  const nobody = { welcome: [], removed: [], featureLevel: 0 };
  table.set({ members: names.map((name) => member(name)), ...nobody });
  return table;
}

const namesOf = (table: MemberTable): string[] =>
  table
    .targets()
    .map(({ name }) => name)
    .toSorted();

describe("the peers of a node", () => {
  it("are the members, but for itself, whom the operator names, and whom one of these vouches for", () => {
    const table = tableOf(["a", "b"], ["c"]);
    expect(namesOf(table)).toEqual(["b", "c"]);
    table.vouch("b", [hint("b"), hint("d"), hint("a")]);
    expect(namesOf(table)).toEqual(["b", "c", "d"]);
    table.vouch("d", [hint("e")]);
    expect(namesOf(table)).toEqual(["b", "c", "d", "e"]);
    const trusted = ["a", "b", "c", "d", "e", "f"].filter((name) => table.isTrusted(name));
    expect(trusted).toEqual(["b", "c", "d", "e"]);
  });

  it("are not those for whom nobody vouches any more, nor whom a stranger names", () => {
    const table = tableOf(["a", "b"]);
    table.vouch("b", [hint("d")]);
    table.vouch("d", [hint("e")]);
    expect(table.vouch("b", [hint("b")])).toBe(true);
    expect(namesOf(table)).toEqual(["b"]);
    // What the one said who is not trusted any more is forgotten: it does not count when it comes back.
    table.vouch("b", [hint("d")]);
    expect(namesOf(table)).toEqual(["b", "d"]);
    table.vouch("x", [hint("y")]);
    expect(namesOf(table)).toEqual(["b", "d"]);
  });

  it("are strangers when only the operator names them and there is a cluster that does not", () => {
    const strangers = (table: MemberTable): string[] =>
      table.targets().flatMap(({ name, isStranger }) => (isStranger ? [name] : []));
    expect(strangers(new MemberTable("a", [{ name: "c", address: "c:1" }]))).toEqual([]);
    const table = tableOf(["a", "b"], ["b", "c"]);
    expect(strangers(table)).toEqual(["c"]);
    table.vouch("b", [hint("c")]);
    expect(strangers(table)).toEqual([]);
  });

  it("are looked for where the operator says, then where the table and others say", () => {
    const table = tableOf(["a", "b"], ["b"]);
    table.vouch("b", [hint("b")]);
    expect(table.targets()[0]).toEqual({
      name: "b",
      id: "id-b",
      addresses: { configured: "b.configured:1", others: ["b.table:1", "b.heard:1"] },
      isStranger: false,
    });
  });

  it("can not be made many by what is said: names are bounded", () => {
    const table = tableOf(["a", "b"]);
    const voucher = (i: number): string => (i === 0 ? "b" : `v${i - 1}-0`);
    for (let i = 0; i < 10; i++) {
      const names = Array.from({ length: MEMBERS_MAX }, (_, at) => hint(`v${i}-${at}`));
      table.vouch(voucher(i), names);
    }
    expect(table.targets().length).toBeLessThanOrEqual(4 * MEMBERS_MAX);
    expect(table.targets().length).toBeGreaterThan(3 * MEMBERS_MAX);
  });

  it("tell news from what is known already", () => {
    const table = tableOf(["a", "b"]);
    expect(table.vouch("b", [hint("c")])).toBe(true);
    expect(table.vouch("b", [hint("c")])).toBe(false);
    expect(table.vouch("b", [hint("c", "elsewhere:2")])).toBe(true);
  });
});

describe("the addresses of a peer (O05)", () => {
  const known = { configured: "configured:1", others: ["table:1", "heard:1"] };

  it("are tried in the order of who knows best, each once", () => {
    const addresses = new DialAddresses(known);
    expect(addresses.all()).toEqual(["configured:1", "table:1", "heard:1"]);
    expect(addresses.say("said:1")).toBe(true);
    addresses.itWorked("heard:1");
    expect(addresses.all()).toEqual(["heard:1", "configured:1", "said:1", "table:1"]);
    addresses.setKnown({ configured: null, others: ["new:1"] });
    expect(addresses.all()).toEqual(["heard:1", "said:1", "new:1"]);
  });

  it("are news once, and only when they can be dialed", () => {
    const addresses = new DialAddresses(known);
    expect([addresses.say("said:1"), addresses.say("said:1")]).toEqual([true, false]);
    for (const text of ["", "nonsense", "host:0"]) expect(addresses.say(text)).toBe(false);
    expect(new DialAddresses({ configured: "h:0", others: ["", "x:1"] }).all()).toEqual(["x:1"]);
  });

  it("are no more than sixteen", () => {
    const others = Array.from({ length: 40 }, (_, i) => `h${i}:1`);
    expect(new DialAddresses({ configured: null, others }).all()).toEqual(others.slice(0, 16));
  });
});
