import type { MachineOptions } from "./machine.ts";

/** What is to hold whichever systemd a machine has: how that is called, and what makes such a machine. */
export const systemds: readonly (readonly [string, MachineOptions])[] = [
  ["the systemd of this release", {}],
  ["the systemd of the next release", { systemd: "next" }],
];
