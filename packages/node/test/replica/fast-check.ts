/** fast-check with the number of runs that fits a unit test. */
import * as fc from "fast-check";

export { fc };

export function test(property: fc.IRawProperty<unknown>): void {
  fc.assert(property as fc.IProperty<unknown>, { numRuns: 500 });
}
