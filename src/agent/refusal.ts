import type { Failure } from "../failure.ts";
import { formatTime } from "../formats/fields.ts";

/** Why something was refused, as a report says it. */
export interface Refusal {
  readonly code: string;
  /** One plain line. */
  readonly message: string;
  readonly at: string;
}

const maxMessage = 400;

/** What a report says of a failure: its message without what a record can't have. */
export function refusalOf({ code, message }: Failure, now: Date): Refusal {
  const plain = message.replaceAll('"', "'").replace(/[^ -[\]-~]/gu, "?");
  return { code, message: plain.slice(0, maxMessage) || code, at: formatTime(now) };
}
