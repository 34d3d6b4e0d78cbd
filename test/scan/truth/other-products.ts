import { osv } from "../judging.ts";
import { ranges } from "./row.ts";

/**
 * Other products of the same names: none of these records is about any of the packages. The vendors,
 * targets and ecosystems are real; the ids and ranges are made up, as wide as can be.
 */
export const otherProducts: readonly object[] = [
  // Plugins, stacks and libraries that are known to be something else (vulnix #62, nix-security-tracker #137).
  ranges("CVE-1999-9001", { "a:jenkins:git:*:*:*:*:*:jenkins": ["<=4.11.1"] }),
  ranges("CVE-1999-9002", { "a:jenkins:git": ["<=99"] }),
  ranges("CVE-1999-9003", { "a:redhat:fuse": ["<=99", "=1.0"] }),
  ranges("CVE-1999-9004", { "a:adobe:flex": ["<=99"] }),
  ranges("CVE-1999-9005", { "a:apache:flex": ["<=99"] }),
  ranges("CVE-1999-9006", { "a:lua:lua:*:*:*:*:*:node.js": ["<=99"] }),
  osv("GHSA-0001", "npm", "lua", [{ introduced: "0" }]),
  osv("GHSA-0002", "npm", "git", [{ introduced: "0" }]),
  osv("GHSA-0003", "Hackage", "zlib", [{ introduced: "0" }]),
  osv("GHSA-0004", "crates.io", "openssl", [{ introduced: "0" }]),
  osv("GHSA-0005", "Go", "redis", [{ introduced: "0" }]),
  osv("GHSA-0006", "RubyGems", "sqlite", [{ introduced: "0" }]),
  osv("GHSA-0007", "Debian:12", "nginx", [{ introduced: "0" }]),
  ranges("CVE-1999-9007", { "a:jenkins:redis": ["<=99"] }),
  ranges("CVE-1999-9008", { "a:redis:redis:*:*:*:*:*:wordpress": ["<=99"] }),
  ranges("CVE-1999-9009", { "a:nginx:nginx:*:*:*:*:*:docker": ["<=99"] }),
  ranges("CVE-1999-9010", { "h:linux:linux_kernel": ["<=99"] }),
];
