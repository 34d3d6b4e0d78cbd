import { writeSync } from "node:fs";
import { asFailure } from "./failure.ts";
import { refusalPlan } from "./launch/plan.ts";
import { parseRun } from "./launch/run-options.ts";

// The child of bin/sealaunch that prepares a launch: `launcher.js SHELL MODE NIX run …`. It has an empty
// environment, nothing on its standard streams, and writes one plan to descriptor 3.
const planDescriptor = 3;

async function prepare(
  shell: number,
  mode: string,
  begun: number,
  args: readonly string[],
): Promise<Uint8Array> {
  const request = parseRun(args);
  if (mode === "in-place") {
    const { prepareInPlace } = await import("./launch/in-place.ts");
    return prepareInPlace(request, shell, begun, new Date());
  }
  const { preparePlain } = await import("./launch/plain.ts");
  return preparePlain(request, request.plainDirectory ?? "", shell);
}

function writePlan(plan: Uint8Array): void {
  for (let from = 0; from < plan.length;) from += writeSync(planDescriptor, plan, from);
}

const [shell, mode = "", begun, , ...args] = process.argv.slice(2);
// What is made here has the mode that is asked for, whatever umask the service is given.
process.umask(0o022);
// Whoever started us may have died before the kernel was told to kill us with it.
if (process.ppid !== Number(shell)) process.exit(1);
try {
  writePlan(await prepare(Number(shell), mode, Number(begun), args));
} catch (error) {
  writePlan(refusalPlan(asFailure(error)));
}
process.exit();
