import { type Advisory } from "./advisory.ts";
import { type Component } from "../component.ts";
import { upstreamOf } from "./products.ts";

/** A name as names are compared: `lib_Foo.js` is `lib-foo-js`, as PyPI compares them (PEP 503). */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** The names under which advisories may speak of a component. */
export function keysOf({ name, ecosystem }: Component): readonly string[] {
  const upstream = ecosystem === undefined ? upstreamOf(name) : undefined;
  const products = upstream?.cpe.map((product) => product.slice(product.indexOf(":") + 1)) ?? [];
  return [...new Set([name, ...(upstream?.names ?? []), ...products].map(plainName))];
}

/** The names of what an advisory says is vulnerable. */
export function namesIn({ claims }: Advisory): readonly string[] {
  const names = new Set<string>();
  for (const claim of claims) {
    if (claim.kind === "package") {
      names.add(plainName(claim.name));
      for (const { product } of claim.products) names.add(plainName(product));
    } else
      for (const { matches } of claim.nodes)
        for (const { isVulnerable, product } of matches)
          if (isVulnerable && product.part !== "h") names.add(plainName(product.product));
  }
  return [...names];
}
