import { type Range } from "./ranges.ts";
import type { Severity } from "./severity.ts";

/** What somebody published of one vulnerability. */
export interface Advisory {
  /** The CVE's id where it has one. */
  readonly id: string;
  readonly aliases: readonly string[];
  /** One line, at most 300 characters. */
  readonly summary: string;
  readonly severity: Severity;
  readonly disputed: boolean;
  /** What it is about: any one of them. */
  readonly claims: readonly Claim[];
}

export type Claim = Configuration | Packages;

/** A configuration of NVD: nodes joined by an operator (NVD's CVE API 2.0, `configurations`). */
export interface Configuration {
  readonly kind: "cpe";
  readonly isAll: boolean;
  readonly isNegated: boolean;
  readonly nodes: readonly ConfigurationNode[];
}

export interface ConfigurationNode {
  /** All of the products must be there, not any one. */
  readonly isAll: boolean;
  readonly isNegated: boolean;
  readonly matches: readonly CpeMatch[];
}

export interface CpeMatch {
  /** It is this product that is vulnerable; else it is only what the other runs on, or with. */
  readonly isVulnerable: boolean;
  readonly product: Cpe;
  /** Undefined: the advisory names no version at all (CPE's `-`). */
  readonly range: Range | undefined;
}

/** The parts of a CPE name that say what a product is, in lower case, nothing escaped. */
export interface Cpe {
  /** `a`pplication, `o`perating system or `h`ardware. */
  readonly part: "a" | "o" | "h";
  readonly vendor: string;
  readonly product: string;
  /** The software that it is made for (`node.js`, `wordpress`, `windows`); `*` for any. */
  readonly target: string;
}

/** Versions of a package as OSV lists them (`affected`). */
export interface Packages {
  readonly kind: "package";
  /** The type of a package URL: pypi, cargo …; `generic` for upstream's own name. */
  readonly ecosystem: string;
  readonly name: string;
  /** The products of CPE that the record says it is. */
  readonly products: readonly Cpe[];
  readonly ranges: readonly Range[];
}
