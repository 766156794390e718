/** Ferrite's version, as INFO and FERRITE.STATUS print it. Kept equal to package.json by a test. */
export const FERRITE_VERSION = "0.1.0";
/** The Redis version whose commands and replies this server has: clients choose features by it. */
export const REDIS_VERSION = "7.0.15";
