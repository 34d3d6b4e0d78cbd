import type { Severity } from "./advisories/severity.ts";
import type { Component } from "./component.ts";

/**
 * What is said of a component and an advisory: that it is in its range; that a patch mends it; that
 * it may be meant, but only its name, or not all of the circumstances, is known to fit; that
 * somebody answers for ignoring it; that nobody can tell, since its version isn't known.
 */
export type Verdict = "vulnerable" | "patched" | "possible" | "ignored" | "unknown";

/** One advisory, judged for one component. */
export interface Judgement {
  readonly component: Component;
  /** The advisory's id: the CVE's where it has one. */
  readonly advisory: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly severity: Severity;
  readonly verdict: Verdict;
  /** One line: which range, which patch, which rule, why only possible. */
  readonly reason: string;
  /** The first version after the component's own that the advisory says is mended. */
  readonly fixedIn: string | undefined;
  /** Somebody of weight denies that it is a vulnerability at all. */
  readonly disputed: boolean;
}
