import { type Cpe, type Packages } from "./advisory.ts";
import { type Component } from "../component.ts";
import { plainName } from "./product-keys.ts";
import { oneName, upstreamOf } from "./products.ts";
import { compareVersions } from "../version.ts";

/**
 * Whether what an advisory names is a component: it is its own; it may be, since only the name is
 * known to be the same; or it is something else.
 */
export interface Identity {
  readonly is: "own" | "name" | "other";
  /** Why it is only the name. */
  readonly because: string;
}

const own: Identity = { is: "own", because: "" };
const other: Identity = { is: "other", because: "" };

function onlyName(because: string): Identity {
  return { is: "name", because: `name only: ${because}` };
}

// What CPE calls the software that packages of a language are made for.
const targets: Readonly<Record<string, readonly string[]>> = {
  pypi: ["python"],
  npm: ["node.js"],
  gem: ["ruby", "ruby_on_rails"],
  cpan: ["perl"],
  cargo: ["rust"],
  hackage: ["haskell"],
  cran: ["r"],
  luarocks: ["lua"],
  opam: ["ocaml"],
  pecl: ["php"],
  maven: ["java", "maven"],
  jenkins: ["jenkins"],
};

/** Whether a product of CPE is `component`. */
export function identityOfCpe(component: Component, cpe: Cpe): Identity {
  const { name, ecosystem, version, sources } = component;
  const product = `${cpe.vendor}:${cpe.product}`;
  if (cpe.part === "h") return other;
  if (ecosystem !== undefined) {
    if (plainName(name) !== plainName(cpe.product)) return other;
    if (Object.hasOwn(targets, ecosystem) && targets[ecosystem]?.includes(cpe.target) === true)
      return own;
    return cpe.target === "*" ? onlyName(`${product} may be no package of ${ecosystem}`) : other;
  }
  // Plugins, bindings and builds for other systems.
  if (cpe.target !== "*" && cpe.target !== "linux" && cpe.target !== "linux_kernel") return other;
  const upstream = upstreamOf(name);
  if (upstream === undefined) {
    if (plainName(name) !== plainName(cpe.product)) return other;
    if (isFrom(cpe.vendor, sources)) return own;
    return onlyName(`nothing says that ${product} is this ${name}`);
  }
  const isEarlier =
    upstream.since !== undefined &&
    version !== undefined &&
    compareVersions(version, upstream.since) < 0;
  if (isEarlier || upstream.others?.includes(product) === true) return other;
  if (upstream.cpe.includes(product)) return own;
  const isNamed = upstream.names.some((one) => plainName(one) === plainName(cpe.product));
  return isNamed ? onlyName(`${product} isn't known to be this ${name}`) : other;
}

/** Whether sources come from a vendor: from its host, or its place at a forge. */
function isFrom(vendor: string, sources: readonly string[]): boolean {
  const plain = plainName(vendor).replace(/-project$/, "");
  return sources.some((source) => {
    const [, scheme, host, first] =
      /^([a-z+]+):\/\/(?:[^/@]*@)?([^/:]+)[^/]*\/(?:projects?\/)?([^/]*)/i.exec(source) ?? [];
    if (scheme === undefined || host === undefined) return false;
    // mirror://gnu/…, mirror://sourceforge/PROJECT/…
    if (scheme === "mirror") return plainName(host) === plain || plainName(first ?? "") === plain;
    const labels = host.toLowerCase().split(".").slice(0, -1).map(plainName);
    return plainName(host) === plain || labels.at(-1) === plain || plainName(first ?? "") === plain;
  });
}

/** Whether a package of OSV is `component`. */
export function identityOfPackage(component: Component, packages: Packages): Identity {
  const { name, ecosystem } = component;
  if (packages.ecosystem !== "generic") {
    const isSame = ecosystem === packages.ecosystem && plainName(name) === plainName(packages.name);
    return isSame ? own : other;
  }
  const byProduct = packages.products.map((product) => identityOfCpe(component, product));
  for (const is of ["own", "name"] as const) {
    const found = byProduct.find((one) => one.is === is);
    if (found !== undefined) return found;
  }
  if (byProduct.length > 0 || ecosystem !== undefined) return other;
  const isNamed = plainName(oneName(packages.name)) === plainName(name);
  if (!isNamed) return other;
  return upstreamOf(name) === undefined
    ? onlyName(`nothing says that ${packages.name} is this ${name}`)
    : own;
}
