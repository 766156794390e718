import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { NOT_AN_INTEGER } from "../error-texts.ts";
import { parseInteger } from "../integer.ts";
import { subcommandSyntaxText } from "./subcommand-syntax.ts";

const BITS_DEFAULT = 256;
const BITS_MAX = 4096;
const BITS_PER_DIGIT = 4;
const OUT_OF_RANGE =
  "ERR ACL GENPASS argument must be the number of bits for the output password, " +
  `a positive number up to ${BITS_MAX}`;

/** ACL GENPASS [bits]: random hexadecimal digits, as many as hold that many bits. */
export const aclGenpass: EdgeCommand = {
  kind: "edge",
  name: "acl|genpass",
  summary: "Generate a pseudorandom secure password to use for ACL users",
  complexity: "O(1)",
  since: "6.0.0",
  group: "server",
  arity: -2,
  flags: ["noscript", "loading", "stale"],
  categories: ["slow"],
  keySpecs: [],
  arguments: [{ name: "bits", type: "integer", flags: ["optional"] }],
  run: runGenpass,
};

function runGenpass({ argv, reply, server }: EdgeContext): void {
  if (argv.count > 3) return reply.error(subcommandSyntaxText(argv));
  let bits: number | bigint = BITS_DEFAULT;
  if (argv.count === 3) {
    const given = parseInteger(argv.buffer, argv.starts[2], argv.ends[2]);
    if (given === null) return reply.error(NOT_AN_INTEGER);
    if (given < 1 || given > BITS_MAX) return reply.error(OUT_OF_RANGE);
    bits = given;
  }
  const digits = Math.ceil(Number(bits) / BITS_PER_DIGIT);
  const random = server.randomBytes(Math.ceil(digits / 2));
  return reply.bulkText(random.toString("hex").slice(0, digits));
}
