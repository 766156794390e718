/** Every command a trace may use, by its name. */
import type { Command } from "../command.ts";
import { campaign } from "./campaign.ts";
import { compact } from "./compact.ts";
import { configure } from "./configure.ts";
import { crash } from "./crash.ts";
import { cut } from "./cut.ts";
import { deliver } from "./deliver.ts";
import { hold } from "./hold.ts";
import { lose } from "./lose.ts";
import { mend } from "./mend.ts";
import { nodes } from "./nodes.ts";
import { persist } from "./persist.ts";
import { propose } from "./propose.ts";
import { push } from "./push.ts";
import { read } from "./read.ts";
import { restart } from "./restart.ts";
import { settle } from "./settle.ts";
import { status } from "./status.ts";
import { tick } from "./tick.ts";
import { transfer } from "./transfer.ts";
import { unreachable } from "./unreachable.ts";

export const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    campaign,
    compact,
    configure,
    crash,
    cut,
    deliver,
    hold,
    lose,
    mend,
    nodes,
    persist,
    propose,
    push,
    read,
    restart,
    settle,
    status,
    tick,
    transfer,
    unreachable,
  }),
);
