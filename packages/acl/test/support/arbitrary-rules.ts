/** Random rules, most of them right, over the small catalogue. */
import * as fc from "fast-check";
import type { CommandCatalogue } from "../../src/catalogue.ts";
import { commandNames } from "./catalogue.ts";
import { storedForm } from "./stored-password.ts";
import type { RequestWords } from "./requests.ts";

const LETTERS = "ab:*?[]^-\\\"'()\x01\xe9";

export function patterns(): fc.Arbitrary<string> {
  return fc
    .array(fc.constantFrom(...LETTERS.split("")), { maxLength: 5 })
    .map((letters) => letters.join(""));
}

function selectorWords(catalogue: CommandCatalogue): fc.Arbitrary<string> {
  const names = commandNames(catalogue);
  const sign = fc.constantFrom("+", "-");
  return fc.oneof(
    fc.tuple(sign, fc.constantFrom(...names)).map((parts) => parts.join("")),
    fc.tuple(sign, fc.constantFrom(...catalogue.categories, "all")).map((parts) => parts.join("@")),
    fc
      .tuple(fc.constantFrom("select", "get", "auth"), fc.constantFrom("0", "1", "a)", 'x"', 'X"'))
      .map((parts) => `+${parts.join("|")}`),
    fc
      .tuple(fc.constantFrom("~", "%R~", "%W~", "%RW~", "&"), patterns())
      .map((parts) => parts.join("")),
    fc.constantFrom(
      "resetkeys",
      "resetchannels",
      "allkeys",
      "allchannels",
      "allcommands",
      "nocommands",
    ),
  );
}

/** One rule of a list, stored passwords and our own rules among them. */
export function rules(catalogue: CommandCatalogue): fc.Arbitrary<string> {
  const words = selectorWords(catalogue);
  return fc.oneof(
    { arbitrary: words, weight: 10 },
    {
      arbitrary: fc.constantFrom("on", "off", "nopass", "resetpass", "reset", "clearselectors"),
      weight: 1,
    },
    { arbitrary: fc.constantFrom("sanitize-payload", "skip-sanitize-payload", ""), weight: 1 },
    {
      arbitrary: fc
        .tuple(fc.constantFrom("#", "#", "!"), fc.nat(3))
        .map(([sign, number]) => sign + storedForm(number)),
      weight: 1,
    },
    {
      arbitrary: fc
        .tuple(fc.constantFrom("expire-at", "max-clients", "ops-per-sec"), fc.nat(3))
        .map(([keyword, number]) => `${keyword}=${number * 1_000}`),
      weight: 1,
    },
    {
      arbitrary: fc.array(words, { maxLength: 4 }).map((list) => `(${list.join(" ")})`),
      weight: 2,
    },
  );
}

export function requests(catalogue: CommandCatalogue): fc.Arbitrary<RequestWords> {
  const texts = fc
    .array(fc.constantFrom("a", "b", ":", ")", "-"), { maxLength: 4 })
    .map((all) => all.join(""));
  return fc.record({
    command: fc.constantFrom(...commandNames(catalogue)),
    firstArgument: fc.constantFrom("0", "1", "A)", "", "x"),
    keys: fc.array(texts, { maxLength: 2 }),
    access: fc.array(fc.constantFrom(0, 1, 2, 3), { minLength: 2, maxLength: 2 }),
    channels: fc.array(texts, { maxLength: 1 }),
    channelsArePatterns: fc.boolean(),
  });
}
