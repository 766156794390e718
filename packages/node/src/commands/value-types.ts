/** The names clients know the types of values by. */
import type { ValueType } from "@ferrite/storage";

const NAMES: Readonly<Record<ValueType, string>> = { 0: "string" };

/** As TYPE answers and SCAN's TYPE option compares. */
export function typeName(type: ValueType): string {
  return NAMES[type];
}
