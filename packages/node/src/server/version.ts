/** Ferrite's version, as INFO and FERRITE.STATUS print it. Kept equal to package.json by a test. */
export const FERRITE_VERSION = "0.1.0";
