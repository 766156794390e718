import { describe, expect, it } from "vitest";
import { IdentityBindings } from "../../src/peers/identity-bindings.ts";

describe("S31, S32: a certificate's name that a pattern allows", () => {
  it("belongs to the member that came with it first, and to no other", () => {
    const bindings = new IdentityBindings();
    expect(bindings.conflict("a", "dns:one")).toBeNull();
    bindings.bind("a", "dns:one");
    expect(bindings.conflict("a", "dns:one")).toBeNull();
    expect(bindings.conflict("b", "dns:one")).toMatch(/is that of "a", and "b" comes with it/);
    expect(bindings.conflict("b", "dns:two")).toBeNull();
  });

  it("can not be exchanged for another while the process lives", () => {
    const bindings = new IdentityBindings();
    bindings.bind("a", "dns:one");
    expect(bindings.conflict("a", "dns:two")).toMatch(/was known by the name dns:one/);
  });

  it("is free again when its member is none any more", () => {
    const bindings = new IdentityBindings();
    bindings.bind("a", "dns:one");
    bindings.forget("b");
    bindings.forget("a");
    expect(bindings.conflict("b", "dns:one")).toBeNull();
    expect(bindings.conflict("a", "dns:two")).toBeNull();
  });
});
