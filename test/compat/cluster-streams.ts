/**
 * Conversations that are more than one reply per request: typed lines, broken protocol, muted replies, connections that
 * end. What comes back until the end is compared as one text.
 */
import { connect } from "node:net";

export interface Stream {
  readonly name: string;
  /** Bytes as latin1. */
  readonly sent: string;
}

/**
 * Follows everything that is sent; its answer shows that nothing more comes. A command that nobody knows is refused
 * before anything else is looked at, so it is answered also while a password is asked for.
 */
const END = "compat:the-end";
const END_REQUEST = `*1\r\n$${END.length}\r\n${END}\r\n`;
const END_REPLY = `-ERR unknown command '${END}', with args beginning with: \r\n`;
const TIMEOUT_MS = 15_000;
/** Stands at the end of what came back when the server closed. */
const CLOSED = "<closed>";

/**
 * Sends the bytes and resolves to all that came back, up to the answer to the last request or until the server closed,
 * which is then said at the end. `pieceBytes` is how many bytes go into one write.
 */
export function converse(port: number, sent: string, pieceBytes = Infinity): Promise<string> {
  const bytes = Buffer.from(sent + END_REQUEST, "latin1");
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let received = "";
    const finish = (ending: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received + ending);
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end after ${TIMEOUT_MS} ms: ${JSON.stringify(received)}`));
    }, TIMEOUT_MS);
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (received.endsWith(END_REPLY)) finish("");
    });
    // A reset is a way to close: redis-server resets when it has not read all.
    socket.on("error", () => undefined);
    socket.on("close", () => finish(CLOSED));
    socket.on("connect", () => sendInPieces(0));
    const sendInPieces = (from: number): void => {
      if (from >= bytes.length || socket.destroyed) return;
      const to = Math.min(bytes.length, from + pieceBytes);
      socket.write(bytes.subarray(from, to), () => setImmediate(() => sendInPieces(to)));
    };
  });
}

/**
 * Whether what `theirs` says may be the beginning of `ours`, lost on its way: redis-server closes with bytes unread, and
 * the reset that follows takes away replies that the client has not read.
 */
export function isCutByReset(theirs: string, ours: string): boolean {
  if (!theirs.endsWith(CLOSED)) return false;
  const heard = theirs.slice(0, -CLOSED.length);
  return theirs !== ours && ours.startsWith(heard);
}

function request(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

export const TYPED_STREAMS: readonly Stream[] = [
  { name: "a line", sent: "PING\r\n" },
  { name: "a line without return", sent: "PING\n" },
  { name: "many blanks", sent: "   PING   hello   \r\n" },
  { name: "tabs", sent: "ECHO\thello\r\n" },
  { name: "empty lines", sent: "\r\n\n   \r\nPING\r\n" },
  { name: "a return inside", sent: "PING\rPING\r\n" },
  { name: "quotes", sent: 'SET typed "a \\x41\\x0a\\n\\r\\t\\b\\a \\q \\"b\\""\r\nGET typed\r\n' },
  { name: "single quotes", sent: "SET typed 'a \\' \\n \"b\"'\r\nGET typed\r\n" },
  { name: "an empty word", sent: "ECHO \"\"\r\nECHO ''\r\n" },
  { name: "an empty name", sent: '""\r\n"" a\r\n' },
  { name: "text behind a quote", sent: 'ECHO "a"b\r\n' },
  { name: "text behind a single quote", sent: "ECHO 'a'b\r\n" },
  { name: "a quote inside a word", sent: 'ECHO a"b c"\r\n' },
  { name: "an open quote", sent: 'PING\r\nECHO "abc\r\n' },
  { name: "an open single quote", sent: "ECHO 'abc\r\n" },
  { name: "an unfinished escape", sent: 'ECHO "abc\\\r\n' },
  { name: "a broken hex escape", sent: 'ECHO "\\xZZ\\x4"\r\n' },
  { name: "high bytes", sent: "ECHO \xff\xfe\r\n" },
  {
    name: "lines and arrays",
    sent: `PING\r\n${request("ECHO", "a")}PING b\r\n*1\r\n$4\r\nPING\r\n`,
  },
  {
    name: "writes and reads",
    sent: "SET typed 1\r\nINCR typed\r\nGET typed\r\nDEL typed\r\nGET typed\r\n",
  },
  { name: "a bulk where a request should be", sent: "$4\r\nPING\r\n" },
  { name: "a wrong number of words", sent: "GET\r\nSET a\r\nGET a b\r\n" },
  { name: "an unknown command", sent: "NOSUCH a b\r\n" },
  { name: "a web browser", sent: "Host: example.com\r\nSET typed hacked\r\n" },
  { name: "a web form", sent: "POST / HTTP/1.1\r\n\r\nSET typed hacked\r\n" },
  { name: "what a web form wanted did not happen", sent: "GET typed\r\n" },
];

export const BROKEN_STREAMS: readonly Stream[] = [
  { name: "an empty array", sent: "*0\r\nPING\r\n" },
  { name: "a negative array", sent: "*-1\r\nPING\r\n*-9\r\n" },
  { name: "no number of words", sent: "*\r\nPING\r\n" },
  { name: "a word as number of words", sent: "*x\r\n" },
  { name: "a number of words with a sign", sent: "*+1\r\n$4\r\nPING\r\n" },
  { name: "a number of words with a zero in front", sent: "*01\r\n$4\r\nPING\r\n" },
  { name: "a number of words with a blank", sent: "* 1\r\n$4\r\nPING\r\n" },
  { name: "far too many words", sent: "*99999999999\r\n" },
  { name: "more words than 64 bits", sent: "*99999999999999999999\r\n" },
  { name: "a line where a length should be", sent: "*1\r\n+PING\r\n" },
  { name: "an integer where a length should be", sent: "*1\r\n:1\r\n" },
  { name: "an array in an array", sent: "*1\r\n*1\r\n$4\r\nPING\r\n" },
  { name: "a null word", sent: "*1\r\n$-1\r\n" },
  { name: "a word as length", sent: "*1\r\n$x\r\n" },
  { name: "no length", sent: "*1\r\n$\r\n" },
  { name: "a length with a sign", sent: "*1\r\n$+4\r\nPING\r\n" },
  { name: "a word longer than allowed", sent: "*2\r\n$4\r\nECHO\r\n$536870913\r\n" },
  { name: "a length of more than 64 bits", sent: "*1\r\n$99999999999999999999\r\n" },
  { name: "an empty word", sent: "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n" },
  { name: "an empty name", sent: "*1\r\n$0\r\n\r\n*2\r\n$0\r\n\r\n$1\r\na\r\n" },
  {
    name: "other bytes where a line end should be",
    sent: "*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
  },
  {
    name: "answers before the broken request",
    sent: `${request("SET", "broken", "1")}${request("GET", "broken")}*x\r\n`,
  },
  {
    name: "requests behind the broken one",
    sent: `*1\r\n+PING\r\n${request("SET", "broken", "2")}`,
  },
];

export const ENDING_STREAMS: readonly Stream[] = [
  { name: "QUIT", sent: request("QUIT") },
  { name: "QUIT with a word", sent: request("quit", "now") },
  {
    name: "QUIT behind a pipeline",
    sent: `${request("SET", "ending", "1")}${request("GET", "ending")}${request("QUIT")}${request("SET", "ending", "2")}`,
  },
  { name: "what came behind QUIT did not happen", sent: request("GET", "ending") },
  {
    name: "CLIENT REPLY SKIP",
    sent: `${request("CLIENT", "REPLY", "SKIP")}${request("PING")}${request("PING", "heard")}`,
  },
  {
    name: "CLIENT REPLY SKIP before an error",
    sent: `${request("CLIENT", "REPLY", "SKIP")}${request("NOSUCH")}${request("NOSUCH")}`,
  },
  {
    name: "CLIENT REPLY SKIP twice",
    sent: `${request("CLIENT", "REPLY", "SKIP")}${request("CLIENT", "REPLY", "SKIP")}${request("PING")}${request("PING", "b")}`,
  },
  {
    name: "CLIENT REPLY SKIP before a write",
    sent: `${request("CLIENT", "REPLY", "SKIP")}${request("SET", "ending", "s")}${request("GET", "ending")}`,
  },
  {
    name: "CLIENT REPLY OFF and ON",
    sent: `${request("CLIENT", "REPLY", "OFF")}${request("SET", "ending", "3")}${request("GET", "ending")}${request("NOSUCH")}${request("CLIENT", "REPLY", "ON")}${request("GET", "ending")}`,
  },
  {
    name: "CLIENT REPLY OFF, SKIP and ON",
    sent: `${request("CLIENT", "REPLY", "OFF")}${request("CLIENT", "REPLY", "SKIP")}${request("PING")}${request("CLIENT", "REPLY", "ON")}${request("PING")}`,
  },
  {
    name: "CLIENT REPLY OFF and RESET",
    sent: `${request("CLIENT", "REPLY", "OFF")}${request("PING")}${request("RESET")}${request("PING")}`,
  },
  {
    name: "RESP3 and back in one pipeline",
    sent: `${request("GET", "no")}${request("CONFIG", "GET", "nosuch")}${request("RESET")}${request("GET", "no")}`,
  },
  {
    name: "a write, a read and a change of name",
    sent: `${request("SET", "ending", "4")}${request("CLIENT", "SETNAME", "me")}${request("GET", "ending")}${request("CLIENT", "GETNAME")}${request("RESET")}${request("CLIENT", "GETNAME")}`,
  },
  {
    name: "its own end by address filter",
    sent: `${request("SET", "ending", "5")}${request("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")}${request("PING")}`,
  },
];

/** On a server with the password "sesame": what a connection may do before it has given it. */
export const PASSWORD_STREAMS: readonly Stream[] = [
  {
    name: "commands of every kind",
    sent: [
      "PING",
      "GET a",
      "SET a 1",
      "CLIENT ID",
      "INFO",
      "RESET",
      "COMMAND COUNT",
      "ECHO a",
      "SELECT 0",
      "HELLO",
      "HELLO 3",
    ]
      .map((line) => request(...line.split(" ")))
      .join(""),
  },
  {
    name: "unknown commands and wrong numbers of words",
    sent: [
      "NOSUCH",
      "GET",
      "CLIENT NOSUCH",
      "CLIENT",
      "OBJECT ENCODING",
      "AUTH",
      "HELLO x",
      "HELLO 9",
    ]
      .map((line) => request(...line.split(" ")))
      .join(""),
  },
  {
    name: "wrong passwords",
    sent: [
      "AUTH x",
      "AUTH default x",
      "AUTH nobody sesame",
      "AUTH a b c",
      "HELLO 3 AUTH default x",
      "HELLO 3 AUTH nobody sesame",
      "HELLO 3 SETNAME me",
    ]
      .map((line) => request(...line.split(" ")))
      .join(""),
  },
  {
    name: "the right password",
    sent: [
      "AUTH sesame",
      "PING",
      "SET a 1",
      "GET a",
      "AUTH wrong",
      "GET a",
      "RESET",
      "GET a",
      "AUTH default sesame",
      "GET a",
    ]
      .map((line) => request(...line.split(" ")))
      .join(""),
  },
  {
    name: "a wrong login in HELLO after a right one",
    sent: [
      "AUTH sesame",
      "HELLO 3 AUTH default x",
      "GET a",
      "HELLO 4 AUTH default x",
      "CLIENT GETNAME",
    ]
      .map((line) => request(...line.split(" ")))
      .join(""),
  },
  { name: "QUIT without password", sent: request("QUIT") },
  { name: "too many words without password", sent: "*11\r\n" },
  {
    name: "as many words as allowed without password",
    sent: `*10\r\n$4\r\nPING\r\n${"$1\r\na\r\n".repeat(9)}`,
  },
  { name: "too long a word without password", sent: "*2\r\n$4\r\nAUTH\r\n$16385\r\n" },
  { name: "a line without password", sent: "GET a\r\nAUTH sesame\r\nGET a\r\n" },
  {
    name: "CLIENT REPLY OFF without password",
    sent: `${request("CLIENT", "REPLY", "OFF")}${request("PING")}`,
  },
];
