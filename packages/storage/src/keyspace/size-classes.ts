/**
 * The block sizes of the arena.
 *
 * Up to 512 bytes there is one class per 8 bytes, so that a small entry wastes 7 bytes at most. Above, sizes grow by
 * about an eleventh and are then stretched to the largest size of which equally many fit into a slab, so that no slab
 * has a useless rest.
 */

/** Entries are addressed in units of this many bytes. */
export const UNIT_BYTES = 8;
/** Blocks of one size class live together in slabs of this size. */
export const SLAB_BYTES: number = 64 * 1024;
/** The largest block. Longer values get memory of their own. */
export const BLOCK_BYTES_MAX: number = 16 * 1024;

const FINE_CLASS_BYTES_MAX = 512;
const COARSE_GROWTH = 1.09;

function buildSizes(): number[] {
  const sizes: number[] = [];
  for (let size = 2 * UNIT_BYTES; size <= FINE_CLASS_BYTES_MAX; size += UNIT_BYTES) {
    sizes.push(size);
  }
  let size = FINE_CLASS_BYTES_MAX;
  while (size < BLOCK_BYTES_MAX) {
    const wanted = Math.ceil((size * COARSE_GROWTH) / UNIT_BYTES) * UNIT_BYTES;
    const perSlab = Math.floor(SLAB_BYTES / wanted);
    size = Math.floor(SLAB_BYTES / perSlab / UNIT_BYTES) * UNIT_BYTES;
    sizes.push(size);
  }
  return sizes;
}

/** Bytes of a block, by class. Ascending; the last is `BLOCK_BYTES_MAX`. */
export const CLASS_BYTES: Uint16Array = Uint16Array.from(buildSizes());
export const CLASS_COUNT: number = CLASS_BYTES.length;
/** Blocks in a slab, by class. */
export const CLASS_BLOCKS: Uint16Array = CLASS_BYTES.map((bytes) => Math.floor(SLAB_BYTES / bytes));

function buildLookup(): Uint8Array {
  const lookup = new Uint8Array(BLOCK_BYTES_MAX / UNIT_BYTES + 1);
  let sizeClass = 0;
  for (let units = 0; units < lookup.length; units += 1) {
    while (CLASS_BYTES[sizeClass] < units * UNIT_BYTES) {
      sizeClass += 1;
    }
    lookup[units] = sizeClass;
  }
  return lookup;
}

const CLASS_OF_UNITS = buildLookup();

/** The smallest class whose blocks hold `sizeBytes` (at most `BLOCK_BYTES_MAX`). */
export function sizeClassOf(sizeBytes: number): number {
  return CLASS_OF_UNITS[(sizeBytes + (UNIT_BYTES - 1)) >>> 3];
}
