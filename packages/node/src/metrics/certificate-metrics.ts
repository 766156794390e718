/** The certificates of this node: when they end, and whether their files are good. No names. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { CertificatesView, CredentialHealth } from "../certificates/live-credentials.ts";

const SECOND_MS = 1000;

export function registerCertificateMetrics(registry: Registry, source: CertificatesView): void {
  registry.registerMetric(expiryGauge(source));
  registry.registerMetric(reloadCounter(source));
  registry.registerMetric(
    new Gauge({
      name: "ferrite_certificate_refused",
      help: "1 while the files are not good and those from before serve.",
      labelNames: ["use"],
      registers: [],
      collect() {
        this.reset();
        for (const { use, refused } of source.health()) this.set({ use }, refused === null ? 0 : 1);
      },
    }),
  );
}

function expiryGauge(source: CertificatesView): Gauge {
  return new Gauge({
    name: "ferrite_certificate_expiry_timestamp_seconds",
    help: "When the next certificate of a kind ends, or the next revocation list is due.",
    labelNames: ["use", "kind"],
    registers: [],
    collect() {
      this.reset();
      for (const health of source.health()) {
        for (const [kind, untilMs] of endsOf(health)) {
          this.set({ use: health.use, kind }, untilMs / SECOND_MS);
        }
      }
    },
  });
}

/** Of several authorities and lists the one that ends first: that is the one to do something about. */
function endsOf(health: CredentialHealth): readonly (readonly [kind: string, untilMs: number])[] {
  const [authority] = health.authoritiesUntilMs;
  const [list] = health.listsUntilMs;
  return [
    ["leaf", health.validUntilMs],
    ...(authority === undefined ? [] : [["authority", authority] as const]),
    ...(list === undefined || list === null ? [] : [["revocation_list", list] as const]),
  ];
}

function reloadCounter(source: CertificatesView): Counter {
  return new Counter({
    name: "ferrite_certificate_reloads_total",
    help: "How often the files of certificates were read again, by what came of it.",
    labelNames: ["use", "result"],
    registers: [],
    collect() {
      this.reset();
      for (const { use, reloads } of source.health()) {
        for (const [result, count] of Object.entries(reloads)) this.inc({ use, result }, count);
      }
    },
  });
}
