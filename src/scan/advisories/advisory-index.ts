import { type Advisory } from "./advisory.ts";
import { type Component } from "../component.ts";
import { type Read } from "./read.ts";
import { keysOf, namesIn } from "./product-keys.ts";
import { Slabs } from "./slabs.ts";

interface Kept {
  readonly modified: string;
  readonly number: number;
}

/** What is known of the advisories that were read. */
export interface AdvisoryCount {
  /** Those that may be judged by; each id of each database once. */
  readonly advisories: number;
  /** Those that were rejected or withdrawn. */
  readonly withdrawn: number;
  /** How many records were passed over, by why. */
  readonly skipped: ReadonlyMap<string, number>;
  /**
   * RFC 3339: how recent the data is, by the last change of any record or the last feed's own date;
   * of several databases the one that is oldest.
   */
  readonly newest: string | undefined;
}

const mostRecent = 512;

/** Advisories by the names of the products that they are about. */
export class AdvisoryIndex {
  readonly #kept = new Slabs<Advisory>();
  readonly #recent = new Map<number, Advisory>();
  readonly #numbers = new Map<string, number[]>();
  readonly #ids = new Map<string, Kept>();
  readonly #replaced = new Set<number>();
  readonly #withdrawn = new Set<string>();
  readonly #skipped = new Map<string, number>();
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #tomorrow: string;
  readonly #newest = new Map<string, string>();

  /**
   * @param now - dates after it are no dates
   * @param components - where given, only advisories that may be about one of them are kept; the
   *   others are counted
   */
  constructor(now: Date, components?: Iterable<Component>) {
    this.#tomorrow = new Date(now.getTime() + 86_400_000).toISOString();
    if (components !== undefined)
      this.#wanted = new Set([...components].flatMap((component) => keysOf(component)));
  }

  /** Takes what a record of `database` gave. Of two with one id, the one that was changed last stays. */
  add(database: string, read: Read): void {
    if ("skipped" in read) {
      this.#skipped.set(read.skipped, (this.#skipped.get(read.skipped) ?? 0) + 1);
      return;
    }
    this.date(database, read.modified);
    const key = `${database} ${read.id}`;
    const before = this.#ids.get(key);
    if (before !== undefined && before.modified > read.modified) return;
    if (before !== undefined) this.#replaced.add(before.number);
    this.#withdrawn.delete(key);
    if ("withdrawn" in read) {
      this.#ids.set(key, { modified: read.modified, number: -1 });
      this.#withdrawn.add(key);
      return;
    }
    const names = namesIn(read.advisory).filter((name) => this.#wanted?.has(name) !== false);
    const number = names.length > 0 ? this.#kept.add(read.advisory) : -1;
    this.#ids.set(key, { modified: read.modified, number });
    for (const name of names) {
      const numbers = this.#numbers.get(name);
      if (numbers === undefined) this.#numbers.set(name, [number]);
      else numbers.push(number);
    }
  }

  /** Notes a date that a feed or a record of a database gives itself. NVD's have no zone: UTC. */
  date(database: string, date: string): void {
    const found = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?/.exec(date);
    if (found === null || date >= this.#tomorrow) return;
    if (date > (this.#newest.get(database) ?? "")) this.#newest.set(database, `${found[0]}Z`);
  }

  /** Whether an advisory may be about a component, going by names alone. */
  concerns(component: Component): boolean {
    return keysOf(component).some((key) => this.#numbers.has(key));
  }

  /** The advisories that may be about a component, in no order. */
  about(component: Component): readonly Advisory[] {
    const numbers = new Set(keysOf(component).flatMap((key) => this.#numbers.get(key) ?? []));
    return [...numbers]
      .filter((number) => !this.#replaced.has(number))
      .flatMap((number) => this.#parsed(number) ?? []);
  }

  /** Versions of one package are about the same advisories: those read last stay at hand. */
  #parsed(number: number): Advisory | undefined {
    const recent = this.#recent.get(number);
    if (recent !== undefined) return recent;
    const advisory = this.#kept.get(number);
    if (this.#recent.size >= mostRecent) this.#recent.clear();
    if (advisory !== undefined) this.#recent.set(number, advisory);
    return advisory;
  }

  /** Whether CVE itself rejected an id, so that no other database's word for it counts. */
  isRejected(id: string): boolean {
    return this.#withdrawn.has(`NVD ${id}`);
  }

  get count(): AdvisoryCount {
    return {
      advisories: this.#ids.size - this.#withdrawn.size,
      withdrawn: this.#withdrawn.size,
      skipped: this.#skipped,
      newest: [...this.#newest.values()].sort()[0],
    };
  }
}
