import { type Answer } from "./ranges.ts";

// Kleene's three values: what can't be told stays so, unless the rest decides alone.
const weight = { no: 0, maybe: 1, yes: 2 } as const;

/** That all are so: as much as the one that is it least. Of none, yes. */
export function all(answers: readonly Answer[]): Answer {
  const denial = answers.find(({ is }) => is === "no");
  if (denial !== undefined) return denial;
  const because = answers.map((one) => one.because).filter((text) => text !== "");
  return {
    is: answers.every(({ is }) => is === "yes") ? "yes" : "maybe",
    because: [...new Set(because)].join("; "),
  };
}

/** That any is so: as much as the one that is it most. Of none, no. */
export function any<One extends Answer>(answers: readonly One[]): One | Answer {
  return answers.reduce<One | Answer>(
    (most, one) => (weight[one.is] > weight[most.is] ? one : most),
    { is: "no", because: "" },
  );
}

/** That it isn't so. */
export function not({ is, because }: Answer): Answer {
  if (is === "maybe") return { is, because };
  return { is: is === "yes" ? "no" : "yes", because: because === "" ? "" : `not ${because}` };
}
