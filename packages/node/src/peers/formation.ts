/** Runs the decisions of bootstrap.ts: tells the peers, writes the result to disk, and says what is being waited for. */
import { BootstrapState } from "./bootstrap.ts";
import type { BootstrapDecision } from "./bootstrap.ts";
import { PeerError } from "./errors.ts";
import type { Hello } from "./hello.ts";
import { LogLimiter } from "./log-limiter.ts";
import type { Genesis, Member } from "./membership.ts";
import type { PeerNetworkOptions } from "./options.ts";
import type { PeerPorts } from "./ports.ts";
import type { Refusal } from "./refusal.ts";

export interface FormationEffects {
  /** This node's hello changed: say it again on every link. */
  announce(): void;
  /** The cluster is known and durable. */
  formed(genesis: Genesis): void;
  /** End all links: what was said on them no longer holds. */
  forgetLinks(): void;
}

export class Formation {
  readonly #options: PeerNetworkOptions;
  readonly #self: () => Member;
  readonly #ports: PeerPorts;
  readonly #effects: FormationEffects;
  readonly #complaints: LogLimiter;
  readonly expectedNames: readonly string[];
  #state: BootstrapState | null = null;
  #heard: Hello[] = [];
  #genesis: Genesis | null;
  #problem: string | null = "The cluster is not being formed yet.";
  #persisting = false;
  #stopped = false;
  #isAsking = false;
  #waiter: {
    readonly promise: Promise<Genesis>;
    readonly resolve: (genesis: Genesis) => void;
    readonly reject: (error: Error) => void;
  } | null = null;

  constructor(
    options: PeerNetworkOptions,
    self: () => Member,
    ports: PeerPorts,
    effects: FormationEffects,
  ) {
    this.#options = options;
    this.#self = self;
    this.#ports = ports;
    this.#effects = effects;
    this.#complaints = new LogLimiter(options.limits.repeatedLogIntervalMs);
    this.#genesis = options.genesis;
    const configured = [options.identity.name, ...options.peers.map((peer) => peer.name)];
    this.expectedNames = configured.toSorted();
  }

  get genesis(): Genesis | null {
    return this.#genesis;
  }

  get promise(): string | null {
    return this.#state?.promise ?? null;
  }

  get problem(): string | null {
    return this.#genesis === null ? this.#problem : null;
  }

  /** Begins to form, or gives what is known already. May be called again and gives the same promise. */
  begin(): Promise<Genesis> {
    if (this.#genesis !== null) {
      return Promise.resolve(this.#genesis);
    }
    if (this.#waiter === null) {
      this.#waiter = Promise.withResolvers<Genesis>();
      // The network's address is known only now, and it becomes part of the member's record.
      this.#state = new BootstrapState({
        self: this.#self(),
        clusterToken: this.#options.clusterToken,
        expectedNames: this.expectedNames,
      });
      for (const hello of this.#heard.splice(0)) {
        this.#take(hello);
      }
      this.proceed();
    }
    return this.#waiter.promise;
  }

  /** A peer of a formed cluster was heard in which this node has no place yet. */
  get isAsking(): boolean {
    return this.#genesis === null && this.#isAsking;
  }

  /** Takes in a hello that was not refused. */
  hear(hello: Hello): void {
    if (this.#genesis === null) this.#take(hello);
  }

  /** A peer refuses this node: that is what it waits for, as long as nobody else lets it in. */
  refusedBy(peer: string, refusal: Refusal): void {
    if (this.#genesis !== null || this.#state === null || this.#isAsking) return;
    const isOutsider = refusal.reason === "unknownMember" || refusal.reason === "replacedDisk";
    if (isOutsider || refusal.reason === "removed") {
      this.#report(`"${peer}" does not let this node in: ${refusal.text}`, "warn");
    }
  }

  /** Decides and acts on what was heard. */
  proceed(): void {
    const state = this.#state;
    if (state === null || this.#genesis !== null || this.#persisting || this.#stopped) {
      return;
    }
    const promiseBefore = state.promise;
    const decision = state.decide();
    this.#isAsking = decision.kind === "ask";
    if (state.promise !== promiseBefore) {
      this.#effects.announce();
    }
    this.#carryOut(state, decision);
  }

  stop(): void {
    this.#stopped = true;
    this.#waiter?.reject(
      new PeerError("stopped", "The node was stopped before its cluster was formed."),
    );
    // Whoever called `begin` has the promise; a node stopped before anybody looked must not fail over it.
    this.#waiter?.promise.catch(() => undefined);
  }

  #take(hello: Hello): void {
    const state = this.#state;
    if (state === null) {
      this.#heard = [...this.#heard.filter((each) => each.name !== hello.name), hello];
      return;
    }
    state.hear({
      member: {
        id: hello.nodeId,
        name: hello.name,
        peerAddress: hello.peerAddress,
        clientAddress: hello.clientAddress,
      },
      promise: hello.promise,
      genesis: hello.genesis,
      members: hello.members,
    });
  }

  #carryOut(state: BootstrapState, decision: BootstrapDecision): void {
    switch (decision.kind) {
      case "form":
      case "adopt":
        this.#persist(decision.genesis, decision.kind);
        return;
      case "wait": {
        const { missing, unpromised } = decision;
        const names = missing.length > 0 ? missing : unpromised;
        this.#report(`Waiting for ${names.join(", ")} to form the cluster.`, "info");
        return;
      }
      case "ask":
        this.#report(
          `Asking to join cluster ${decision.clusterId}, which ` +
            (decision.registeredId === null
              ? `does not know "${this.#options.identity.name}": its members take it in after ` +
                `\`ferrite member add ${this.#options.identity.name}\`, or with member-join auto.`
              : `knows "${this.#options.identity.name}" with another disk (${decision.registeredId}): this one is to ` +
                "replace it."),
          "info",
        );
        return;
      case "conflict":
        this.#report(
          `The peers belong to different clusters (${decision.clusterIds.join(", ")}): this node joins none. ` +
            "Check the addresses in peers and the cluster-token of each.",
          "error",
        );
        return;
      case "reset":
        this.#report(
          `"${decision.changedName}" came with a new disk: forming begins anew.`,
          "warn",
        );
        state.reset();
        this.#effects.forgetLinks();
        return;
    }
  }

  #persist(genesis: Genesis, how: "form" | "adopt"): void {
    this.#persisting = true;
    this.#options.persistGenesis(genesis).then(
      () => {
        this.#persisting = false;
        if (this.#stopped) {
          return;
        }
        this.#genesis = genesis;
        this.#ports.logger.info(
          { clusterId: genesis.clusterId, members: genesis.members.map((member) => member.name) },
          how === "form"
            ? "The cluster is formed"
            : "This node has a place in the cluster that the peers have formed",
        );
        this.#effects.formed(genesis);
        this.#effects.announce();
        this.#waiter?.resolve(genesis);
      },
      (error: unknown) => {
        // Not formed, and not to be tried again: whether the bytes are on the disk is not known.
        this.#waiter?.reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  #report(text: string, level: "info" | "warn" | "error"): void {
    this.#problem = text;
    const passed = this.#complaints.pass(text, this.#ports.clock.nowMs());
    if (passed !== null) {
      this.#ports.logger[level]({ suppressed: passed.suppressed }, text);
    }
  }
}
