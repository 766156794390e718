/** `audit-<sequence of the first record>.jsonl`: the name says where to look for a record without opening anything. */
export interface TrailFile {
  readonly name: string;
  readonly firstSequence: number;
}

const NAME = /^audit-(\d{16})\.jsonl$/;

export function fileName(firstSequence: number): string {
  return `audit-${String(firstSequence).padStart(16, "0")}.jsonl`;
}

/** Those of `names` that are files of a trail, oldest first. */
export function trailFiles(names: readonly string[]): TrailFile[] {
  return names
    .flatMap((name) => {
      const digits = NAME.exec(name)?.[1];
      return digits === undefined ? [] : [{ name, firstSequence: Number(digits) }];
    })
    .toSorted((left, right) => left.firstSequence - right.firstSequence);
}
