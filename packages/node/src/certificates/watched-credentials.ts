/**
 * The credentials of one use, kept to their files. Three things lead to a reload: a directory says that something changed,
 * the interval, and somebody who asks. Whether something did change is decided by contents alone.
 */
import { ChainMemory } from "./chain-memory.ts";
import { subjectText } from "./chain.ts";
import type { CredentialEvent, Ending } from "./credential-events.ts";
import { CertificateError, mayBeHalfWritten } from "./errors.ts";
import { ExpiryWatch } from "./expiry-watch.ts";
import { CHANGE_SETTLES_MS, EXPIRY_CHECK_MS, HALF_WRITTEN_PAUSES_MS } from "./limits.ts";
import type {
  CredentialChange,
  CredentialHealth,
  CredentialUse,
  LiveCredentials,
  LoadedCredentials,
  ReloadCause,
  ReloadOutcome,
} from "./live-credentials.ts";
import { loadCredentials, type LoadedFiles } from "./load-credentials.ts";
import type { CertificatePorts } from "./ports.ts";
import { readFiles } from "./read-files.ts";
import type { CredentialSource } from "./source.ts";

export interface CredentialOptions {
  readonly source: CredentialSource;
  /** tls-reload-interval in ms; 0: never. */
  readonly reloadIntervalMs: number;
  /** tls-expiry-warning-days */
  readonly warningDays: readonly number[];
}

export interface CredentialEnvironment {
  readonly ports: CertificatePorts;
  /** For the audit trail; the log has had it already. Must not throw. */
  readonly onEvent: (event: CredentialEvent) => void;
}

/** With what the settings do to it. */
export interface ManagedCredentials extends LiveCredentials {
  /** Null when `source` could serve (it is then kept ready for `configure`), or what is wrong with it. */
  prepare(source: CredentialSource): Promise<string | null>;
  /** Takes over settings. What was prepared serves when this returns; else a reload is begun. */
  configure(options: CredentialOptions): void;
}

type Listener = Parameters<LiveCredentials["onChange"]>[0];

interface Served {
  readonly loaded: LoadedFiles;
  readonly current: LoadedCredentials;
  readonly sourceKey: string;
  readonly staleLists: CredentialSource["staleLists"];
}

/**
 * Loads, checks and proves the files, and keeps to them until `close`.
 * @throws CertificateError: nothing is served with files that are not good
 */
export async function openCredentials(
  options: CredentialOptions,
  environment: CredentialEnvironment,
): Promise<ManagedCredentials> {
  const memory = new ChainMemory();
  const { files, clock } = environment.ports;
  const raw = await readFiles(options.source, files);
  const loaded = await loadCredentials(raw, options.source, memory, clock.nowMs());
  return new WatchedCredentials(options, environment, memory, loaded);
}

class WatchedCredentials implements ManagedCredentials {
  readonly use: CredentialUse;
  readonly #environment: CredentialEnvironment;
  readonly #memory: ChainMemory;
  readonly #listeners = new Set<Listener>();
  readonly #expiry: ExpiryWatch;
  #options: CredentialOptions;
  #served: Served;
  #prepared: { readonly source: CredentialSource; readonly loaded: LoadedFiles } | null = null;
  #refused: CredentialHealth["refused"] = null;
  #reloads = { changed: 0, unchanged: 0, refused: 0 };
  #running: Promise<ReloadOutcome> | null = null;
  #queued: Promise<ReloadOutcome> | null = null;
  #closed = false;
  #endWatching: () => void = () => undefined;
  #endSettling: (() => void) | null = null;
  #endInterval: () => void = () => undefined;
  #endExpiryTimer: () => void = () => undefined;
  /** Ends a pause between two attempts. */
  #endPause: (() => void) | null = null;

  constructor(
    options: CredentialOptions,
    environment: CredentialEnvironment,
    memory: ChainMemory,
    loaded: LoadedFiles,
  ) {
    this.use = options.source.use;
    this.#options = options;
    this.#environment = environment;
    this.#memory = memory;
    this.#served = serve(loaded, options.source, 1);
    this.#expiry = new ExpiryWatch(this.use, (event) => this.#tell(event));
    this.#warnOfOpenKey(loaded);
    this.#watch();
    this.#startInterval();
    this.#checkExpiry();
  }

  current(): LoadedCredentials {
    return this.#served.current;
  }

  health(): CredentialHealth {
    const { loaded, current } = this.#served;
    const { certificate } = loaded;
    return {
      use: this.use,
      certFile: this.#options.source.files.certFile,
      subject: subjectText(certificate),
      serial: certificate.serialNumber,
      fingerprint: certificate.fingerprint256.replaceAll(":", ""),
      validUntilMs: certificate.validToDate.getTime(),
      authoritiesUntilMs: loaded.authorities
        .map((each) => each.validToDate.getTime())
        .sort((a, b) => a - b),
      listsUntilMs: loaded.lists
        .map((list) => list.nextUpdateMs)
        .sort((a, b) => (a ?? Infinity) - (b ?? Infinity)),
      warnings: loaded.warnings(this.#nowMs()),
      refused: this.#refused,
      generation: current.generation,
      reloads: { ...this.#reloads },
    };
  }

  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One at a time. Whoever asks while one runs gets the next, as files may have been read before they changed. */
  reload(cause: ReloadCause): Promise<ReloadOutcome> {
    if (this.#running === null) return this.#start(cause);
    this.#queued ??= this.#running.then(() => {
      this.#queued = null;
      return this.#start(cause);
    });
    return this.#queued;
  }

  async prepare(source: CredentialSource): Promise<string | null> {
    this.#prepared = null;
    // A change of other settings. If these files are bad meanwhile, that has been told, and is no reason against it.
    if (source.key === this.#options.source.key) return null;
    try {
      const loaded = await this.#load(source);
      this.#prepared = { source, loaded };
      return null;
    } catch (error) {
      return textOf(error);
    }
  }

  configure(options: CredentialOptions): void {
    const previous = this.#options;
    this.#options = options;
    const prepared = this.#prepared;
    this.#prepared = null;
    if (options.reloadIntervalMs !== previous.reloadIntervalMs) this.#startInterval();
    if (options.source.key !== previous.source.key) {
      this.#watch();
      if (prepared?.source.key === options.source.key) this.#adopt(prepared.loaded, "config");
      else void this.reload("config");
    }
    this.#checkExpiry();
  }

  close(): void {
    this.#closed = true;
    this.#endWatching();
    this.#endSettling?.();
    this.#endInterval();
    this.#endExpiryTimer();
    this.#endPause?.();
    this.#listeners.clear();
  }

  #start(cause: ReloadCause): Promise<ReloadOutcome> {
    const running = this.#reload(cause).finally(() => {
      this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #reload(cause: ReloadCause): Promise<ReloadOutcome> {
    for (let attempt = 0; ; attempt++) {
      if (this.#closed) return { result: "unchanged" };
      const { source } = this.#options;
      try {
        // Before reading: what changes from here on is seen by the next reload.
        this.#watch();
        const loaded = await this.#load(source);
        // A CONFIG SET came in between.
        if (source.key !== this.#options.source.key) continue;
        return this.#adopt(loaded, cause);
      } catch (error) {
        const pauseMs = HALF_WRITTEN_PAUSES_MS[attempt];
        const mayPass = error instanceof CertificateError && mayBeHalfWritten(error);
        if (!mayPass || pauseMs === undefined) return this.#refuse(textOf(error), cause);
        await this.#pause(pauseMs);
      }
    }
  }

  /** Those that serve already when the files are the same: checks of time belong to others. */
  async #load(source: CredentialSource): Promise<LoadedFiles> {
    const { ports } = this.#environment;
    const raw = await readFiles(source, ports.files);
    const { loaded, sourceKey } = this.#served;
    if (raw.digest === loaded.digest && source.key === sourceKey) return loaded;
    return await loadCredentials(raw, source, this.#memory, this.#nowMs());
  }

  #adopt(loaded: LoadedFiles, cause: ReloadCause): ReloadOutcome {
    if (this.#closed) return { result: "unchanged" };
    const before = this.#served;
    const { key: sourceKey, staleLists } = this.#options.source;
    const change = changeBetween(before, { loaded, staleLists });
    const isChanged =
      change.identity || change.trust || change.revocations || before.sourceKey !== sourceKey;
    this.#mended();
    if (!isChanged) {
      this.#reloads.unchanged++;
      this.#served = { ...before, loaded };
      return { result: "unchanged" };
    }
    this.#reloads.changed++;
    this.#served = serve(loaded, this.#options.source, before.current.generation + 1);
    this.#warnOfOpenKey(loaded);
    this.#tell({
      use: this.use,
      kind: "reloaded",
      cause,
      change,
      before: describe(before.loaded),
      after: describe(loaded),
    });
    for (const listener of this.#listeners) listener(this.#served.current, change);
    this.#checkExpiry();
    return { result: "changed", change };
  }

  /** The alarm is raised once for each thing that is wrong, not at each look. */
  #refuse(text: string, cause: ReloadCause): ReloadOutcome {
    this.#reloads.refused++;
    if (this.#refused?.text !== text) {
      this.#refused = { sinceMs: this.#refused?.sinceMs ?? this.#nowMs(), text };
      this.#tell({ use: this.use, kind: "refused", cause, text });
    }
    return { result: "refused", text };
  }

  #mended(): void {
    if (this.#refused === null) return;
    this.#refused = null;
    this.#environment.ports.logger.info({ use: this.use }, "the certificates are good again");
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#endPause = null;
        resolve();
      };
      const cancel = this.#environment.ports.clock.after(ms, done);
      this.#endPause = () => {
        cancel();
        done();
      };
    });
  }

  /** Anew each time: links may lead elsewhere than before. */
  #watch(): void {
    if (this.#closed) return;
    const { files } = this.#options.source;
    const paths = [
      files.certFile,
      files.keyFile,
      files.keyPassphraseFile,
      files.caFile,
      files.crlFile,
    ].filter((path) => path !== null);
    const directories = files.caDirectory === null ? [] : [`${files.caDirectory}/`];
    const end = this.#environment.ports.files.watch([...paths, ...directories], () =>
      this.#changeSeen(),
    );
    this.#endWatching();
    this.#endWatching = end;
  }

  /** One rotation makes many events: the first starts the wait, the others are part of it. */
  #changeSeen(): void {
    if (this.#closed || this.#endSettling !== null) return;
    this.#endSettling = this.#environment.ports.clock.after(CHANGE_SETTLES_MS, () => {
      this.#endSettling = null;
      void this.reload("file");
    });
  }

  #startInterval(): void {
    this.#endInterval();
    const { reloadIntervalMs } = this.#options;
    if (reloadIntervalMs === 0 || this.#closed) return;
    this.#endInterval = this.#environment.ports.clock.after(reloadIntervalMs, () => {
      void this.reload("interval").finally(() => this.#startInterval());
    });
  }

  #checkExpiry(): void {
    if (this.#closed) return;
    this.#endExpiryTimer();
    this.#expiry.check(endingsOf(this.#served.loaded), this.#options.warningDays, this.#nowMs());
    this.#endExpiryTimer = this.#environment.ports.clock.after(EXPIRY_CHECK_MS, () =>
      this.#checkExpiry(),
    );
  }

  #warnOfOpenKey(loaded: LoadedFiles): void {
    if (!loaded.keyIsReadableByOthers) return;
    const file = this.#options.source.files.keyFile;
    this.#environment.ports.logger.warn(
      { use: this.use, file },
      "every user of this machine may read the key: chmod 600",
    );
  }

  #nowMs(): number {
    return this.#environment.ports.clock.nowMs();
  }

  #tell(event: CredentialEvent): void {
    logEvent(this.#environment.ports.logger, event);
    this.#environment.onEvent(event);
  }
}

function serve(loaded: LoadedFiles, source: CredentialSource, generation: number): Served {
  const { certificate, contextOptions, hasAuthorities, verify } = loaded;
  const current = { generation, certificate, contextOptions, hasAuthorities, verify };
  return { loaded, current, sourceKey: source.key, staleLists: source.staleLists };
}

/** What a list means that is out of date is a part of what is revoked. */
function changeBetween(
  before: Pick<Served, "loaded" | "staleLists">,
  after: Pick<Served, "loaded" | "staleLists">,
): CredentialChange {
  const [old, now] = [before.loaded.contents, after.loaded.contents];
  return {
    identity: old.identity !== now.identity,
    trust: old.trust !== now.trust,
    revocations: old.revocations !== now.revocations || before.staleLists !== after.staleLists,
  };
}

/** For the audit trail: enough to tell two generations apart, and nothing secret. */
function describe({ certificate, authorities, lists }: LoadedFiles): string {
  return (
    `${subjectText(certificate)}; serial ${certificate.serialNumber}; ` +
    `until ${certificate.validToDate.toISOString()}; ` +
    `authorities ${authorities.length}; revocation lists ${lists.length}`
  );
}

function endingsOf({ certificate, authorities, lists }: LoadedFiles): readonly Ending[] {
  const endingOf = (kind: "leaf" | "authority", each: typeof certificate): Ending => ({
    kind,
    id: `${kind} ${each.fingerprint256}`,
    name: subjectText(each),
    untilMs: each.validToDate.getTime(),
    lifeMs: null,
  });
  return [
    endingOf("leaf", certificate),
    ...authorities.map((each) => endingOf("authority", each)),
    ...lists.flatMap((list): readonly Ending[] =>
      list.nextUpdateMs === null
        ? []
        : [
            {
              kind: "revocation_list",
              id: `list ${list.fingerprint}`,
              name: `revocation list number ${list.number}`,
              untilMs: list.nextUpdateMs,
              lifeMs: list.nextUpdateMs - list.thisUpdateMs,
            },
          ],
    ),
  ];
}

function logEvent(logger: CertificatePorts["logger"], event: CredentialEvent): void {
  const { use } = event;
  switch (event.kind) {
    case "reloaded":
      logger.info(
        { use, cause: event.cause, change: event.change, certificate: event.after },
        "took new certificates",
      );
      break;
    case "refused":
      logger.error(
        { use, cause: event.cause, reason: event.text },
        "refused the files of certificates; those from before stay in use",
      );
      break;
    case "expiring":
      logger.warn(
        { use, kind: event.ending.kind, name: event.ending.name, daysLeft: event.daysLeft },
        "will end soon",
      );
      break;
    case "expired":
      logger.error({ use, kind: event.ending.kind, name: event.ending.name }, "has ended");
      break;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
