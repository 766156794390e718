import type { ContainerCommand } from "../command.ts";
import { clientGetname } from "./client-getname.ts";
import { clientHelp } from "./client-help.ts";
import { clientId } from "./client-id.ts";
import { clientInfo } from "./client-info.ts";
import { clientKill } from "./client-kill.ts";
import { clientList } from "./client-list.ts";
import { clientNoEvict } from "./client-no-evict.ts";
import { clientNoTouch } from "./client-no-touch.ts";
import { clientReply } from "./client-reply.ts";
import { clientSetinfo } from "./client-setinfo.ts";
import { clientSetname } from "./client-setname.ts";

/** CLIENT */
export const client: ContainerCommand = {
  kind: "container",
  name: "client",
  summary: "A container for client connection commands",
  complexity: "Depends on subcommand.",
  since: "2.4.0",
  group: "connection",
  arity: -2,
  flags: [],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  subcommands: [
    clientGetname,
    clientHelp,
    clientId,
    clientInfo,
    clientKill,
    clientList,
    clientNoEvict,
    clientNoTouch,
    clientReply,
    clientSetinfo,
    clientSetname,
  ],
};
