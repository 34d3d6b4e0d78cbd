import * as z from "zod/mini";

const Refusal = z.strictObject({ code: z.string(), message: z.string(), hint: z.string() });

/** What a unit runs on before anything is changed. */
const RunsNow = z.strictObject({
  programs: z.array(z.string()),
  bundles: z.array(
    z.strictObject({ bundle: z.string(), series: z.number(), generation: z.number() }),
  ),
});
export type RunsNow = z.infer<typeof RunsNow>;

const Done = z.strictObject({
  unit: z.string(),
  changed: z.boolean(),
  runs: z.boolean(),
  diff: z.string(),
  /** With --dry-run: what it runs on now, if that is known. */
  now: z.optional(RunsNow),
  /** With --dry-run: why what it is to run can't be had there. */
  lack: z.optional(Refusal),
});

/** What `unit --install --json` answers, on whatever machine it was asked: what it did, or why it didn't. */
const InstallAnswer = z.union([Refusal, Done]);
export type InstallAnswer = z.infer<typeof InstallAnswer>;

/** The answer, which is all that was said, or its last line after warnings; undefined if it is neither. */
export function decodeInstallAnswer(said: string): InstallAnswer | undefined {
  for (const text of [said, said.trim().split("\n").at(-1) ?? ""]) {
    try {
      const { success, data } = InstallAnswer.safeParse(JSON.parse(text));
      if (success) return data;
    } catch {
      // No JSON, then.
    }
  }
  return undefined;
}
