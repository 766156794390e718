import type { EdgeCommand } from "../command.ts";
import { answerLater } from "./answer-later.ts";

/** ACL SAVE: writes all users into the ACL file of this node. */
export const aclSave: EdgeCommand = {
  kind: "edge",
  name: "acl|save",
  summary: "Save the current ACL rules in the configured ACL file",
  complexity: "O(N). Where N is the number of configured users.",
  since: "6.0.0",
  group: "server",
  arity: 2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  run: (context) => {
    const answer = answerLater(context);
    void context.server.access.file.save().then((errorText) => {
      answer((reply) => {
        if (errorText === null) reply.ok();
        else reply.error(errorText);
      });
    });
  },
};
