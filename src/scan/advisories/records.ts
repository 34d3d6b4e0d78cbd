/** What is done with what a document holds. */
export interface RecordSink {
  /** Takes each record's own bytes. */
  readonly found: (bytes: Uint8Array) => void;
  /** Takes why one can't be read. */
  readonly skipped: (why: string) => void;
  /** Takes what a feed says before its records, such as when it was made. */
  readonly preamble: (bytes: Uint8Array) => void;
}

/** A record beyond this is passed over. NVD's longest are some megabytes. */
const longest = 32 * 1024 * 1024;
const deepest = 64;

const [quote, backslash, brace, bracket, endBrace, endBracket] = [
  0x22, 0x5c, 0x7b, 0x5b, 0x7d, 0x5d,
];
const space = 0x20;
const mark = new Set([0xef, 0xbb, 0xbf]);
const listed = /"(?:vulnerabilities|cve_items|vulns)"\s*:\s*$/;
const nowhere = Number.MAX_SAFE_INTEGER;

/**
 * JSON, as it arrives, as the records that it holds: those in a list under `vulnerabilities` (NVD's
 * feeds and API), `cve_items` (mirrors of them) or `vulns` (OSV's API); those of a list that is the
 * document itself; else each document. A feed of gigabytes is never in memory: one record at a
 * time is, of at most 32 MiB.
 */
export class RecordSplitter {
  readonly #to: RecordSink;
  #depth = 0;
  #isInText = false;
  #isEscaped = false;
  /** The depth at which records stand: 0 for documents, 1 or 2 below a list. */
  #level = 0;
  /** What was read of the record, or of the document so far. */
  #kept: Uint8Array[] = [];
  #size = 0;
  #isTooDeep = false;
  /** Something stands between documents that is neither space nor a byte order mark. */
  #isForeign = false;

  constructor(to: RecordSink) {
    this.#to = to;
  }

  /** Takes the next bytes. */
  push(chunk: Uint8Array): void {
    // Not through `this`, which would take twice as long for every byte.
    let [depth, level, isInText, isEscaped] = [
      this.#depth,
      this.#level,
      this.#isInText,
      this.#isEscaped,
    ];
    // Where in this chunk the record begins that isn't whole yet.
    let start = depth > level ? 0 : -1;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (isInText) {
        if (isEscaped) isEscaped = false;
        else if (byte === backslash) isEscaped = true;
        else if (byte === quote) isInText = false;
      } else if (byte === quote) isInText = true;
      else if (byte === brace || byte === bracket) {
        if (byte === bracket && level === 0 && this.#holdsRecords(depth, chunk, start, at)) {
          level = depth + 1;
          start = -1;
        } else if (depth === level) start = at;
        depth++;
        if (depth - level > deepest) this.#isTooDeep = true;
      } else if (byte === endBrace || byte === endBracket) {
        depth = Math.max(depth - 1, 0);
        if (depth === level && start >= 0) {
          this.#keep(chunk.subarray(start, at + 1));
          this.#give();
          start = -1;
        } else if (depth < level) level = depth === 0 ? 0 : nowhere;
      } else if (depth === 0 && byte > space && !mark.has(byte)) this.#isForeign = true;
    }
    if (start >= 0) this.#keep(chunk.subarray(start));
    [this.#depth, this.#level, this.#isInText] = [depth, level, isInText];
    this.#isEscaped = isEscaped;
  }

  /** Says that there are no more bytes. Returns why it was no JSON, or not whole; undefined if it was. */
  end(): string | undefined {
    if (this.#isForeign) return "it is no JSON";
    return this.#depth > 0 || this.#isInText ? "it ends within a record" : undefined;
  }

  /** Whether a list at this place holds the records. */
  #holdsRecords(depth: number, chunk: Uint8Array, start: number, at: number): boolean {
    if (depth === 0) return true;
    if (depth !== 1) return false;
    const before = Buffer.concat([...this.#kept, chunk.subarray(Math.max(start, 0), at)]);
    if (!listed.test(before.subarray(-80).toString("latin1"))) return false;
    this.#to.preamble(before);
    this.#forget();
    return true;
  }

  #keep(bytes: Uint8Array): void {
    this.#size += bytes.length;
    // Copied: the chunk's memory may be used for the next.
    if (this.#size <= longest) this.#kept.push(bytes.slice());
    else this.#kept = [];
  }

  #give(): void {
    if (this.#size > longest) this.#to.skipped("a record of more than 32 MiB");
    else if (this.#isTooDeep) this.#to.skipped("a record that nests more than 64 levels");
    else this.#to.found(Buffer.concat(this.#kept));
    this.#forget();
  }

  #forget(): void {
    this.#kept = [];
    this.#size = 0;
    this.#isTooDeep = false;
  }
}
