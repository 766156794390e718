/** Defects for tests that must notice them. Nothing in production imports this file. */
import { commitRule } from "./commit-rule.ts";

/** Lets leaders commit entries of earlier terms by counting, until the returned function is called. */
export function breakCommitRule(): () => void {
  const kept = commitRule.allows;
  commitRule.allows = () => true;
  return () => {
    commitRule.allows = kept;
  };
}
