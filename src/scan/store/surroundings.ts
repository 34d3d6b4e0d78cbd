import { type CpeMatch } from "../advisories/advisory.ts";
import { type Answer } from "../advisories/ranges.ts";
import { rangeText } from "../advisories/ranges.ts";

// Systems on which nothing runs out of a Nix store under systemd.
const foreignVendors = new Set([
  "microsoft",
  "apple",
  "freebsd",
  "openbsd",
  "netbsd",
  "oracle_solaris",
]);
const foreignProducts = new Set([
  "android",
  "solaris",
  "sunos",
  "aix",
  "hp-ux",
  "z\\/os",
  "z/os",
  "ios",
  "ios_xe",
  "junos",
  "openvms",
  "qnx",
  "vxworks",
]);

/**
 * Whether what an advisory names beside the component, as what it runs on or with, is there. A
 * service out of the Nix store runs on Linux; of hardware and of other programs nobody can tell.
 */
export function surroundingsHave({ product, range }: CpeMatch): Answer {
  const name = `${product.vendor}:${product.product}`;
  if (product.part === "h") return { is: "maybe", because: `only on hardware ${name}` };
  if (product.part === "a") return { is: "maybe", because: `only together with ${name}` };
  if (product.product === "linux_kernel") {
    const isAny = range === undefined || (range.from === undefined && range.to === undefined);
    return isAny
      ? { is: "yes", because: "on Linux" }
      : { is: "maybe", because: `only on Linux, ${rangeText(range)}` };
  }
  if (foreignVendors.has(product.vendor) || foreignProducts.has(product.product))
    return { is: "no", because: `only on ${name}` };
  return { is: "maybe", because: `only on ${name}` };
}
