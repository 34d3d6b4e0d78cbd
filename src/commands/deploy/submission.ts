import type { Failure } from "../../failure.ts";
import type { RunsNow } from "../../formats/install-answer.ts";
import type { ServiceFile } from "../../formats/service-file.ts";
import type { Guard } from "../../service/guard.ts";

/** What is to run, once all was done that comes before: it was seen that every node could start it. */
export interface Release {
  readonly service: ServiceFile;
  /** The unit's name, such as `dns.service`. */
  readonly unit: string;
  /** What guards its command, as `guardOf` made it. */
  readonly guard: Guard;
  /** What a start takes from the store: the nodes can fetch these closures, unless the submission brings them. */
  readonly storePaths: readonly string[];
  /** For so many seconds it has to stay up before it counts as running. */
  readonly settle: number;
}

/** What a release would change at one place: a node, or a scheduler. */
export interface Difference {
  readonly node: string;
  /** How it is reached. */
  readonly host: string;
  /** Lines as diff -u has them, from what runs now to what is to run; "" if that runs already. */
  readonly diff: string;
  /** What runs there now, where that can be told. */
  readonly now?: RunsNow | undefined;
  /** Why the release can't start there, as far as can be told there before it is tried. */
  readonly lack?: Failure | undefined;
  /** Why nothing could be told. */
  readonly failure: Failure | undefined;
}

/** What came of a release at one place. */
export interface Deployed {
  readonly node: string;
  readonly host: string;
  readonly state: "runs" | "ran already" | "left as it was" | "not reached" | "not tried";
  /** Why it doesn't run there; undefined if it does, or wasn't tried. */
  readonly failure: Failure | undefined;
}

/** A way by which one release comes to run: over ssh, or through a scheduler. */
export interface Submission {
  /** What would change. Nothing does. Every place is asked; one that doesn't answer is told of, not thrown. */
  difference(): Promise<readonly Difference[]>;
  /**
   * After it, the release runs, and was seen to; where it doesn't start, what ran before runs, or still does.
   * What runs is never stopped for something that wasn't seen to be able to start. What fails at one place is
   * told of, not thrown, and no further place is changed after one on which it didn't start.
   *
   * @throws Failure what is wrong before any place was changed
   */
  submit(): Promise<readonly Deployed[]>;
}
