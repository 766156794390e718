/** Colours for people, and none where they would only be noise. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

const plain = (text: string): string => text;

export const PLAIN_STYLE: Style = { bold: plain, dim: plain, good: plain, bad: plain };

const COLOUR_STYLE: Style = {
  bold: (text) => `\u001b[1m${text}\u001b[22m`,
  dim: (text) => `\u001b[2m${text}\u001b[22m`,
  good: (text) => `\u001b[32m${text}\u001b[39m`,
  bad: (text) => `\u001b[31m${text}\u001b[39m`,
};

/** Colour only on a terminal, and never when NO_COLOR is set to anything (no-color.org) or the terminal is dumb. */
export function chooseStyle(
  environment: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): Style {
  const unwanted = (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  return isTerminal && !unwanted ? COLOUR_STYLE : PLAIN_STYLE;
}
