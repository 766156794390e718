export * from "./types.ts";
export * from "./ready.ts";
export type * from "./core-api.ts";
