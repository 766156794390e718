import { AtRestError } from "../../src/at-rest/errors.ts";

/** What a promise was refused with; an error when it was not. */
export async function refusalOf(promise: Promise<unknown>): Promise<AtRestError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AtRestError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}
