/** Writes docs/errors.md from the table in src/failure.ts: `npm run docs`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { exitStatus, failures } from "../src/failure.ts";

/** The page docs/errors.md, as the table of failures says it must be. */
export async function errorsPage(): Promise<string> {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("_", "\\_");
  const rows = Object.entries(failures).map(
    ([code, [kind, meaning, remedy]]) =>
      `| \`${code}\` | ${String(exitStatus[kind])} | ${cell(meaning)} | ${cell(remedy)} |`,
  );
  const page = `# Errors

Generated from \`src/failure.ts\` by \`npm run docs\`.

What Sealaunch refuses or can't do it says in two lines on standard error:

\`\`\`
error: what is wrong, with both sides of it
hint: what mends it
\`\`\`

With \`--json\` it is one line, \`{"code": …, "message": …, "hint": …}\`. Programs should match the
code or the exit status, never the text; codes are not renamed within a major version. A hint in the
table is what is said where the place that fails knows no better one.

Exit statuses are those of sysexits(3), below 200 where systemd's own begin: ${Object.entries(
    exitStatus,
  )
    .map(([kind, status]) => `${String(status)} ${statusMeanings[kind as keyof typeof exitStatus]}`)
    .join(", ")}. After a launch the status is the service's own.

| code | exit | meaning | remedy |
| --- | --- | --- | --- |
${rows.join("\n")}
`;
  return format(page, { parser: "markdown", printWidth: 100 });
}

const statusMeanings: Readonly<Record<keyof typeof exitStatus, string>> = {
  usage: "the command line is wrong",
  data: "data is malformed or altered",
  absent: "what was asked for isn't there",
  unavailable: "something needed can't be had",
  bug: "a bug in Sealaunch",
  host: "the machine or a program on it failed",
  again: "worth trying again",
  refused: "well-formed, and refused",
  configuration: "the configuration is wrong",
};

if (import.meta.main)
  writeFileSync(join(import.meta.dirname, "../docs/errors.md"), await errorsPage());
