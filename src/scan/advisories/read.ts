import { type Advisory } from "./advisory.ts";

/** What became of a record: an advisory, one that was taken back, or why it was passed over. */
export type Read =
  | { readonly id: string; readonly advisory: Advisory; readonly modified: string }
  | { readonly id: string; readonly withdrawn: true; readonly modified: string }
  | {
      readonly skipped: string;
      /** It is a record as it should be, only none to judge by. */
      readonly isSound?: true;
    };
