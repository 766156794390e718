import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "./entry-layout.ts";
import { KeyspaceError } from "./errors.ts";

/** Throws BAD_EXPIRY unless it is 0 (none) or a positive, finite time in Unix ms. */
export function checkExpiry(expireAtMs: number): void {
  if (!(expireAtMs >= 0 && expireAtMs < Infinity)) {
    throw new KeyspaceError("BAD_EXPIRY", `an expiry of ${expireAtMs} ms is not a point in time`);
  }
}

/** Throws TOO_LONG. */
export function checkKeyLength(length: number): void {
  if (length > KEY_BYTES_MAX) {
    throw new KeyspaceError("TOO_LONG", `a key of ${length} bytes, the limit is ${KEY_BYTES_MAX}`);
  }
}

/** Throws TOO_LONG. */
export function checkValueLength(length: number): void {
  if (length > VALUE_BYTES_MAX) {
    throw new KeyspaceError(
      "TOO_LONG",
      `a value of ${length} bytes, the limit is ${VALUE_BYTES_MAX}`,
    );
  }
}
