/** One import or re-export of a source file. */
export interface ImportStatement {
  readonly specifier: string;
  /** True if it vanishes when compiled (`import type`). `import { type A }` does not. */
  readonly typeOnly: boolean;
  readonly line: number;
}

/**
 * Statements start a line; the words of a comment or a string do not. What lies between the
 * keyword and `from` holds no quote, so that a match can not run into the next statement.
 */
const STATIC =
  /^[ \t]*(?:import|export)\b(\s+type\b(?!\s*from\b))?[^"'`;]*?\bfrom\s*["']([^"']+)["']/gm;
const BARE = /^[ \t]*import\s*["']([^"']+)["']/gm;
const DYNAMIC = /\b(?:import|require)\(\s*["'`]([^"'`]+)["'`]/g;

/** Finds the imports in the text of a TypeScript or JavaScript module. */
export function findImports(text: string): ImportStatement[] {
  const code = withoutComments(text);
  const found: ImportStatement[] = [];
  const add = (index: number, specifier: string, typeOnly: boolean): void => {
    found.push({ specifier, typeOnly, line: lineAt(code, index) });
  };
  for (const match of code.matchAll(STATIC)) {
    add(match.index, match[2], match[1] !== undefined);
  }
  for (const match of code.matchAll(BARE)) {
    add(match.index, match[1], false);
  }
  for (const match of code.matchAll(DYNAMIC)) {
    add(match.index, match[1], false);
  }
  return found;
}

/** Blanks whole-line comments and block comments, keeping the line breaks. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/^[ \t]*\/\*[\s\S]*?\*\//gm, (comment) => comment.replaceAll(/[^\n]/g, " "))
    .replaceAll(/^[ \t]*\/\/.*$/gm, "");
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
