import * as z from "zod/mini";
import { said, text } from "./described.ts";

// What a service file says of what it runs. Everything here becomes one word of a command of Nix's, so that
// none may look like an option.

const storePath = text(
  /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+._?=-]{1,211}$/u,
  "store path",
);

/** A file with a Nix expression, and an attribute of it: what `nix-build FILE -A ATTRIBUTE` takes. */
const expression = z.strictObject({
  file: said(
    text(/^[^\x00-\x1f\x7f-][^\x00-\x1f\x7f]*$/u, "path"),
    "beside the service file, as default.nix",
  ),
  attribute: said(
    z.optional(text(/^[a-zA-Z_"][a-zA-Z0-9_'".+-]*$/u, "attribute's path")),
    "of what the file evaluates to",
  ),
});

/** What `nix build` takes, from the service file's directory. */
const flake = z.strictObject({
  flake: said(text(/^[^\s\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]*$/u, "flake, such as .#dns"), ".#dns"),
});

/** What a service runs: a store path, or what Nix makes one of. */
export const closure = z.optional(
  z.union([storePath, expression, flake], {
    error:
      'is neither a store path, nor {"file": "default.nix", "attribute": "dns"}, nor {"flake": ".#dns"}',
  }),
);
