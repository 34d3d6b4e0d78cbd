import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Etcd3, type IOptions, type IWatchResponse } from "etcd3";
import { Failure } from "../failure.ts";
import { elapsedMs } from "../host/elapsed.ts";
import { certificateFailure } from "./etcd-certificates.ts";
import { failureOfAll, faultOf, type Fault } from "./etcd-failure.ts";
import type { EtcdSettings } from "./etcd-settings.ts";

/** A client that asks one member. */
export type Client = Etcd3;

/** What a member says that is watched. */
export type Heard = IWatchResponse;

/** What one call is made with. */
export interface Call {
  readonly client: Client;
  /** When it has to have answered, in milliseconds of the epoch, as gRPC wants it. */
  readonly options: { readonly deadline: number };
  /** Whether a member was asked before, and may have done it without saying so. */
  readonly isAgain: boolean;
}

/** The members of an etcd cluster, of whom one at a time is asked. */
export interface Members {
  readonly settings: EtcdSettings;
  /**
   * What the first member says that answers. Each is asked until its share of the deadline is over; one that
   * waits for a leader again and again.
   *
   * @param what - names in messages what is to be done
   * @throws Failure `source/…`
   */
  ask<T>(what: string, act: (call: Call) => Promise<T>): Promise<T>;
  /** Asks another first from now on. */
  avoid(client: Client): void;
}

/** The largest answer that is taken: two of the largest objects that etcd is meant for. */
const maxAnswerSize = 16 * 1024 * 1024;
/** So many calls at a time; with thousands, the last would find their deadline over. */
const mostCalls = 64;
/** After so long a member that has no leader is asked again, as long as there is time. */
const electionMs = 100;

type Policies = NonNullable<IOptions["faultHandling"]>;

// etcd3 would try again by itself, and would not say whether the first try may have arrived; it would
// shuffle members, and pass over one for a while. Here each has a client of its own, asked once.
const silent = (): { dispose: () => void } => ({ dispose: () => undefined });
const once = {
  onSuccess: silent,
  onFailure: silent,
  execute: (act: (context: { signal: AbortSignal }) => unknown) =>
    new Promise((resolve) => {
      resolve(act({ signal: new AbortController().signal }));
    }),
} as unknown as NonNullable<Policies["global"]>;

/** The members that the settings name; nobody is connected to before somebody asks. */
export function openMembers(settings: EtcdSettings): Members {
  const { endpoints, deadlineMs } = settings;
  const clients = new Map<string, Etcd3>();
  let first = randomInt(endpoints.length);
  const slots = limit(mostCalls);
  const shareMs = Math.max(Math.floor(deadlineMs / endpoints.length), 500);

  const clientOf = (endpoint: string): Etcd3 => {
    const client = clients.get(endpoint) ?? connect(settings, endpoint, shareMs);
    clients.set(endpoint, client);
    return client;
  };
  const drop = (endpoint: string, client: Etcd3): void => {
    if (clients.get(endpoint) !== client) return;
    clients.delete(endpoint);
    client.close();
    // Somebody else may have chosen another meanwhile.
    if (endpoints[first] === endpoint) first = (first + 1) % endpoints.length;
  };

  const askInTurn = async <T>(what: string, act: (call: Call) => Promise<T>): Promise<T> => {
    const end = elapsedMs() + deadlineMs;
    const faults = new Map<string, Fault>();
    const waiting = [...endpoints.slice(first), ...endpoints.slice(0, first)];
    const isElecting = (endpoint: string): boolean => faults.get(endpoint)?.kind === "leader";
    for (let endpoint = waiting.shift(); endpoint !== undefined; endpoint = waiting.shift()) {
      // Members that have lost their leader choose another, and say at once that they haven't yet.
      if (isElecting(endpoint)) await pause(electionMs);
      const leftMs = end - elapsedMs();
      if (leftMs <= 0) break;
      const timeoutMs = waiting.length === 0 ? leftMs : Math.min(leftMs, shareMs);
      let client: Etcd3 | undefined;
      try {
        client = clientOf(endpoint);
        const options = { deadline: deadlineIn(timeoutMs) };
        return await within(timeoutMs, act({ client, options, isAgain: faults.size > 0 }));
      } catch (error) {
        if (error instanceof Failure) throw error;
        const fault = faultOf(error, settings, endpoint, what);
        if (fault instanceof Failure) throw fault;
        faults.set(endpoint, fault);
        if (fault.kind === "leader") waiting.push(endpoint);
        if (client !== undefined) drop(endpoint, client);
      }
    }
    const reasons = await Promise.all(
      // In the order of the configuration, so that it is said in the same words whom we asked first.
      endpoints
        .flatMap((endpoint) => faults.get(endpoint) ?? [])
        .map(async (fault) =>
          fault.kind === "connection"
            ? ((await certificateFailure(settings, fault.endpoint)) ?? fault)
            : fault,
        ),
    );
    throw failureOfAll(settings, reasons, what);
  };

  return {
    settings,
    ask: (what, act) => slots(() => askInTurn(what, act)),
    avoid: (client) => {
      for (const [endpoint, one] of clients) if (one === client) drop(endpoint, client);
    },
  };
}

/** gRPC takes a moment of the clock. Where that is set meanwhile, `within` ends the call. */
function deadlineIn(timeoutMs: number): number {
  // eslint-disable-next-line no-restricted-properties -- it is what gRPC takes
  return Date.now() + timeoutMs;
}

function connect({ tls, login }: EtcdSettings, endpoint: string, answersWithinMs: number): Etcd3 {
  const options: IOptions = {
    hosts: endpoint,
    faultHandling: { global: once, host: () => once },
    // Calls have their own; this is for the one that trades the password for a token.
    defaultCallOptions: ({ isStream }) =>
      isStream ? {} : { deadline: deadlineIn(answersWithinMs) },
    grpcOptions: {
      "grpc.max_receive_message_length": maxAnswerSize,
      "grpc.keepalive_time_ms": 10_000,
      "grpc.keepalive_timeout_ms": 5_000,
    },
  };
  if (tls !== undefined) {
    const { ca: rootCertificate, certificate: certChain, certificateKey: privateKey } = tls;
    options.credentials = {
      rootCertificate,
      ...(certChain === undefined ? {} : { certChain }),
      ...(privateKey === undefined ? {} : { privateKey }),
    };
  }
  if (login !== undefined) options.auth = login;
  return new Etcd3(options);
}

/** A little later than gRPC's own end, which is told apart; this one holds whatever etcd3 does. */
const graceMs = 250;

async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error("4 DEADLINE_EXCEEDED: no answer");
    timer = setTimeout(() => {
      reject(error);
    }, timeoutMs + graceMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs at most `most` at a time, the others in their order after them. */
function limit(most: number): <T>(run: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (run) => {
    if (running >= most) await new Promise<void>((start) => waiting.push(start));
    else running++;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
