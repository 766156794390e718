/** Numbers of the list of known bugs that can not be put back: what they need is not there, or they name no defect. */
export const NOT_APPLICABLE: ReadonlyMap<string, string> = new Map([
  ["R15", "a node joins by itself, there is no JOIN that could come before an INIT"],
  ["R27", "no watches, subscriptions or streams that could travel back in time yet"],
  ["R30", "a member's office is kept in one place only, the configuration entries of the log"],
  ["R33", "no locks are promised, so none without a fencing token"],
]);
