/** What a client may call itself and its library: nothing that would break the lines of CLIENT LIST. */
export const INVALID_CLIENT_NAME =
  "ERR Client names cannot contain spaces, newlines or special characters.";

/** Whether a latin1 text holds printable ASCII only, without blanks. */
export function isPrintable(text: string): boolean {
  return /^[!-~]*$/.test(text);
}
