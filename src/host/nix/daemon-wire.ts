import type { Socket } from "node:net";
import { stripVTControlCharacters } from "node:util";
import { elapsedMs } from "../elapsed.ts";

/**
 * As much of the Nix daemon's worker protocol as realising and pinning takes: numbers are 64 bits,
 * little-endian; text has its length before it and zeros behind it up to a multiple of 8.
 */

const clientMagic = 0x6e697863;
const daemonMagic = 0x6478696f;

// 1.35: the newest Lix takes nothing older, and Nix 2.4 to current ones talk with it (1.32 to 1.38).
// What is asked here has the same bytes in all of these.
const ourMinor = 35;
const oldestMinor = 26;

const fromDaemon = {
  next: 0x6f6c6d67,
  last: 0x616c7473,
  error: 0x63787470,
  startActivity: 0x53545254,
  stopActivity: 0x53544f50,
  result: 0x52534c54,
} as const;

/** The bytes of a number. */
export function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** The bytes of a text. */
export function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const padding = Buffer.alloc((8 - (bytes.length % 8)) % 8);
  return Buffer.concat([encodeNumber(bytes.length), bytes, padding]);
}

/** The bytes with which a connection begins. Nothing in them depends on what the daemon answers. */
export function encodeGreeting(): Buffer {
  const obsolete = [0, 0];
  return Buffer.concat([clientMagic, 0x100 | ourMinor, ...obsolete].map(encodeNumber));
}

/** The daemon speaks no version of the protocol that is known here, or says what isn't in it. */
export class UnknownProtocol extends Error {
  override readonly name = "UnknownProtocol";
}

/** There was no connection, or it ended before the daemon had answered. The message says what the daemon did. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** How the daemon did one thing. */
export interface Done {
  readonly succeeded: boolean;
  /** What it said meanwhile, for people, without colours; with the error at the end if there was one. */
  readonly words: string;
}

const maxText = 1024 * 1024;
const maxWords = 64 * 1024;

/** Reads what a daemon says, in order. */
export class DaemonReader {
  /** When the daemon last said something new, in milliseconds as `elapsedMs()` has them. */
  heardAt = elapsedMs();
  /** The last progress of each activity: while nothing comes, the same is told every second. */
  private readonly progress = new Map<number, string>();
  private received = Buffer.alloc(0);
  private readonly chunks: AsyncIterator<Buffer>;

  constructor(socket: Socket) {
    this.chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** @throws UnknownProtocol */
  async greeting(): Promise<void> {
    if ((await this.number()) !== daemonMagic) throw new UnknownProtocol("not a Nix daemon");
    const version = await this.number();
    const minor = Math.min(version & 0xff, ourMinor);
    if (version >> 8 !== 1 || minor < oldestMinor) {
      throw new UnknownProtocol(
        `worker protocol ${String(version >> 8)}.${String(version & 0xff)}`,
      );
    }
    if (minor >= 33) await this.text(); // Nix's version
    if (minor >= 35) await this.number(); // whether it trusts us
  }

  /** How the next thing that was asked for went. The answer itself follows only if it succeeded. */
  async done(): Promise<Done> {
    let words = "";
    for (;;) {
      const kind = await this.number();
      switch (kind) {
        case fromDaemon.last:
          return { succeeded: true, words };
        case fromDaemon.error:
          return { succeeded: false, words: `${words}${await this.error()}\n` };
        case fromDaemon.next:
          words = (words + stripVTControlCharacters(await this.text())).slice(-maxWords);
          break;
        case fromDaemon.startActivity:
          for (let skipped = 0; skipped < 3; skipped++) await this.number();
          await this.text();
          await this.fields();
          await this.number();
          break;
        case fromDaemon.stopActivity:
          this.progress.delete(await this.number());
          break;
        case fromDaemon.result:
          if (!(await this.isNewResult())) continue;
          break;
        default:
          throw new UnknownProtocol(`message ${kind.toString(16)}`);
      }
      this.heardAt = elapsedMs();
    }
  }

  /** The path of a path's description, all of which is read. */
  async pathInfo(): Promise<string> {
    const path = await this.text();
    await this.text(); // deriver
    await this.text(); // hash
    await this.list(); // references
    for (let skipped = 0; skipped < 3; skipped++) await this.number(); // time, size, whether built here
    await this.list(); // signatures
    await this.text(); // content address
    return path;
  }

  async number(): Promise<number> {
    const value = (await this.bytes(8)).readBigUInt64LE();
    // Activities have larger ones, which nobody looks at.
    return Number(value);
  }

  async text(): Promise<string> {
    const size = await this.number();
    if (size > maxText) throw new UnknownProtocol(`text of ${String(size)} bytes`);
    const padded = await this.bytes(size + ((8 - (size % 8)) % 8));
    return padded.toString("utf8", 0, size);
  }

  private async list(): Promise<void> {
    for (let count = await this.number(); count > 0; count--) await this.text();
  }

  private async error(): Promise<string> {
    await this.text(); // "Error"
    await this.number(); // level
    await this.text(); // name
    const message = await this.text();
    await this.number(); // no position
    for (let traces = await this.number(); traces > 0; traces--) {
      await this.number();
      await this.text();
    }
    return stripVTControlCharacters(message);
  }

  private async isNewResult(): Promise<boolean> {
    const activity = await this.number();
    const result = [await this.number(), ...(await this.fields())].join(" ");
    const isNew = this.progress.get(activity) !== result;
    this.progress.set(activity, result);
    return isNew;
  }

  private async fields(): Promise<(number | string)[]> {
    const fields: (number | string)[] = [];
    for (let count = await this.number(); count > 0; count--) {
      fields.push((await this.number()) === 0 ? await this.number() : await this.text());
    }
    return fields;
  }

  private async bytes(size: number): Promise<Buffer> {
    while (this.received.length < size) {
      const next = await this.chunks.next();
      if (next.done === true) throw new ConnectionLost("closed the connection");
      this.received = Buffer.concat([this.received, next.value]);
    }
    const bytes = this.received.subarray(0, size);
    this.received = this.received.subarray(size);
    return bytes;
  }
}
