import type { ContainerCommand } from "../command.ts";
import { aclCat } from "./acl-cat.ts";
import { aclDeluser } from "./acl-deluser.ts";
import { aclDryrun } from "./acl-dryrun.ts";
import { aclExplain } from "./acl-explain.ts";
import { aclGenpass } from "./acl-genpass.ts";
import { aclGetuser } from "./acl-getuser.ts";
import { aclHelp } from "./acl-help.ts";
import { aclList } from "./acl-list.ts";
import { aclLoad } from "./acl-load.ts";
import { aclLog } from "./acl-log.ts";
import { aclSave } from "./acl-save.ts";
import { aclSetuser } from "./acl-setuser.ts";
import { aclUsers } from "./acl-users.ts";
import { aclWhoami } from "./acl-whoami.ts";

/** ACL */
export const acl: ContainerCommand = {
  kind: "container",
  name: "acl",
  // With the blank at its end: these are Redis' words to the byte.
  summary: "A container for Access List Control commands ",
  complexity: "Depends on subcommand.",
  since: "6.0.0",
  group: "server",
  arity: -2,
  flags: [],
  categories: ["slow"],
  keySpecs: [],
  arguments: [],
  subcommands: [
    aclCat,
    aclDeluser,
    aclDryrun,
    aclExplain,
    aclGenpass,
    aclGetuser,
    aclHelp,
    aclList,
    aclLoad,
    aclLog,
    aclSave,
    aclSetuser,
    aclUsers,
    aclWhoami,
  ],
};
