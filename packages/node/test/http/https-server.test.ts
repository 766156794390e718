import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAuthority, issueNodeCertificate } from "../../../cli/src/certs/index.ts";
import type { CertificatePair } from "../../../cli/src/certs/index.ts";
import type { HttpServerHandle } from "../../src/http/http-server.ts";
import { serverContextOptions } from "../../src/server/tls-context.ts";
import { testConfig } from "../server/support/test-server.ts";
import { TestCredentials } from "../server/support/tls-room.ts";
import { FakeNode } from "./fakes.ts";

let authority: CertificatePair;
let credentials: TestCredentials;
let server: HttpServerHandle;

beforeEach(async () => {
  authority = await createAuthority();
  credentials = new TestCredentials(await issueNodeCertificate(authority, { name: "node-a" }), []);
  server = await new FakeNode().start({
    tls: {
      context: () => serverContextOptions(testConfig(), credentials.current()),
      onChange: (listener) => credentials.onChange(listener),
      handshakeTimeoutMs: 1000,
    },
  });
});

afterEach(async () => {
  await server.close();
});

interface Answer {
  readonly status: number;
  readonly fingerprint: string;
}

function get(options: { readonly maxVersion?: "TLSv1.1" | "TLSv1.2" } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const old = options.maxVersion === "TLSv1.1" ? { minVersion: "TLSv1" as const } : {};
    const asked = request(
      {
        ...options,
        ...old,
        ciphers: "DEFAULT@SECLEVEL=0",
        host: "127.0.0.1",
        port: server.address.port,
        path: "/health",
        ca: authority.certificatePem,
        agent: false,
      },
      (response) => {
        const shown = (response.socket as TLSSocket).getPeerX509Certificate();
        response.resume();
        resolve({ status: response.statusCode ?? 0, fingerprint: shown?.fingerprint256 ?? "" });
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

describe("HTTP over TLS", () => {
  it("answers with the node's certificate, with TLS 1.2 and 1.3 and nothing older (S36)", async () => {
    const { fingerprint256 } = credentials.current().certificate;
    expect(await get()).toEqual({ status: 200, fingerprint: fingerprint256 });
    expect(await get({ maxVersion: "TLSv1.2" })).toEqual({
      status: 200,
      fingerprint: fingerprint256,
    });
    await expect(get({ maxVersion: "TLSv1.1" })).rejects.toThrow(/protocol version/i);
  });

  it("shows a new certificate to new connections as soon as there is one (S33)", async () => {
    credentials.server = await issueNodeCertificate(authority, { name: "node-a" });
    credentials.changed({ identity: true });
    const { fingerprint256 } = new X509Certificate(credentials.server.certificatePem);
    expect((await get()).fingerprint).toBe(fingerprint256);
  });

  it("does not answer in the clear (S38)", async () => {
    await expect(fetch(`http://127.0.0.1:${server.address.port}/health`)).rejects.toThrow();
  });
});
