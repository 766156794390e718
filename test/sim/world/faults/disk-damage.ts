/** Changes what stands on a disk behind the back of the node that wrote it. */
import type { Prng } from "../prng.ts";
import type { VirtualDisk } from "../virtual-disk.ts";

const SECTOR_BYTES = 512;

/** One bit of what is written in a file under one of these places is another one. False: nothing is there. */
export function flipBit(disk: VirtualDisk, places: readonly string[], prng: Prng): string | null {
  const file = pickFile(disk, places, prng);
  if (file === null) return null;
  const position = prng.between(0, file.writtenBytes);
  overwrite(disk, file.path, position, (bytes) => {
    bytes[0] ^= 1 << prng.between(0, 8);
  });
  return `byte ${position} of ${file.path}`;
}

/** A sector of one file has landed in another, or in another place of the same. */
export function misdirectSector(
  disk: VirtualDisk,
  places: readonly string[],
  prng: Prng,
): string | null {
  const source = pickFile(disk, places, prng);
  const target = pickFile(disk, places, prng);
  if (source === null || target === null) return null;
  const sectorOf = (writtenBytes: number): number =>
    prng.between(0, Math.ceil(writtenBytes / SECTOR_BYTES)) * SECTOR_BYTES;
  const from = sectorOf(source.writtenBytes);
  const to = sectorOf(target.writtenBytes);
  const sector = Buffer.alloc(SECTOR_BYTES);
  const handle = disk.open(source.path, "read");
  handle.read(sector, from);
  handle.close();
  overwrite(
    disk,
    target.path,
    to,
    (bytes) => bytes.set(sector.subarray(0, bytes.length)),
    SECTOR_BYTES,
  );
  return `sector ${from} of ${source.path} at ${to} of ${target.path}`;
}

function pickFile(
  disk: VirtualDisk,
  places: readonly string[],
  prng: Prng,
): { readonly path: string; readonly writtenBytes: number } | null {
  const files = [...disk.files()]
    .filter(({ path }) => places.some((place) => path === place || path.startsWith(`${place}/`)))
    .map(({ path, bytes }) => ({ path, writtenBytes: writtenBytes(bytes) }))
    .filter((file) => file.writtenBytes > 0);
  return files.length === 0 ? null : prng.pick(files);
}

/** Without the room that is reserved behind it. */
function writtenBytes(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

function overwrite(
  disk: VirtualDisk,
  path: string,
  position: number,
  change: (bytes: Uint8Array) => void,
  lengthBytes = 1,
): void {
  disk.wasDamaged = true;
  const handle = disk.open(path, "readWrite");
  const bytes = new Uint8Array(Math.min(lengthBytes, handle.sizeBytes() - position));
  handle.read(bytes, position);
  change(bytes);
  disk.damage(path, bytes, position);
  handle.close();
}
