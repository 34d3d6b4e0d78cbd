import {
  type Advisory,
  type Configuration,
  type ConfigurationNode,
  type CpeMatch,
  type Packages,
} from "./advisory.ts";
import { type Component } from "../component.ts";
import { type Identity, identityOfCpe, identityOfPackage } from "./identity.ts";
import { all, any, not } from "./logic.ts";
import { upstreamOf } from "./products.ts";
import { type Answer, isWithinAny, type Range } from "./ranges.ts";
import { surroundingsHave } from "../store/surroundings.ts";

/** Whether an advisory is about a component, and what it says of it then. */
export interface Application extends Answer {
  /** It names the component itself, not only something of that name. */
  readonly isOwn: boolean;
  /** It can't be told only because the component's version isn't known. */
  readonly isUnversioned: boolean;
  readonly fixedIn: string | undefined;
}

const nothing: Application = {
  is: "no",
  because: "",
  isOwn: false,
  isUnversioned: false,
  fixedIn: undefined,
};

const strength = { no: 0, maybe: 1, yes: 2 } as const;

/** The stronger of two; of equal ones that which names the component itself. */
export function stronger(one: Application, two: Application): Application {
  const order = strength[one.is] - strength[two.is] || Number(one.isOwn) - Number(two.isOwn);
  return order < 0 ? two : one;
}

/** Whether `advisory` is about `component`: as much as the strongest of its claims says. */
export function applies(component: Component, advisory: Advisory): Application {
  return advisory.claims
    .map((claim) =>
      claim.kind === "cpe"
        ? appliesConfiguration(component, claim)
        : appliesPackages(component, claim),
    )
    .reduce(stronger, nothing);
}

/** The version that upstream gave it, without what nixpkgs appends. */
export function upstreamVersion({ name, ecosystem, version }: Component): string | undefined {
  const appended = ecosystem === undefined ? upstreamOf(name)?.appended : undefined;
  return appended === undefined ? version : version?.replace(appended, "");
}

function appliesRanges(
  component: Component,
  identity: Identity,
  ranges: readonly Range[],
): Application {
  const isOwn = identity.is === "own";
  const version = upstreamVersion(component);
  if (version === undefined) {
    const because = [identity.because, "its version isn't known"].filter((text) => text !== "");
    return { ...nothing, is: "maybe", because: because.join("; "), isOwn, isUnversioned: true };
  }
  const found = isWithinAny(version, ranges);
  const { range } = found;
  const answer =
    isOwn || found.is === "no" ? found : all([found, { is: "maybe", because: identity.because }]);
  return {
    is: answer.is,
    because: answer.because,
    isOwn,
    isUnversioned: false,
    fixedIn: range?.isToIncluded === false ? range.to : undefined,
  };
}

function appliesPackages(component: Component, packages: Packages): Application {
  const identity = identityOfPackage(component, packages);
  return identity.is === "other" ? nothing : appliesRanges(component, identity, packages.ranges);
}

function appliesMatch(component: Component, match: CpeMatch): Application | undefined {
  const identity = identityOfCpe(component, match.product);
  if (identity.is === "other") return undefined;
  if (match.range !== undefined) return appliesRanges(component, identity, [match.range]);
  const because = "the advisory names no version";
  return { ...nothing, is: "maybe", because, isOwn: identity.is === "own" };
}

/**
 * NVD's configurations, where what can't be told of a component alone stays open: "A, running on
 * B" is possible of an A in range, since nobody knows whether there is a B.
 */
function appliesConfiguration(component: Component, configuration: Configuration): Application {
  if (configuration.isNegated) return nothing;
  const found = configuration.nodes.map((node) => appliesNode(component, node));
  const own = found.flatMap(({ about }) => about ?? []);
  if (own.length === 0) return nothing;
  const about = own.reduce(stronger);
  if (!configuration.isAll) return about;
  const { is, because } = all([about, ...found.flatMap(({ rest }) => rest)]);
  return { ...about, is, because };
}

/** What a node says of the component, if anything, and what else must be so. */
function appliesNode(
  component: Component,
  node: ConfigurationNode,
): { readonly about: Application | undefined; readonly rest: readonly Answer[] } {
  const read = node.matches.map((match) => ({
    match,
    // What must not be there isn't what is vulnerable.
    about: match.isVulnerable && !node.isNegated ? appliesMatch(component, match) : undefined,
  }));
  const own = read.flatMap(({ about }) => about ?? []);
  const others = read
    .filter(({ about }) => about === undefined)
    .map(({ match }) => surroundingsHave(match));
  if (own.length > 0) {
    const about = own.reduce(stronger);
    // Of products any of which is vulnerable, the others are somebody else's.
    return node.isAll
      ? { about: { ...about, ...all([about, ...others]) }, rest: [] }
      : { about, rest: [] };
  }
  const joint = node.isAll ? all(others) : any(others);
  return { about: undefined, rest: [node.isNegated ? not(joint) : joint] };
}
