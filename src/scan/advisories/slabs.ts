const slabSize = 4 * 1024 * 1024;

/**
 * Values kept as JSON in large blocks of memory outside of the heap, which no garbage collector
 * walks: 300,000 advisories as objects would be above a gigabyte.
 */
export class Slabs<Value> {
  #slabs: Buffer[] = [];
  #free = 0;
  readonly #at: number[] = [];
  readonly #sizes: number[] = [];

  /** Keeps a value. Returns its number, from 0 on. */
  add(value: Value): number {
    const bytes = Buffer.from(JSON.stringify(value));
    if (this.#free < bytes.length) {
      this.#slabs.push(Buffer.allocUnsafeSlow(Math.max(slabSize, bytes.length)));
      this.#free = this.#slabs.at(-1)?.length ?? 0;
    }
    const slab = this.#slabs.length - 1;
    const start = (this.#slabs[slab]?.length ?? 0) - this.#free;
    bytes.copy(this.#slabs[slab] ?? bytes, start);
    this.#free -= bytes.length;
    this.#sizes.push(bytes.length);
    // A slab's number and a place in it: exact below 2^53.
    return this.#at.push(slab * 2 ** 32 + start) - 1;
  }

  /** The value that was kept under a number. */
  get(number: number): Value | undefined {
    const [at, size] = [this.#at[number], this.#sizes[number]];
    if (at === undefined || size === undefined) return undefined;
    const start = at % 2 ** 32;
    const slab = this.#slabs[Math.floor(at / 2 ** 32)];
    const bytes = slab?.subarray(start, start + size) ?? Buffer.alloc(0);
    // Our own text, written above.
    return JSON.parse(bytes.toString()) as Value;
  }
}
