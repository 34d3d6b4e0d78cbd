import * as z from "zod/mini";

/** What `unit --install --json` answers, on whatever machine it was asked: what it did, or why it didn't. */
const InstallAnswer = z.union([
  z.strictObject({ code: z.string(), message: z.string(), hint: z.string() }),
  z.strictObject({ unit: z.string(), changed: z.boolean(), runs: z.boolean(), diff: z.string() }),
]);
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
