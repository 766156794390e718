import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import type { Argv } from "../../resp/argv.ts";
import type { Reply } from "../../resp/reply.ts";
import { parseInteger } from "../integer.ts";
import { REDIS_VERSION } from "../redis-version.ts";
import { quotedArgument } from "../refusal.ts";
import { authenticate } from "./authentication.ts";
import type { Login } from "../../access/access-view.ts";
import { INVALID_CLIENT_NAME, isPrintable } from "./client-name.ts";

const NOT_A_VERSION = "ERR Protocol version is not an integer or out of range";
const UNKNOWN_VERSION = "NOPROTO unsupported protocol version";
const LOGIN_FIRST =
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH " +
  "<user> <pass> option can be used to authenticate the client and select the RESP protocol " +
  "version at the same time";

/** HELLO [protover [AUTH username password] [SETNAME clientname]] */
export const hello: EdgeCommand = {
  kind: "edge",
  name: "hello",
  summary: "Handshake with Redis",
  complexity: "O(1)",
  since: "6.0.0",
  group: "connection",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  categories: ["fast", "connection"],
  keySpecs: [],
  arguments: [
    {
      name: "arguments",
      type: "block",
      flags: ["optional"],
      arguments: [
        { name: "protover", type: "integer" },
        {
          name: "username_password",
          type: "block",
          token: "AUTH",
          flags: ["optional"],
          arguments: [
            { name: "username", type: "string" },
            { name: "password", type: "string" },
          ],
        },
        { name: "clientname", type: "string", token: "SETNAME", flags: ["optional"] },
      ],
    },
  ],
  history: [
    [
      "6.2.0",
      "`protover` made optional; when called without arguments the command reports the current connection's context.",
    ],
  ],
  run: runHello,
};

/** One option, in the order given: each takes effect before the next is looked at, as in Redis. */
type Step =
  | { readonly kind: "auth"; readonly login: Login }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "unknown"; readonly text: string };

function runHello(context: EdgeContext): void {
  const { argv, reply } = context;
  let version: 2 | 3 = context.client.protocol;
  if (argv.count >= 2) {
    const asked = parseInteger(argv.buffer, argv.starts[1], argv.ends[1]);
    if (asked === null) return reply.error(NOT_A_VERSION);
    if (asked !== 2 && asked !== 3) return reply.error(UNKNOWN_VERSION);
    version = asked;
  }
  takeSteps(context, reply, { steps: readSteps(argv), version });
}

/** Copies the options: passwords are checked later, when the request's bytes are gone. */
function readSteps(argv: Argv): Step[] {
  const steps: Step[] = [];
  for (let index = 2; index < argv.count; index++) {
    const more = argv.count - 1 - index;
    if (argv.isWord(index, "AUTH") && more >= 2) {
      const password = Buffer.from(argv.bytes(index + 2));
      const login = { user: argv.latin1(index + 1), password, command: argv.latin1(0) };
      steps.push({ kind: "auth", login });
      index += 2;
    } else if (argv.isWord(index, "SETNAME") && more >= 1) {
      steps.push({ kind: "name", name: argv.latin1(index + 1) });
      index += 1;
    } else {
      steps.push({ kind: "unknown", text: quotedArgument(argv, index) });
      return steps;
    }
  }
  return steps;
}

function takeSteps(
  context: EdgeContext,
  reply: Reply,
  plan: { readonly steps: Step[]; readonly version: 2 | 3 },
): void {
  const step = plan.steps.shift();
  if (step === undefined) {
    greet(context, reply, plan.version);
    return;
  }
  switch (step.kind) {
    case "unknown":
      reply.error(`ERR Syntax error in HELLO option '${step.text}'`);
      return;
    case "name":
      if (!isPrintable(step.name)) {
        reply.error(INVALID_CLIENT_NAME);
        return;
      }
      context.client.name = step.name;
      takeSteps(context, reply, plan);
      return;
    case "auth":
      authenticate(context, step.login, (errorText) => {
        if (errorText === null) takeSteps(context, reply, plan);
        else reply.error(errorText);
      });
      return;
  }
}

function greet({ client, server }: EdgeContext, reply: Reply, version: 2 | 3): void {
  if (client.user === null) {
    reply.error(LOGIN_FIRST);
    return;
  }
  client.protocol = version;
  reply.map(7);
  reply.bulkText("server");
  reply.bulkText("redis");
  reply.bulkText("version");
  reply.bulkText(REDIS_VERSION);
  reply.bulkText("proto");
  reply.integer(version);
  reply.bulkText("id");
  reply.integer(client.id);
  reply.bulkText("mode");
  reply.bulkText("standalone");
  reply.bulkText("role");
  reply.bulkText(server.replica.role() === "leader" ? "master" : "replica");
  reply.bulkText("modules");
  reply.array(0);
}
