/** Health checks and metrics over HTTP. Read-only, and no answer holds keys, values or credentials. */
import { Server as HttpsServer } from "node:https";
import type { SecureContextOptions } from "node:tls";
import { fastify, type FastifyInstance, type FastifyReply } from "fastify";
import type { Registry } from "prom-client";
import type { HostPort } from "../config/host-port.ts";
import { checkLiveness, LOG_WORKER_ANSWER_MS_MAX, type LivenessSource } from "./liveness.ts";
import { formatChecks, readinessChecks, type ReadinessSource } from "./readiness.ts";

/** What a request may cost. Nothing here takes a body, so that the limits are small. */
export const HTTP_LIMITS = {
  bodyBytesMax: 1024,
  headerBytesMax: 8192,
  connectionsMax: 256,
  /** From the first byte of a request to its last. */
  requestTimeoutMs: 10_000,
  keepAliveTimeoutMs: 10_000,
  /** On stop, open requests get this long before their connections are cut. */
  closeTimeoutMs: 2000,
} as const;

/** http-tls: with which certificate, and when that changes. */
export interface HttpTls {
  /** What new connections are made with, now. */
  readonly context: () => SecureContextOptions;
  /** Calls back after `context` has changed, until the returned function is called. */
  readonly onChange: (listener: () => void) => () => void;
  readonly handshakeTimeoutMs: number;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly registry: Registry;
  readonly readiness: ReadinessSource;
  readonly liveness: LivenessSource;
  /** Null: without TLS. */
  readonly tls?: HttpTls | null;
  /** Default LOG_WORKER_ANSWER_MS_MAX. */
  readonly livenessTimeoutMs?: number;
  /** Told about requests that failed because of a defect. The URL and headers are not logged: they may hold secrets. */
  readonly onError?: (error: Error) => void;
}

export interface HttpServerHandle {
  /** Where it really listens. */
  readonly address: HostPort;
  /** Stops listening and ends the open connections. */
  close(): Promise<void>;
}

/** Listens. Rejects with Node's own error (EADDRINUSE, EACCES) when it can not. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServerHandle> {
  const server = createServer(options.tls ?? null);
  addHealthRoutes(server, options);
  addMetricsRoute(server, options.registry);
  return await listen(server, options);
}

/** What a node answers that has no cluster yet. */
export interface WaitingServerOptions extends Pick<
  HttpServerOptions,
  "host" | "port" | "tls" | "onError"
> {
  /** What it waits for, for people. */
  problem(): string;
}

/**
 * Listens in the place of `startHttpServer` while a node waits for its cluster: it lives, and is not ready, and says why.
 * There is nothing to measure yet. Close it before the other one listens.
 */
export async function startWaitingServer(options: WaitingServerOptions): Promise<HttpServerHandle> {
  const server = createServer(options.tls ?? null);
  for (const path of ["/health", "/livez"]) {
    server.get(path, (_request, reply) => sendText(reply, 200, "ok\n"));
  }
  server.get("/readyz", (_request, reply) => {
    const checks = [{ name: "cluster", failure: options.problem() }];
    return sendText(reply, 503, formatChecks("readyz", checks));
  });
  server.get("/metrics", (_request, reply) =>
    sendText(reply, 503, "There are no metrics before the node has a cluster.\n"),
  );
  return await listen(server, options);
}

async function listen(
  server: FastifyInstance,
  options: Pick<HttpServerOptions, "host" | "port" | "tls" | "onError">,
): Promise<HttpServerHandle> {
  addErrorHandling(server, options.onError);
  server.server.maxConnections = HTTP_LIMITS.connectionsMax;
  await server.listen({ host: options.host, port: options.port });
  const endFollowing = followCertificate(server, options.tls ?? null);
  const bound = server.server.address();
  if (bound === null || typeof bound === "string")
    throw new Error("the HTTP server has no TCP address");
  return {
    address: { host: bound.address, port: bound.port },
    async close() {
      endFollowing();
      const cut = setTimeout(() => server.server.closeAllConnections(), HTTP_LIMITS.closeTimeoutMs);
      try {
        await server.close();
      } finally {
        clearTimeout(cut);
      }
    },
  };
}

function createServer(tls: HttpTls | null): FastifyInstance {
  const shared = {
    logger: false,
    bodyLimit: HTTP_LIMITS.bodyBytesMax,
    requestTimeout: HTTP_LIMITS.requestTimeoutMs,
    connectionTimeout: HTTP_LIMITS.requestTimeoutMs + LOG_WORKER_ANSWER_MS_MAX,
    keepAliveTimeout: HTTP_LIMITS.keepAliveTimeoutMs,
    forceCloseConnections: "idle",
  } as const;
  const maxHeaderSize = HTTP_LIMITS.headerBytesMax;
  if (tls === null) return fastify({ ...shared, http: { maxHeaderSize } });
  const { handshakeTimeoutMs: handshakeTimeout } = tls;
  return fastify({ ...shared, https: { ...tls.context(), handshakeTimeout, maxHeaderSize } });
}

/** New connections get the certificate of their time. Returns how to stop that. */
function followCertificate(server: FastifyInstance, tls: HttpTls | null): () => void {
  const { server: listening } = server;
  if (tls === null || !(listening instanceof HttpsServer)) return () => undefined;
  return tls.onChange(() => listening.setSecureContext(tls.context()));
}

function addHealthRoutes(server: FastifyInstance, options: HttpServerOptions): void {
  server.get("/health", (_request, reply) => sendText(reply, 200, "ok\n"));

  server.get("/livez", async (_request, reply) => {
    const timeoutMs = options.livenessTimeoutMs ?? LOG_WORKER_ANSWER_MS_MAX;
    const failure = await checkLiveness(options.liveness, timeoutMs);
    return failure === null ? sendText(reply, 200, "ok\n") : sendText(reply, 503, `${failure}\n`);
  });

  server.get<{ Querystring: { verbose?: unknown } }>("/readyz", (request, reply) => {
    const checks = readinessChecks(options.readiness);
    const ready = checks.every((check) => check.failure === null);
    const warns = checks.some((check) => check.warning !== undefined);
    const short = ready && !warns && request.query.verbose === undefined;
    return sendText(reply, ready ? 200 : 503, short ? "ok\n" : formatChecks("readyz", checks));
  });
}

function addMetricsRoute(server: FastifyInstance, registry: Registry): void {
  server.get("/metrics", async (_request, reply) => {
    const text = await registry.metrics();
    return reply
      .header("content-type", registry.contentType)
      .header("cache-control", "no-store")
      .send(text);
  });
}

function addErrorHandling(server: FastifyInstance, onError?: (error: Error) => void): void {
  server.setNotFoundHandler((_request, reply) => sendText(reply, 404, "not found\n"));
  server.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return sendText(reply, status, "bad request\n");
    onError?.(error);
    return sendText(reply, 500, "internal error\n");
  });
}

function sendText(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply
    .code(status)
    .header("content-type", "text/plain; charset=utf-8")
    .header("cache-control", "no-store")
    .header("x-content-type-options", "nosniff")
    .send(text);
}
