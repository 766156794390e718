/** Logging in for AUTH and HELLO, whose answers may come later. */
import type { Login } from "../../access/access-view.ts";
import type { EdgeContext } from "../../server/edge-context.ts";

/**
 * Logs the client in and calls `done` with an error text or null: at once when the answer is known, else later, with the
 * connection waiting. `done` is not called when the client has left.
 */
export function authenticate(
  context: EdgeContext,
  login: Login,
  done: (errorText: string | null) => void,
): void {
  const outcome = context.server.access.logIn(login, context.client);
  if (!(outcome instanceof Promise)) {
    done(outcome);
    return;
  }
  const state = { gone: false };
  const waiting = context.defer(() => {
    state.gone = true;
  });
  const finish = (errorText: string | null): void => {
    if (state.gone) return;
    done(errorText);
    waiting.resume();
  };
  void outcome.then(finish);
}
