import { hostname } from "node:os";

/** The machine's own name in lower case, as nodes are called. */
export function machineName(): string {
  return hostname().toLowerCase();
}
