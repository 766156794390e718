/** Holds the clients' history against the final values. Every broken promise is one sentence. */
import type { AppendRecord, History, ReadRecord } from "./history.ts";

/** `finalValues`: per key the tokens in the order in which they took effect. */
export function checkHistory(
  history: History,
  finalValues: ReadonlyMap<string, readonly string[]>,
): string[] {
  const problems: string[] = [];
  const keys = new Set([...history.appends, ...history.reads].map((record) => record.key));
  for (const key of keys) {
    const final = finalValues.get(key) ?? [];
    const appends = history.appends.filter((record) => record.key === key);
    const reads = history.reads.filter((record) => record.key === key);
    const positions = new Map(final.map((token, position) => [token, position]));
    checkAppends(key, appends, final, positions, problems);
    checkOrder(key, appends, positions, problems);
    checkReads(key, reads, { appends, final, positions }, problems);
  }
  return problems;
}

/** No acknowledged write is lost, none is applied twice, none that failed for sure is there. */
function checkAppends(
  key: string,
  appends: readonly AppendRecord[],
  final: readonly string[],
  positions: ReadonlyMap<string, number>,
  problems: string[],
): void {
  if (positions.size !== final.length) problems.push(`${key}: a write was applied twice`);
  const known = new Set(appends.map((append) => append.token));
  for (const token of final) {
    if (!known.has(token)) problems.push(`${key}: ${token} was never written`);
  }
  for (const append of appends) {
    const there = positions.has(append.token);
    if (append.outcome === "applied" && !there)
      problems.push(`${key}: acknowledged ${append.token} is lost`);
    if (append.outcome === "failed" && there)
      problems.push(`${key}: ${append.token} failed for sure and was applied`);
  }
}

/** A write acknowledged before another began took effect before it. */
function checkOrder(
  key: string,
  appends: readonly AppendRecord[],
  positions: ReadonlyMap<string, number>,
  problems: string[],
): void {
  const there = appends.filter((append) => positions.has(append.token));
  const byStart = [...there].sort((left, right) => left.startMs - right.startMs);
  const byEnd = there
    .filter((append) => append.outcome === "applied")
    .sort((left, right) => left.endMs - right.endMs);
  let highest = -1;
  let at = 0;
  for (const append of byStart) {
    for (; at < byEnd.length && byEnd[at].endMs < append.startMs; at++) {
      highest = Math.max(highest, positions.get(byEnd[at].token)!);
    }
    if (positions.get(append.token)! < highest) {
      problems.push(
        `${key}: ${append.token} took effect before a write that was acknowledged before it began`,
      );
    }
  }
}

interface KeyFacts {
  readonly appends: readonly AppendRecord[];
  readonly final: readonly string[];
  readonly positions: ReadonlyMap<string, number>;
}

function checkReads(
  key: string,
  reads: readonly ReadRecord[],
  facts: KeyFacts,
  problems: string[],
): void {
  for (const read of reads) {
    if (read.tokens.some((token, position) => facts.final[position] !== token)) {
      problems.push(`${key}: a read saw [${read.tokens.join(" ")}], which never was the value`);
    }
    for (const token of read.ownAcknowledged) {
      if ((facts.positions.get(token) ?? Infinity) >= read.tokens.length) {
        problems.push(`${key}: client ${read.client} does not read its own ${token}`);
      }
    }
  }
  checkNeverBack(key, reads, problems);
  checkLinearizable(
    key,
    reads.filter((read) => read.mode === "linearizable"),
    facts,
    problems,
  );
}

/** On one connection reads never go back, and neither on one node, whatever becomes of it (R21). */
function checkNeverBack(key: string, reads: readonly ReadRecord[], problems: string[]): void {
  const longest: Map<string, number> = new Map();
  for (const read of [...reads].sort((left, right) => left.endMs - right.endMs)) {
    for (const place of [`session ${read.client}.${read.connection}`, `node ${read.node}`]) {
      const before = longest.get(place) ?? 0;
      if (read.tokens.length < before) problems.push(`${key}: ${place} went back in time`);
      longest.set(place, Math.max(read.tokens.length, before));
    }
  }
}

/** A linearizable read holds all that was acknowledged, or linearizably read, before it began. */
function checkLinearizable(
  key: string,
  reads: readonly ReadRecord[],
  facts: KeyFacts,
  problems: string[],
): void {
  const ends: { readonly atMs: number; readonly length: number }[] = [
    ...facts.appends
      .filter((append) => append.outcome === "applied" && facts.positions.has(append.token))
      .map((append) => ({ atMs: append.endMs, length: facts.positions.get(append.token)! + 1 })),
    ...reads.map((read) => ({ atMs: read.endMs, length: read.tokens.length })),
  ].sort((left, right) => left.atMs - right.atMs);
  let needed = 0;
  let at = 0;
  for (const read of [...reads].sort((left, right) => left.startMs - right.startMs)) {
    for (; at < ends.length && ends[at].atMs < read.startMs; at++)
      needed = Math.max(needed, ends[at].length);
    if (read.tokens.length < needed) {
      problems.push(
        `${key}: a linearizable read saw ${read.tokens.length} writes, ${needed} were there before it`,
      );
    }
  }
  const begun = new Map(facts.appends.map((append) => [append.token, append.startMs]));
  for (const read of reads) {
    if (read.tokens.some((token) => (begun.get(token) ?? -1) > read.endMs)) {
      problems.push(`${key}: a read saw a write that had not begun`);
    }
  }
}
