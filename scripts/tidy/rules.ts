/**
 * House rules that no linter knows. Each rule looks at one file and returns what it found wrong,
 * one sentence each; line numbers count from one.
 */
export interface TidyFile {
  /** Relative to the root, forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly sizeBytes: number;
}

export type TidyRule = (file: TidyFile) => readonly string[];

export const FILE_LINES_MAX = 500;
export const BLOB_SIZE_BYTES_MAX = 300_000;

/** Files that may be longer, each with its reason. A file that got short again must leave. */
export const longFiles: Readonly<Record<string, string>> = {};

const isCode = (path: string): boolean => /\.(ts|mts|mjs)$/.test(path);
const isText = (path: string): boolean => /\.(ts|mts|mjs|md|json|yaml|yml|sh)$/.test(path);
const isTest = (path: string): boolean => /(^|\/)test\//.test(path);

// Spelled with classes of one letter, so that this file does not find itself.
const unfinished = /\b(?:TO[D]O|FIX[M]E|X[X]X)\b/;
const machinePath = /(?:^|[\s"'`(=])\/(?:wor[k]|tm[p]|roo[t]|home\/\w+)(?:\/|\b)/;

/** Work that is left lies in the tracker, where somebody looks; not in the code. */
const noUnfinishedWork: TidyRule = (file) =>
  isText(file.path) ? matchingLines(file, unfinished, "unfinished work is marked here") : [];

/** A path of one machine works on no other. */
const noMachinePaths: TidyRule = (file) =>
  isText(file.path) ? matchingLines(file, machinePath, "names a folder of one machine") : [];

const noLargeBlobs: TidyRule = (file) =>
  file.sizeBytes > BLOB_SIZE_BYTES_MAX
    ? [`${file.sizeBytes} bytes; a file here has at most ${BLOB_SIZE_BYTES_MAX}`]
    : [];

/** Logs, profiles and dumps tell of one run on one machine, and of its folders. */
const noRunLeftovers: TidyRule = (file) =>
  /\.(log|cpuprofile|heapprofile|heapsnapshot|pid|rdb|aof)$/.test(file.path)
    ? ["was left behind by a run"]
    : [];

const noLongFiles: TidyRule = (file) => {
  const lineCount = file.text.split("\n").length - 1;
  const excused = file.path in longFiles;
  if (!isCode(file.path) || lineCount > FILE_LINES_MAX === excused) {
    return [];
  }
  return excused
    ? ["is short enough now: take it off the list of long files"]
    : [`${lineCount} lines; split it, or list it in scripts/tidy/rules.ts with a reason`];
};

/** One title, at the top: tables of contents and links count on it. */
const oneTitle: TidyRule = (file) => {
  if (!file.path.endsWith(".md")) {
    return [];
  }
  const prose = file.text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, "");
  const titles = prose.match(/^# .+$/gm) ?? [];
  const found = titles.length === 1 && file.text.startsWith("# ");
  return found ? [] : [`has ${titles.length} titles; wants one "# Title" in its first line`];
};

/** Names that say nothing attract everything. */
const noMagnets: TidyRule = (file) =>
  isCode(file.path) && /(^|[/-])(utils?|helpers?)[/.-]|(^|\/)(common|misc)[/.]/.test(file.path)
    ? ["the name does not say what is inside"]
    : [];

/** A focused test hides all others; vitest would report success. */
const noFocusedTests: TidyRule = (file) =>
  isTest(file.path) && file.path.endsWith(".test.ts")
    ? matchingLines(file, /\b(?:test|it|describe)\.only\(/, "runs alone and hides the others")
    : [];

/** A test outside the folders that the suites look into is never run. */
const testsAreFound: TidyRule = (file) => {
  if (!/\.(test|spec)\.[a-z]+$/.test(file.path)) {
    return [];
  }
  const found =
    /^(packages\/[^/]+\/test|test\/(house|e2e|security|compat|sim|checkers|chaos|fuzz))\/.*\.test\.ts$/;
  return found.test(file.path) ? [] : ["no suite runs a test that lies here"];
};

/** An upgrade is a commit that somebody reads. */
const exactVersions: TidyRule = (file) => {
  if (!/(^|\/)package\.json$/.test(file.path)) {
    return [];
  }
  const manifest: Record<string, Record<string, string> | undefined> = JSON.parse(file.text);
  const groups = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
  return groups
    .flatMap((group) => Object.entries(manifest[group] ?? {}))
    .filter(([, version]) => !/^(\d+\.\d+\.\d+[\w.-]*|catalog:|workspace:\*)$/.test(version))
    .map(([name, version]) => `${name} "${version}" is not an exact version`);
};

export const tidyRules: Readonly<Record<string, TidyRule>> = {
  noUnfinishedWork,
  noMachinePaths,
  noLargeBlobs,
  noRunLeftovers,
  noLongFiles,
  oneTitle,
  noMagnets,
  noFocusedTests,
  testsAreFound,
  exactVersions,
};

function matchingLines(file: TidyFile, pattern: RegExp, sentence: string): string[] {
  return file.text
    .split("\n")
    .map((line, index) => (pattern.test(line) ? `line ${index + 1}: ${sentence}` : null))
    .filter((found) => found !== null);
}
