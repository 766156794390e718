/** Puts numbers that the node counts itself into Prometheus' form, at the moment of the scrape. */
import { Counter, Gauge, type Registry } from "prom-client";

export interface MetricText {
  /** With its unit last: `ferrite_network_input_bytes_total`. */
  readonly name: string;
  readonly help: string;
}

/** A counter that follows a number kept elsewhere. It may start over (CONFIG RESETSTAT); Prometheus copes with that. */
export function followCounter(registry: Registry, metric: MetricText, read: () => number): void {
  const counter = new Counter({
    ...metric,
    registers: [],
    collect() {
      this.reset();
      this.inc(Math.max(0, read()));
    },
  });
  registry.registerMetric(counter);
}

/** A gauge that follows a number or a truth kept elsewhere. */
export function followGauge(
  registry: Registry,
  metric: MetricText,
  read: () => number | boolean,
): void {
  const gauge = new Gauge({
    ...metric,
    registers: [],
    collect() {
      this.set(Number(read()));
    },
  });
  registry.registerMetric(gauge);
}

/** A metric with one label whose values come from the node itself, never from clients: their number is bounded. */
export interface LabelledMetric extends MetricText {
  readonly label: string;
  readonly read: () => Iterable<readonly [labelValue: string, value: number]>;
}

export function followLabelledCounter(registry: Registry, metric: LabelledMetric): void {
  const { name, help, label, read } = metric;
  const counter = new Counter({
    name,
    help,
    labelNames: [label],
    registers: [],
    collect() {
      this.reset();
      for (const [labelValue, value] of read())
        this.inc({ [label]: labelValue }, Math.max(0, value));
    },
  });
  registry.registerMetric(counter);
}

export function followLabelledGauge(registry: Registry, metric: LabelledMetric): void {
  const { name, help, label, read } = metric;
  const gauge = new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [],
    collect() {
      this.reset();
      for (const [labelValue, value] of read()) this.set({ [label]: labelValue }, value);
    },
  });
  registry.registerMetric(gauge);
}
