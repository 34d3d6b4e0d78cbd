import * as z from "zod/mini";
import { list, said, text } from "./described.ts";

const file = text(/^[^\x00-\x1f\x7f-][^\x00-\x1f\x7f]*$/u, "FILE or CREDENTIAL=FILE");

/** Encrypted files that the values of a bundle come from, each as `seal` takes it. None is plaintext. */
export const valueFiles = z.strictObject({
  sops: said(list(file), "[CREDENTIAL=]FILE[#KEY], as --from-sops"),
  agenix: said(list(file), "[CREDENTIAL=]FILE.age, as --from-agenix"),
  credstore: said(list(file), "[CREDENTIAL=]FILE, as --from-credstore"),
  trim: said(z._default(z.boolean(), false), "take one newline off the end of each value"),
});
export type ValueFiles = z.infer<typeof valueFiles>;
