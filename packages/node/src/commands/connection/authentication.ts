/** Checking a password for AUTH and HELLO, whose answers may come later. */
import type { AuthenticationOutcome, EdgeContext } from "../../server/edge-context.ts";

const REFUSALS: Readonly<Record<Exclude<AuthenticationOutcome, "accepted">, string>> = {
  refused: "WRONGPASS invalid username-password pair or user is disabled.",
  busy: "ERR too many failed authentications are being checked, try again later",
  failed: "ERR the password could not be checked",
};

export interface Login {
  readonly user: string;
  readonly password: Buffer;
}

/**
 * Logs the client in and calls `done` with an error text or null: at once when the answer is known, else later, with the
 * connection waiting. `done` is not called when the client has left.
 */
export function authenticate(
  context: EdgeContext,
  login: Login,
  done: (errorText: string | null) => void,
): void {
  const { client } = context;
  const finish = (outcome: AuthenticationOutcome): void => {
    if (outcome === "accepted") client.user = login.user;
    done(outcome === "accepted" ? null : REFUSALS[outcome]);
  };
  const outcome = context.server.credentials.verify(login.user, login.password);
  if (!(outcome instanceof Promise)) {
    finish(outcome);
    return;
  }
  const state = { gone: false };
  const waiting = context.defer(() => {
    state.gone = true;
  });
  void outcome.then((known) => {
    if (state.gone) return;
    finish(known);
    waiting.resume();
  });
}
