import cvss from "ae-cvss-calculator";

/** How bad an advisory says it is, after CVSS. */
export interface Severity {
  /** 0 to 10. */
  readonly score: number | undefined;
  readonly rating: "none" | "low" | "medium" | "high" | "critical" | "unknown";
}

export const unknownSeverity: Severity = { score: undefined, rating: "unknown" };

/** As CVSS rates a score (CVSS 3.1, section 5; CVSS 4.0 the same). */
export function severityOf(score: number | undefined): Severity {
  if (score === undefined || !(score >= 0 && score <= 10)) return unknownSeverity;
  const rating =
    score === 0
      ? "none"
      : score < 4
        ? "low"
        : score < 7
          ? "medium"
          : score < 9
            ? "high"
            : "critical";
  return { score, rating };
}

/** The base score of a CVSS vector of version 2, 3 or 4; unknown if it is none. */
export function severityOfVector(vector: string): Severity {
  if (vector.length > 300) return unknownSeverity;
  try {
    return severityOf(baseScore(vector));
  } catch {
    return unknownSeverity;
  }
}

function baseScore(vector: string): number | undefined {
  if (vector.startsWith("CVSS:4.0/")) return new cvss.Cvss4P0(vector).calculateScores().overall;
  if (vector.startsWith("CVSS:3.1/")) return new cvss.Cvss3P1(vector).calculateScores().base;
  if (vector.startsWith("CVSS:3.0/")) return new cvss.Cvss3P0(vector).calculateScores().base;
  return vector.startsWith("AV:") ? new cvss.Cvss2(vector).calculateScores().base : undefined;
}

const words: Readonly<Record<string, Severity["rating"]>> = {
  none: "none",
  negligible: "low",
  low: "low",
  moderate: "medium",
  medium: "medium",
  high: "high",
  important: "high",
  critical: "critical",
};

/** What a word says, where there is no score. */
export function severityOfWord(word: string): Severity {
  const lower = word.toLowerCase();
  const rating = Object.hasOwn(words, lower) ? words[lower] : undefined;
  return { score: undefined, rating: rating ?? "unknown" };
}
