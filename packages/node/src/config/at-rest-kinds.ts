/** The kinds of values that only encryption at rest has: a key as text, the address of a Vault, names within it. */
import { parseKeyText } from "../at-rest/key-text.ts";
import { accept, refuse, type ValueKind } from "./value-kinds.ts";

/** A key-encryption key. What was given is in no refusal. Empty for none. */
export const keyText: ValueKind<string> = {
  label: "32 bytes in base64, `id:` before them if wanted",
  range: "",
  manyWords: false,
  parse(text) {
    if (text === "") return accept(text);
    const parsed = parseKeyText(text);
    return parsed.ok
      ? accept(text)
      : refuse(`${parsed.problem}; make one: openssl rand -base64 32`);
  },
  print: (value) => value,
};

const ADDRESS_CHARACTERS_MAX = 2048;

/** Where a Vault listens: scheme, host, port, and a path when it is behind one. Null when empty. */
export const vaultAddress: ValueKind<string | null> = {
  label: "address (`https://vault.example.org:8200`)",
  range: "",
  manyWords: false,
  parse(text) {
    if (text === "") return accept(null);
    const url = text.length <= ADDRESS_CHARACTERS_MAX && URL.canParse(text) ? new URL(text) : null;
    if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
      return refuse("argument must be an address such as https://vault.example.org:8200");
    }
    if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
      return refuse("argument must hold no user, query or fragment");
    }
    if (url.protocol === "http:" && !isLoopback(url.hostname)) {
      return refuse(
        "argument must begin with https:// (http:// is for a Vault or its agent on this machine)",
      );
    }
    return accept(url.href.replace(/\/+$/, ""));
  },
  print: (value) => value ?? "",
};

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

const NAME_CHARACTERS_MAX = 256;

/** A mount, namespace or key: it goes into a path, so that nothing may lead out of its place. */
export const vaultName: ValueKind<string> = {
  label: "name",
  range: "",
  manyWords: false,
  parse(text) {
    const name = text.replaceAll(/^\/+|\/+$/g, "");
    const isLegal =
      name.length <= NAME_CHARACTERS_MAX &&
      /^[A-Za-z0-9._/-]*$/.test(name) &&
      name.split("/").every((part) => part !== "." && part !== "..") &&
      !name.includes("//");
    return isLegal
      ? accept(name)
      : refuse("argument must be letters, digits, dots, dashes and underscores, parted by slashes");
  },
  print: (value) => value,
};
