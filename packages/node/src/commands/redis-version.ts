/** The Redis version whose commands and replies this server has: clients choose features by it. */
export const REDIS_VERSION = "7.0.15";
