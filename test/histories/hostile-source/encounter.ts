import { expect } from "vitest";
import { Failure } from "../../../src/failure.ts";
import { hostileView } from "./adversary.ts";
import { expectForm, readings } from "./built-program.ts";
import { changedIn, requireOwed, requireSealed } from "./changed.ts";
import { HonestHistory } from "./honest-history.ts";
import { liveOn, oneOf } from "./honest-steps.ts";
import { Intended, Unintended, type Seen } from "./intended.ts";
import type { View } from "./ledger.ts";
import { requireWhole } from "./whole.ts";
import { newValue, Victim } from "./victim.ts";

/** How often each command did what it was asked, and was refused. */
export type Tally = Map<string, number>;

/** Why something came to nothing. */
class Refused {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** What `action` gives, or why it was refused. Whatever else it throws is a bug, and thrown on. */
async function outcomeOf<T>(action: () => T | Promise<T>): Promise<T | Refused> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Failure && error.code !== "internal/bug")
      return new Refused(`${error.code}: ${error.message}`);
    if (error instanceof Unintended) return new Refused(error.message);
    throw error;
  }
}

/** One history, and those who meet what a hostile source makes of it. */
export class Encounter implements Disposable {
  /** What happened, a line each. */
  readonly told = ["a cluster begins"];
  readonly #history: HonestHistory;
  readonly #known: View[];
  readonly #victim: Victim;
  readonly #chance: () => number;
  readonly #tally: Tally;

  constructor(directory: string, chance: () => number, tally: Tally) {
    this.#chance = chance;
    this.#tally = tally;
    this.#history = new HonestHistory(chance);
    this.#known = [new Map(this.#history.view)];
    this.#victim = new Victim(directory, this.#history.victim, this.#history.operator);
  }

  [Symbol.dispose](): void {
    this.#victim[Symbol.dispose]();
  }

  async live(): Promise<void> {
    const length = 4 + Math.floor(this.#chance() * 8);
    for (let step = 0; step < length; step++) {
      this.told.push(liveOn(this.#history, this.#chance));
      this.#known.push(new Map(this.#history.view));
      if (this.#chance() < 0.4) continue;
      const { view, told } = hostileView(this.#history, this.#known, this.#chance);
      this.told.push(`  ${told}`);
      await this.#meet(view);
    }
    this.told.push("  the honest source");
    await this.#meetHonest();
  }

  async #meet(view: View): Promise<void> {
    this.#victim.show(view);
    await this.#start(view, oneOf(this.#chance, ["dns", "dns", "billing", "mal/own"]));
    const commands = [
      () => this.#pass(view),
      () => this.#rewrap(view),
      () => this.#verify(view),
      () => this.#seal(view),
    ];
    await oneOf(this.#chance, commands)();
    if (this.#chance() < 1 / 20) {
      expectForm(this.#victim.directory, oneOf(this.#chance, readings));
      this.#tally.set("built program", (this.#tally.get("built program") ?? 0) + 1);
    }
  }

  /** Nobody is kept from anything: what is owed is written, and then all starts that may. */
  async #meetHonest(): Promise<void> {
    const { view, roster, now } = this.#history;
    this.#victim.show(view);
    const intended = this.#intended(view, "laptop");
    await this.#rewrap(view);
    const isFresh =
      Date.parse(roster.staleAfter) > now.getTime() &&
      ["db", "web"].every(
        (pool) => Date.parse(this.#history.poolNow(pool).staleAfter) > now.getTime(),
      );
    const bundles = [...this.#history.statements.keys()];
    const isSigned = await outcomeOf(() =>
      bundles.map((bundle) => intended.statement(intended.roster(), bundle)),
    );
    if (isFresh && !(isSigned instanceof Refused)) expect(this.told.at(-1)).toContain("done");
    const after = this.#victim.shown();
    for (const bundle of bundles) await this.#start(after, bundle);
    const whole = await outcomeOf(() => {
      requireWhole(intended, after, this.#history.ledger);
    });
    if (await this.#verify(after)) return;
    expect(whole).toBeInstanceOf(Refused);
  }

  #intended(view: View, whose: "node" | "laptop" | "nobody"): Intended {
    const seen: Seen = whose === "nobody" ? new Map() : this.#victim.seen(whose);
    // On a laptop, where branches are switched, older bundles are told of and not refused.
    const kept = [...seen].filter(([folder]) => whose === "node" || !folder.startsWith("bundles/"));
    return new Intended(this.#history.ledger, view, new Map(kept), this.#history.now);
  }

  #tell(what: string, outcome: unknown): boolean {
    const isDone = !(outcome instanceof Refused);
    const [word = ""] = what.split(" ", 1);
    const kind = `${word} ${isDone ? "done" : "refused"}`;
    this.#tally.set(kind, (this.#tally.get(kind) ?? 0) + 1);
    this.told.push(`  ${what}: ${isDone ? "done" : outcome.why}`);
    return isDone;
  }

  async #start(view: View, bundle: string): Promise<void> {
    const unit = oneOf(this.#chance, ["dns.service", "dns.service", "other.service", undefined]);
    const floor = this.#chance() < 0.8 ? 0 : 3;
    const reader = this.#history.victim.recipient;
    const intended = (): Promise<Map<string, string> | Refused> => {
      const now = this.#intended(view, "node");
      return outcomeOf(() => now.start(bundle, unit, floor, reader));
    };
    const before = await intended();
    const got = await outcomeOf(() => this.#victim.start(bundle, unit, floor, this.#history.now));
    const after = await intended();
    this.#tell(`start of ${bundle} by ${String(unit)} from ${String(floor)}`, got);
    if (got instanceof Refused) {
      // A mark that a refused start before it made late may be higher than what was read before.
      if (before instanceof Refused || after instanceof Refused) return;
    }
    expect(got).toEqual(before);
    for (const [name, value] of got as Map<string, string>)
      expect(value).toMatch(new RegExp(`^${bundle} ${name} for `, "u"));
  }

  async #pass(view: View): Promise<void> {
    const intended = this.#intended(view, "node");
    this.#tell("pass", await outcomeOf(() => this.#victim.pass(this.#history.now)));
    requireOwed(this.#history, intended, changedIn(view, this.#victim.shown()));
  }

  async #rewrap(view: View): Promise<void> {
    const intended = this.#intended(view, "laptop");
    const all = this.#chance() < 0.3;
    const outcome = await outcomeOf(() => this.#victim.rewrap(this.#history.now, all));
    this.#tell(`rewrap${all ? " of all" : ""}`, outcome);
    requireOwed(this.#history, intended, changedIn(view, this.#victim.shown()));
  }

  async #verify(view: View): Promise<boolean> {
    const isGood = this.#tell(
      "verify",
      await outcomeOf(() => this.#victim.verify(this.#history.now)),
    );
    if (isGood) requireWhole(this.#intended(view, "nobody"), view, this.#history.ledger);
    expect(changedIn(view, this.#victim.shown())).toEqual([]);
    return isGood;
  }

  async #seal(view: View): Promise<void> {
    const bundle = oneOf(this.#chance, ["dns", "billing"]);
    const credential = oneOf(this.#chance, ["TOKEN", "KEY", "NEW"]);
    const intended = this.#intended(view, "laptop");
    const outcome = await outcomeOf(() => this.#victim.seal(bundle, credential, this.#history.now));
    const isDone = this.#tell(`seal ${credential} of ${bundle}`, outcome);
    const changed = changedIn(view, this.#victim.shown());
    if (isDone) requireSealed(this.#history, intended, changed, bundle, credential, newValue);
    else expect(changed.map(([path]) => path)).toEqual([]);
  }
}
