/** Small files of our own in JSON: read whole, checked against their schema, refused with their name when they do not fit. */
import type { FileSystem } from "@ferrite/storage";
import type { z } from "zod";
import { StartError } from "./errors.ts";

/** None of these files comes near it. */
export const JSON_FILE_BYTES_MAX: number = 1024 * 1024;

/** @throws StartError DAMAGED_FILE */
export function readJsonFile<T>(fileSystem: FileSystem, path: string, schema: z.ZodType<T>): T {
  const handle = fileSystem.open(path, "read");
  try {
    const sizeBytes = handle.sizeBytes();
    if (sizeBytes > JSON_FILE_BYTES_MAX) throw damaged(path, `it has ${sizeBytes} bytes`);
    const bytes = Buffer.alloc(sizeBytes);
    handle.read(bytes, 0);
    return parse(path, bytes.toString("utf8"), schema);
  } finally {
    handle.close();
  }
}

function parse<T>(path: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(path, "it is not JSON");
  }
  const checked = schema.safeParse(value);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw damaged(
      path,
      `${issue?.path.join(".") || "its contents"}: ${issue?.message ?? "not as expected"}`,
    );
  }
  return checked.data;
}

function damaged(path: string, why: string): StartError {
  return new StartError(
    "DAMAGED_FILE",
    `${path} can not be read: ${why}. Restore it from a copy, or move the data directory away to start as a new node`,
  );
}
