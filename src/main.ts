import { runCommandLine } from "./cli/program.ts";
import { reportError } from "./cli/report.ts";

// Who reads our output may stop reading ('sealaunch verify | head'); that is how a pipe ends, not
// an error. 141 is what a shell shows of a program that SIGPIPE ended.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(141);
  throw error;
});

// A package's own worry (grpc-js, of addresses as names in TLS), and nothing that users can mend.
process.noDeprecation = true;

const args = process.argv.slice(2);
const options = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
try {
  await runCommandLine(args);
} catch (error) {
  const { text, exitStatus } = reportError(error, options.includes("--json"));
  process.stderr.write(text);
  process.exitCode = exitStatus;
}
// What is written into a pipe isn't there before somebody has read of it.
for (const stream of [process.stdout, process.stderr])
  await new Promise((resolve) => stream.write("", resolve));
// Not when the loop is empty: standard input, once read from a terminal, would keep it alive.
process.exit();
