import { runCommandLine } from "./cli/program.ts";
import { reportError } from "./cli/report.ts";
import { Failure } from "./failure.ts";

// Who reads our output may stop reading ('sealaunch verify | head'); that is how a pipe ends, not
// an error. 141 is what a shell shows of a program that SIGPIPE ended. A disk that is full is one:
// whoever redirected the output there has only a part of it.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(141);
  fail(
    new Failure("write/refused", `standard output can't be written: ${error.code ?? error.name}`),
  );
  process.exit();
});
// There is nobody left to tell, and the status still does.
process.stderr.on("error", () => undefined);

// A package's own worry (grpc-js, of addresses as names in TLS), and nothing that users can mend.
process.noDeprecation = true;

const args = process.argv.slice(2);
const options = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
try {
  await runCommandLine(args);
} catch (error) {
  fail(error);
}
// What is written into a pipe isn't there before somebody has read of it.
for (const stream of [process.stdout, process.stderr])
  await new Promise((resolve) => stream.write("", resolve));
// Not when the loop is empty: standard input, once read from a terminal, would keep it alive.
process.exit();

/** After it, standard error has what there is to say of `error`, and the status is its own. */
function fail(error: unknown): void {
  const { text, exitStatus } = reportError(error, options.includes("--json"));
  process.stderr.write(text);
  process.exitCode = exitStatus;
}
