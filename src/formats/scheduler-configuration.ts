import * as z from "zod/mini";
import { goTogether, nameField } from "./fields.ts";

const text = z.string().check(z.minLength(1));

/** How the API of a scheduler is reached. Paths are relative to the file. */
const SchedulerApi = z
  .strictObject({
    /** Its address, with the path below which it is, if it isn't at the top. */
    url: z
      .string()
      .check(
        z.regex(
          /^(?:https?:\/\/[^/?#@\s]+(?:\/[^?#@\s]*)?|unix:\/[^\s]+)$/u,
          "is neither https://HOST:PORT nor unix:/PATH",
        ),
      ),
    /** PEM file of who signs its certificate; unless given, whom the system trusts. */
    trustedCa: z.optional(text),
    /** PEM file of the certificate that is shown to it. */
    certificate: z.optional(text),
    /** PEM file of its private half. */
    certificateKey: z.optional(text),
    /** File with the token that it wants. */
    tokenFile: z.optional(text),
    /** For HTTP's basic authentication. */
    user: z.optional(z.string().check(z.regex(/^[!-9;-~]+$/u, "is no user's name"))),
    /** File with that user's password. */
    passwordFile: z.optional(text),
    /** Where nodes have `sealaunch`, if it is launched in place. */
    launcher: z._default(
      z.string().check(z.regex(/^\/[^\s]+$/u, "is not absolute")),
      "/usr/bin/sealaunch",
    ),
  })
  .check(
    goTogether("certificate", "certificateKey"),
    goTogether("user", "passwordFile"),
    z.refine(
      ({ user, tokenFile }) => user === undefined || tokenFile === undefined,
      "tokenFile and user are two ways to say who asks",
    ),
    z.refine(
      ({ url, trustedCa, certificate, tokenFile, user }) =>
        url.startsWith("https:") ||
        [trustedCa, certificate, tokenFile, user].every((field) => field === undefined),
      "certificates, tokens and passwords go over https alone",
    ),
  );
export type SchedulerApi = z.infer<typeof SchedulerApi>;

/** How the schedulers are reached through which a repository's services are deployed. */
export const SchedulersConfiguration = z.strictObject({
  fleet: z.optional(SchedulerApi),
  nomad: z.optional(SchedulerApi),
  marathon: z.optional(SchedulerApi),
  pacemaker: z.optional(
    z.strictObject({
      /** The node on which the cluster is configured; the first of the service's pools if left out. */
      node: z.optional(nameField("node")),
    }),
  ),
});
export type SchedulersConfiguration = z.infer<typeof SchedulersConfiguration>;
