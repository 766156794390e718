export * from "./disk/file-system.ts";
export * from "./disk/ports.ts";
export * from "./keyspace/api.ts";
