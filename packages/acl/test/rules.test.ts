import { describe, expect, it } from "vitest";
import { createUserTable } from "../src/user-table.ts";
import { testCatalogue } from "./support/catalogue.ts";
import { storedForm } from "./support/stored-password.ts";

const catalogue = testCatalogue();

/** The user's line behind "user u", or the error. */
function after(...rules: string[]): string {
  const table = createUserTable(catalogue);
  const outcome = table.setUser("u", rules, 0);
  return outcome.ok
    ? (table.get("u")?.describe().slice("user u ".length) ?? "")
    : outcome.errorText;
}

function error(rule: string, reason: string): string {
  return `ERR Error in ACL SETUSER modifier '${rule}': ${reason}`;
}

const SYNTAX = "Syntax error";
const UNKNOWN = "Unknown command or category name in ACL";
const NONE = "off resetchannels -@all";

describe("a new user", () => {
  it("is off, without password, and may do nothing (F17)", () => {
    expect(after()).toBe(NONE);
  });
});

describe("flags and passwords", () => {
  it.each([
    [["on"], "on resetchannels -@all"],
    [["ON", "off"], NONE],
    [["nopass"], "off nopass resetchannels -@all"],
    [["sanitize-payload"], "off sanitize-payload resetchannels -@all"],
    [["skip-sanitize-payload"], "off skip-sanitize-payload resetchannels -@all"],
    [["skip-sanitize-payload", "Sanitize-Payload"], "off sanitize-payload resetchannels -@all"],
    [["on", "nopass", "~a", "+get", "reset"], "off sanitize-payload resetchannels -@all"],
    [[""], NONE],
  ])("%j is printed as %j (F18, F20)", (rules, line) => {
    expect(after(...rules)).toBe(line);
  });

  const one = storedForm(1);
  const two = storedForm(2);
  it.each([
    [[`#${one}`, `#${one}`, `#${two}`], `off #${one} #${two} resetchannels -@all`],
    [["nopass", `#${one}`], `off #${one} resetchannels -@all`],
    [[`#${one}`, "nopass"], "off nopass resetchannels -@all"],
    [[`#${one}`, "resetpass"], NONE],
    [["nopass", "resetpass"], NONE],
    [[`#${one}`, `#${two}`, `!${one}`], `off #${two} resetchannels -@all`],
  ])("passwords %#: kept in order, once each (F30)", (rules, line) => {
    expect(after(...rules)).toBe(line);
  });

  it("that are removed have to be there", () => {
    expect(after(`!${one}`)).toBe(
      error("!(redacted)", "The password you are trying to remove from the user does not exist"),
    );
  });

  it.each([">secret", "<secret", `#${"a".repeat(64)}`, `!${"a".repeat(64)}`])(
    "%s is refused before it is hashed, without being repeated (S13, S15, D2)",
    (rule) => {
      expect(after(rule)).toBe(
        error(`${rule[0]}(redacted)`, "Passwords have to be hashed before they come here"),
      );
    },
  );

  it.each(["#abc", "!abc", `#${"A".repeat(64)}`, "#pbkdf2-sha256$1$00$00", "#pbkdf2-sha1$1$00$00"])(
    "%s is no hash",
    (rule) => {
      expect(after(rule)).toContain("The password hash must be exactly 64 characters");
    },
  );
});

describe("key patterns", () => {
  const afterAll = `Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns`;
  it.each([
    [["~a", "~a", "%R~a"], "off ~a resetchannels -@all"],
    [["%RW~a", "%R~b", "%W~c", "%wr~d"], "off ~a %R~b %W~c ~d resetchannels -@all"],
    [["%R~a", "%W~a"], "off ~a resetchannels -@all"],
    [["%R~a", "~b", "%W~a"], "off ~a ~b resetchannels -@all"],
    [["~a", "~*"], "off ~* resetchannels -@all"],
    [["allkeys", "allkeys"], "off ~* resetchannels -@all"],
    [["%RW~*"], "off %RW~* resetchannels -@all"],
    [["%R~*", "~a"], "off %R~* ~a resetchannels -@all"],
    [["~*", "resetkeys", "~a"], "off ~a resetchannels -@all"],
    [["~"], "off ~ resetchannels -@all"],
    [["%R~"], "off %R~ resetchannels -@all"],
    [["~\xff\x01"], "off ~\xff\x01 resetchannels -@all"],
    [["~*", "~a"], error("~a", afterAll)],
    [["allkeys", "%R~*"], error("%R~*", afterAll)],
    [["~a b"], error("~a b", SYNTAX)],
    [["~a\r\nb"], error("~a  b", SYNTAX)],
    // What follows a zero byte is not shown: C strings end there.
    [["~a\0b"], error("~a", SYNTAX)],
  ])("%j is printed as %j (F21, F30)", (rules, line) => {
    expect(after(...rules)).toBe(line);
  });

  it.each(["%", "%R", "%RW", "%RWa", "%~a", "%X~a", "%RR~a", "%RWR~a", "%Ra~b"])(
    "%s is a syntax error, not a pattern and not a crash (S06)",
    (rule) => {
      expect(after(rule)).toBe(error(rule, SYNTAX));
    },
  );
});

describe("channel patterns", () => {
  const afterAll = `Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels`;
  it.each([
    [["&a", "&a", "&b"], "off resetchannels &a &b -@all"],
    [["&a", "&*"], "off &* -@all"],
    [["allchannels"], "off &* -@all"],
    [["&*", "resetchannels", "&a"], "off resetchannels &a -@all"],
    [["&"], "off resetchannels & -@all"],
    [["&*", "&a"], error("&a", afterAll)],
    [["&a b"], error("&a b", SYNTAX)],
  ])("%j is printed as %j", (rules, line) => {
    expect(after(...rules)).toBe(line);
  });
});

describe("command rules", () => {
  it.each([
    [["+get"], "-@all +get"],
    [["+GET", "+Client|Kill"], "-@all +get +client|kill"],
    [["allcommands"], "+@all"],
    [["+@ALL"], "+@all"],
    [["+get", "nocommands"], "-@all"],
    [["+get", "-@all"], "-@all"],
    [["+@READ"], "-@all +@read"],
    [["-@read"], "-@all"],
    [["-get"], "-@all"],
    [["+@all", "+@read", "+get"], "+@all"],
    [["+@all", "-get", "+get"], "+@all"],
    [["-@all", "+@read", "-get"], "-@all +@read -get"],
    [["+@read", "-get", "+get"], "-@all +@read"],
    [["+get", "+@read"], "-@all +@read"],
    [["+get", "-@read"], "-@all"],
    [["+@read", "-@read", "+@write"], "-@all +@write"],
    [["+@read", "+@read"], "-@all +@read"],
    [["+get", "+@all", "-get"], "+@all -get"],
    [["+@all", "-@dangerous", "+debug"], "+@all -@dangerous +debug"],
    [["+debug", "+@all", "-@dangerous"], "+@all -@dangerous"],
    // What a category takes away may matter with a later command, also where it changes nothing today.
    [["+@all", "-@hyperloglog"], "+@all -@hyperloglog"],
    [["+@read", "-@string"], "-@all +@read -@string"],
  ])("%j is printed as %j, categories as categories (F22, F23, F24)", (rules, commands) => {
    expect(after(...rules)).toBe(`off resetchannels ${commands}`);
  });

  it.each([
    [["+client"], "-@all +client"],
    [["+client|kill", "-client"], "-@all"],
    [["+client", "-client|kill"], "-@all +client -client|kill"],
    [["-client|kill", "+client"], "-@all +client"],
    [["+@all", "-client|kill", "+client"], "+@all"],
    [["+@all", "-client|kill", "+client|kill"], "+@all"],
    [["+@all", "-client", "+client|kill"], "+@all -client +client|kill"],
    [["+client|kill", "+client|list"], "-@all +client|kill +client|list"],
    [["+@all", "-config", "+config|get"], "+@all -config +config|get"],
    [["+@slow", "-@admin"], "-@all +@slow -@admin"],
    // Dropping "+@admin" leaves a rule that changes nothing: it goes too.
    [["+@string", "+@admin", "-config|get", "-@admin"], "-@all +@string -@admin"],
  ])("%j of sub-commands is printed as %j (F25, D9)", (rules, commands) => {
    expect(after(...rules)).toBe(`off resetchannels ${commands}`);
  });

  it.each([
    [["+select|0"], "-@all +select|0"],
    [["+select|0", "+select|1", "+SELECT|0"], "-@all +select|0 +select|1"],
    [["+select|Ab", "+select|aB"], "-@all +select|Ab"],
    [["+select|0", "+select"], "-@all +select"],
    [["+select|0", "-select"], "-@all"],
    [["+select|0", "-@connection"], "-@all"],
    [["+@all", "+select|0"], "+@all"],
    [["+@all", "+select|0", "-select"], "+@all -select"],
    [["+@fast", "-select", "+select|0"], "-@all +@fast -select +select|0"],
  ])("%j of first arguments is printed as %j", (rules, commands) => {
    expect(after(...rules)).toBe(`off resetchannels ${commands}`);
  });

  it.each([
    ["+nosuch", UNKNOWN],
    ["-nosuch", UNKNOWN],
    ["+nosuch|sub", UNKNOWN],
    ["+config|nosuch", UNKNOWN],
    ["+|x", UNKNOWN],
    ["+", UNKNOWN],
    ["-", UNKNOWN],
    ["+get ", UNKNOWN],
    ["-select|0", UNKNOWN],
    ["+select|a|b", UNKNOWN],
    ["+@nosuch", UNKNOWN],
    ["-@nosuch", UNKNOWN],
    ["+@", UNKNOWN],
    ["+client|", SYNTAX],
    ["+select|", SYNTAX],
    ["+select|a b", SYNTAX],
    ["+client|kill|x", "Allowing first-arg of a subcommand is not supported"],
    ["@read", SYNTAX],
    ["foo", SYNTAX],
    [" +get", SYNTAX],
    ["*", SYNTAX],
  ])("%s is refused in Redis' words (F26)", (rule, reason) => {
    expect(after(rule)).toBe(error(rule, reason));
  });
});

describe("AUTH, HELLO, QUIT and RESET, which everybody may run", () => {
  it.each([
    [["-auth"], "-@all -auth"],
    [["+@all", "-auth"], "+@all -auth"],
    [["-auth", "-@connection"], "-@all -auth"],
    [["-auth", "+auth"], "-@all +auth"],
    [["-auth", "+@connection"], "-@all +@connection"],
    [["-auth", "-@all"], "-@all"],
  ])("%j is printed as %j: being denied by name is not forgotten (S05)", (rules, commands) => {
    expect(after(...rules)).toBe(`off resetchannels ${commands}`);
  });
});

describe("selectors", () => {
  const selector = "(~a resetchannels -@all +get)";
  it.each([
    [["(~a +get)"], selector],
    [["(~a", "+get)"], selector],
    [["(", "~a", "+get", ")"], selector],
    [["( ~a   +get )"], selector],
    [["(~a +get)", "(~a +get)"], `${selector} ${selector}`],
    [["()"], "(resetchannels -@all)"],
    [["(%R~a %W~b &c +@all -get)"], "(%R~a %W~b resetchannels &c +@all -get)"],
    [["(resetkeys allkeys)"], "(~* resetchannels -@all)"],
    [["(+select|0)"], "(resetchannels -@all +select|0)"],
    [[`(~"a" +get)`], selector],
    [[`("~a\\x29" '~b"' +get)`], `("~a)" "~b\\"" resetchannels -@all +get)`],
  ])("%j is printed as %s (F30)", (rules, printed) => {
    expect(after(...rules)).toBe(`${NONE} ${printed}`);
  });

  it("are taken away by clearselectors and reset, and nothing else", () => {
    expect(after("(~a)", "~b", "resetkeys", "-@all")).toBe(`${NONE} (~a resetchannels -@all)`);
    expect(after("(~a)", "clearselectors")).toBe(NONE);
    expect(after("(~a)", "reset")).toBe("off sanitize-payload resetchannels -@all");
  });

  it.each([
    ["(~a +foo)", UNKNOWN],
    ["(~a +get) (~b +set)", UNKNOWN],
    ["(on)", SYNTAX],
    ["(reset)", SYNTAX],
    ["(expire-at=1)", SYNTAX],
    ["((~a))", SYNTAX],
    [")", SYNTAX],
    ["a)", SYNTAX],
    [`(~a"b +get)`, SYNTAX],
  ])("%s is refused", (rule, reason) => {
    expect(after(rule)).toBe(error(rule, reason));
  });

  it("never repeat what may be a password", () => {
    expect(after("(>secret)")).toBe(error("((redacted))", SYNTAX));
    expect(after("(~a >secret +get)")).toBe(error("((redacted))", SYNTAX));
    expect(after('(~"a >secret b" &c\0d)')).toBe(error("((redacted))", SYNTAX));
    expect(after("(~'a #secret")).not.toContain("secret");
    for (const several of ["on >secret", " >secret", "on\t<secret", '">secret"', "nope #secret"])
      expect(after(several)).toBe(error("(redacted)", SYNTAX));
    expect(after("+get >secret")).toMatch(/'\(redacted\)'/);
    expect(after("(>secret")).not.toContain("secret");
    expect(after("(~a (<secret)")).not.toContain("secret");
  });

  it.each([
    [["(~a", "+get"], "(~a"],
    [["("], "("],
    [["(~a)b"], "(~a)b"],
    [["(~a +get", "x"], "(~a +get"],
    [["(~a", "(+get"], "(+get"],
  ])("%j is not closed", (rules, start) => {
    expect(after(...rules)).toBe(
      `ERR Unmatched parenthesis in acl selector starting at '${start}'.`,
    );
  });
});

describe("rules beyond Redis", () => {
  it.each([
    [["expire-at=90"], "off expire-at=90 resetchannels -@all"],
    [["max-clients=5", "ops-per-sec=100"], "off max-clients=5 ops-per-sec=100 resetchannels -@all"],
    [["EXPIRE-AT=90", "max-clients=5", "expire-at=0", "max-clients=0"], NONE],
    [["expire-at=90", "ops-per-sec=1", "reset"], "off sanitize-payload resetchannels -@all"],
  ])("%j are printed as %j", (rules, line) => {
    expect(after(...rules)).toBe(line);
  });

  it.each([
    "expire-at=",
    "expire-at=-1",
    "max-clients=x",
    "ops-per-sec=1e3",
    "expire-at=12345678901",
  ])("%s is no number", (rule) => {
    expect(after(rule)).toBe(error(rule, "A whole number is required, 0 for none"));
  });
});
