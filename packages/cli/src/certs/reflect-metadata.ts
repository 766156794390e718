/**
 * The three functions of the metadata proposal that the dependency-injection library under `@peculiar/x509` calls
 * when it is loaded. It refuses to load without them. Twenty lines here are easier to vouch for than one more
 * package in the supply chain; a full polyfill that is already present is left alone.
 *
 * Import this file before `@peculiar/x509`.
 */
type MetadataKey = string | symbol;

interface MetadataReflection {
  getOwnMetadata?: (key: MetadataKey, target: object) => unknown;
  getMetadata?: (key: MetadataKey, target: object) => unknown;
  defineMetadata?: (key: MetadataKey, value: unknown, target: object) => void;
}

const metadataByTarget = new WeakMap<object, Map<MetadataKey, unknown>>();

function getOwnMetadata(key: MetadataKey, target: object): unknown {
  return metadataByTarget.get(target)?.get(key);
}

function getMetadata(key: MetadataKey, target: object): unknown {
  for (let holder: object | null = target; holder !== null;) {
    const values = metadataByTarget.get(holder);
    if (values !== undefined && values.has(key)) {
      return values.get(key);
    }
    holder = Object.getPrototypeOf(holder) as object | null;
  }
  return undefined;
}

function defineMetadata(key: MetadataKey, value: unknown, target: object): void {
  let values = metadataByTarget.get(target);
  if (values === undefined) {
    values = new Map();
    metadataByTarget.set(target, values);
  }
  values.set(key, value);
}

const reflection = Reflect as MetadataReflection;
if (reflection.getMetadata === undefined) {
  Object.assign(reflection, { getOwnMetadata, getMetadata, defineMetadata });
}
