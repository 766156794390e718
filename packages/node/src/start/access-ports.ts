/** Users and rules as apply needs them, over the commands that this version has. */
import { createUserTable } from "@ferrite/acl";
import { AccessRequestFiller, newAccessRequest } from "../access/request-filler.ts";
import { commandCatalogue } from "../commands/catalogue.ts";
import type { CommandTable } from "../commands/table.ts";
import type { AccessPorts } from "../replica/write-check.ts";

export function accessPorts(table: CommandTable): AccessPorts {
  const catalogue = commandCatalogue(table);
  const filler = new AccessRequestFiller(catalogue);
  const request = newAccessRequest();
  return {
    newUsers: () => createUserTable(catalogue),
    judge: (user, command, argv) => {
      filler.fill(command, argv, request);
      return user.check(request);
    },
    mayGive: (user, name) => {
      const command = catalogue.find(name);
      return command === undefined ? user.isUnrestricted : user.mayRun(command.id);
    },
  };
}
