/** The rim of config/: the one place where it touches the disk. */
import { readFileSync } from "node:fs";
import { ConfigError } from "./config-error.ts";

/** A configuration file of more bytes than this is not one. */
const CONFIG_FILE_BYTES_MAX = 4 * 1024 ** 2;

/**
 * Reads a configuration file. Throws ConfigError, naming the file, when it can not be read or is far too large.
 */
export function readConfigFile(path: string): { readonly path: string; readonly content: string } {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT"
        ? "there is no such file"
        : code === "EACCES"
          ? "it may not be read by this user"
          : code === "EISDIR"
            ? "it is a directory"
            : String(error);
    throw new ConfigError([{ setting: null, source: path, text: `configuration file: ${reason}` }]);
  }
  if (content.length > CONFIG_FILE_BYTES_MAX) {
    const text = `configuration file: larger than ${CONFIG_FILE_BYTES_MAX} bytes`;
    throw new ConfigError([{ setting: null, source: path, text }]);
  }
  return { path, content };
}
