/** `ferrite user explain`: ACL EXPLAIN for people. */
import { Command } from "commander";
import { CliError } from "../errors.ts";
import type { RespValue } from "../connection/resp-value.ts";
import { printable } from "../terminal/table.ts";
import type { World } from "../world.ts";
import { withConnection, type ConnectionFlags } from "../connection/connection-options.ts";
import { withSession } from "../connection/operator-login.ts";
import { fieldsOf } from "./user-report.ts";

interface Finding {
  /** 0: the user's own rules. */
  readonly selector: number;
  readonly part: string;
  readonly allowed: boolean;
  readonly rule: string | null;
  readonly text: string;
}

interface Explanation {
  readonly allowed: boolean;
  readonly deniedPart: string | null;
  readonly deniedObject: string | null;
  readonly findings: readonly Finding[];
}

const EXAMPLES = `
Nothing is run. The exit status is 0 when it is allowed, else 1. Options come before the name.

Examples:
  $ ferrite user explain reader get app:1
  $ ferrite user explain reader config set maxmemory 1gb`;

/** `finish` takes the exit status. */
export function userExplain(world: World, finish: (code: number) => void): Command {
  return withConnection(
    new Command("explain")
      .argument("<name>", "of the user")
      .argument("<command...>", "with its arguments"),
  )
    .description("say whether a user may run a command, and which rules decide")
    .passThroughOptions()
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, words: readonly string[], flags: ConnectionFlags) => {
      const explanation = await withSession(world, flags, async (session) => {
        const reply = await session.askOne("ACL", "EXPLAIN", name, ...words);
        const decoded = decodeExplanation(reply);
        if (decoded !== null) return decoded;
        const problem = "answers in a form this version does not know";
        throw new CliError("unreachable", `${session.where}: ${problem}`);
      });
      if (flags.json) world.print(JSON.stringify(explanation, null, 2));
      else for (const line of explanationLines(explanation, world)) world.print(line);
      finish(explanation.allowed ? 0 : 1);
    });
}

function explanationLines(
  { allowed, deniedPart, deniedObject, findings }: Explanation,
  { style }: World,
): string[] {
  const object = deniedObject === null ? "" : ` ${JSON.stringify(deniedObject)}`;
  const what = deniedPart === null ? "" : `: the ${deniedPart}${printable(object)}`;
  const lines = [allowed ? style.good("allowed") : style.bad(`denied${what}`)];
  for (const { selector, allowed: isAllowed, text } of findings) {
    const source = selector === 0 ? "own rules" : `selector ${selector}`;
    lines.push(`  ${source}: ${isAllowed ? "yes" : "no"}: ${printable(text)}`);
  }
  return lines;
}

/** Null when the reply is of another form. */
function decodeExplanation(reply: RespValue): Explanation | null {
  const fields = fieldsOf(reply);
  const list = fields?.get("findings");
  if (fields === null || !Array.isArray(list)) return null;
  const findings = list.map((item: RespValue) => decodeFinding(item));
  if (!isBoolean(fields.get("allowed")) || findings.includes(null)) return null;
  return {
    allowed: fields.get("allowed") === 1,
    deniedPart: textOrNull(fields.get("denied-part")),
    deniedObject: textOrNull(fields.get("denied-object")),
    findings: findings as Finding[],
  };
}

function decodeFinding(reply: RespValue): Finding | null {
  const fields = fieldsOf(reply);
  const selector = fields?.get("selector");
  const text = fields?.get("text");
  const allowed = fields?.get("allowed");
  if (typeof selector !== "number" || typeof text !== "string" || !isBoolean(allowed)) return null;
  return {
    selector,
    part: textOrNull(fields?.get("part")) ?? "",
    allowed: allowed === 1,
    rule: textOrNull(fields?.get("rule")),
    text,
  };
}

/** As RESP2 sends it. */
function isBoolean(reply: RespValue | undefined): boolean {
  return reply === 0 || reply === 1;
}

function textOrNull(reply: RespValue | undefined): string | null {
  return typeof reply === "string" ? reply : null;
}
