/** Something that is looked for, in every spelling. */
export interface Sought {
  /** What it is called; never its value. */
  readonly name: string;
  /** The caller wipes them. */
  readonly needles: readonly Buffer[];
}

/** The ways a secret would be written by a program that is careless with it. */
export function spellings(secret: Uint8Array): Buffer[] {
  // Base64 of a secret within something longer depends on where it begins: three alignments,
  // of each the characters that don't depend on its neighbours.
  const base64 = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), secret]).toString("base64");
    const inner = text.slice(
      Math.ceil((before * 8) / 6),
      Math.floor(((before + secret.length) * 8) / 6),
    );
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const hex = Buffer.from(secret).toString("hex");
  return [
    Buffer.from(secret),
    ...[...new Set([...base64, hex, hex.toUpperCase()])].map((text) => Buffer.from(text)),
  ];
}

/** Looks for all that is sought in bytes that come one piece after the other. */
export class Scanner {
  private readonly left: Set<Sought>;
  private readonly overlap: number;
  private kept = Buffer.alloc(0);
  private readonly names: string[] = [];

  constructor(sought: readonly Sought[]) {
    this.left = new Set(sought);
    this.overlap = Math.max(0, ...sought.flatMap(({ needles }) => needles.map(sizeOf))) - 1;
  }

  /** What was found up to here, each once. */
  get found(): readonly string[] {
    return this.names;
  }

  /** Whether there is nothing left to find. */
  get isDone(): boolean {
    return this.left.size === 0;
  }

  push(piece: Uint8Array): void {
    const window = Buffer.concat([this.kept, piece]);
    for (const one of this.left) {
      if (!one.needles.some((needle) => window.includes(needle))) continue;
      this.names.push(one.name);
      this.left.delete(one);
    }
    this.kept = Buffer.from(window.subarray(Math.max(0, window.length - this.overlap)));
  }
}

const sizeOf = ({ length }: Buffer): number => length;
