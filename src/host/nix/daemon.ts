import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { elapsedMs } from "../elapsed.ts";
import { errorCode } from "../error-code.ts";
import {
  ConnectionLost,
  DaemonReader,
  encodeGreeting,
  encodeNumber,
  encodeText,
  type Done,
} from "./daemon-wire.ts";
import { fetchOptions } from "./errors.ts";

const socketPath = "/nix/var/nix/daemon-socket/socket";

const operation = {
  isValidPath: 1,
  addToStore: 7,
  ensurePath: 10,
  addTempRoot: 11,
  addIndirectRoot: 12,
  setOptions: 19,
} as const;

/** Something that a daemon is asked, about a path. */
export interface Question {
  readonly operation: Exclude<keyof typeof operation, "addToStore" | "setOptions">;
  readonly path: string;
}

/** What a daemon answers. */
export interface Reply extends Done {
  readonly path: string;
  /** Of `isValidPath`, whether it is. Of the others, whether they were done. */
  readonly isYes: boolean;
}

/**
 * A connection to the Nix daemon: a process of the daemon's that works for us alone, with options of
 * ours. It keeps the temporary roots that it was asked for, or has needed itself, until the
 * connection ends.
 */
export class NixDaemon implements Disposable {
  private readonly socket: Socket;
  private readonly reader: DaemonReader;
  private readonly options: Readonly<Record<string, string>>;
  private isGreeted = false;
  private reason: ConnectionLost | undefined;

  private constructor(socket: Socket, options: Readonly<Record<string, string>>) {
    this.socket = socket;
    this.reader = new DaemonReader(socket);
    this.options = options;
  }

  /**
   * A connection; undefined where there is no daemon's socket.
   *
   * @param until - so long a daemon that has too many callers in front of its door is tried again,
   *   in milliseconds as `elapsedMs()` has them
   * @param substituter - the one cache to fetch from, instead of those of nix.conf
   * @throws ConnectionLost if the socket is there and nobody answers
   */
  static async open(until: number, substituter?: string): Promise<NixDaemon | undefined> {
    const options = {
      ...fetchOptions,
      ...(substituter === undefined ? {} : { substituters: substituter }),
    };
    for (;;) {
      const result = await openSocket();
      if (typeof result !== "string") return new NixDaemon(result, options);
      if (result === "ENOENT") return undefined;
      // Not begun by systemd, it lets five wait.
      if (result !== "EAGAIN" || elapsedMs() > until) {
        throw new ConnectionLost(`can't be reached at ${socketPath}: ${result}`);
      }
      await pause(10);
    }
  }

  /** How long the daemon has said nothing. While it fetches it tells of every piece. */
  get silentMs(): number {
    return elapsedMs() - this.reader.heardAt;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  /** After it, the connection is closed, and who waits for an answer gets that reason. */
  end(reason: ConnectionLost): void {
    this.reason ??= reason;
    this.socket.destroy();
  }

  /**
   * What the daemon answers to each of the questions, which it takes one after the other. All are sent
   * at once.
   *
   * @throws ConnectionLost if the connection ends before, also by `Symbol.dispose`; UnknownProtocol
   */
  async ask(questions: readonly Question[]): Promise<Reply[]> {
    const asked = questions.flatMap((one) => [
      encodeNumber(operation[one.operation]),
      encodeText(one.path),
    ]);
    return this.converse(asked, async () => {
      const replies: Reply[] = [];
      for (const { path } of questions) {
        const done = await this.reader.done();
        const isYes = done.succeeded && (await this.reader.number()) === 1;
        replies.push({ ...done, path, isYes });
      }
      return replies;
    });
  }

  /**
   * The store path that now has the content of a NAR, and is named by it; or why there is none. A
   * temporary root keeps it for as long as this connection lasts.
   *
   * @throws ConnectionLost, UnknownProtocol
   */
  async add(name: string, nar: Uint8Array): Promise<Done & { readonly storePath: string }> {
    const asked = [
      encodeNumber(operation.addToStore),
      encodeText(name),
      encodeText("fixed:r:sha256"),
      ...[0, 0].map(encodeNumber), // no references, no repair
      // One frame, and the empty one that ends them.
      encodeNumber(nar.length),
      nar,
      encodeNumber(0),
    ];
    return this.converse(asked, async () => {
      const done = await this.reader.done();
      return { ...done, storePath: done.succeeded ? await this.reader.pathInfo() : "" };
    });
  }

  private async converse<T>(asked: readonly Uint8Array[], listen: () => Promise<T>): Promise<T> {
    this.socket.ref();
    this.socket.write(Buffer.concat(this.isGreeted ? asked : [this.beginning(), ...asked]));
    try {
      if (!this.isGreeted) await this.greet();
      return await listen();
    } catch (error) {
      if (!this.socket.destroyed) throw error;
      throw this.reason ?? new ConnectionLost("closed the connection");
    } finally {
      // One that nobody waits for keeps no process from ending.
      this.socket.unref();
    }
  }

  private beginning(): Buffer {
    const settings = Object.entries(this.options);
    return Buffer.concat([
      encodeGreeting(),
      encodeNumber(operation.setOptions),
      ...encodeOptions(),
      encodeNumber(settings.length),
      ...settings.flat().map(encodeText),
    ]);
  }

  private async greet(): Promise<void> {
    await this.reader.greeting();
    // The daemon's own start, and the options.
    for (const what of ["refuses us", "refuses our options"]) {
      const { succeeded, words } = await this.reader.done();
      if (!succeeded) throw new ConnectionLost(`${what}: ${words.trim().slice(0, 300)}`);
    }
    this.isGreeted = true;
  }
}

/** A connected socket, or why there is none. */
function openSocket(): Promise<Socket | string> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      resolve(socket);
    });
    // Stays: an error of a connection that nobody reads from any more is no news.
    socket.on("error", (error) => {
      resolve(errorCode(error));
    });
  });
}

/** The options that have no names in the protocol, in its order. */
function encodeOptions(): Buffer[] {
  const warnings = 1;
  const error = 0;
  // So many paths of a closure are fetched at once; Nix before 2.20 counts fetches among the jobs.
  const maxJobs = 16;
  const options = {
    keepFailed: 0,
    keepGoing: 0,
    tryFallback: 0,
    verbosity: warnings,
    maxJobs,
    maxSilentTime: 0,
    useBuildHook: 0,
    buildVerbosity: error,
    logType: 0,
    printBuildTrace: 0,
    buildCores: 0,
    useSubstitutes: 1,
  };
  return Object.values(options).map(encodeNumber);
}
