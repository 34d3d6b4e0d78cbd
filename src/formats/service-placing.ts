import * as z from "zod/mini";
import { list, said, text } from "./described.ts";

// What a scheduler is told of a service (docs/schedulers.md). The letters of attributes are those that
// every scheduler takes as they are: no quoting, pattern or second meaning anywhere.

const attribute = /^[a-zA-Z_][a-zA-Z0-9_.-]{0,62}$/u;
const attributes = z._default(
  z.record(
    text(attribute, "node attribute's name"),
    text(/^[a-zA-Z0-9_.:/@-]{1,127}$/u, "node attribute's value"),
  ),
  {},
);
const service = text(/^[a-zA-Z0-9][a-zA-Z0-9:_.-]*$/u, "service's name");
const datacenter = text(/^[a-zA-Z0-9*][a-zA-Z0-9*_.-]*$/u, "datacenter's name");

/** What it gets of a node. Nomad takes no job below 10 MiB, and Marathon none below 0.001 processors. */
export const resources = z.strictObject({
  memory: said(z.optional(z.int().check(z.minimum(10), z.maximum(2 ** 30))), "MiB"),
  cpu: said(
    z.optional(z.number().check(z.minimum(0.001), z.maximum(1024))),
    "processors, such as 0.5",
  ),
});

/** On which nodes it may be. */
export const placement = z.strictObject({
  where: said(attributes, "attributes that a node must have, with these values"),
  whereNot: said(attributes, "attributes that a node may not have with these values"),
  apartFrom: said(list(service), "services that may not be on the same node"),
  datacenters: said(
    z.optional(z.array(datacenter).check(z.minLength(1))),
    "of Nomad; dc1 if left out",
  ),
});

/** How many of it there are. */
export const instances = z._default(
  z.union([z.int().check(z.minimum(1), z.maximum(10_000)), z.literal("every node")], {
    error: 'is neither a number from 1 to 10000 nor "every node"',
  }),
  1,
);

/** Where it says that it is well. */
export const health = z.strictObject({
  port: said(z.int().check(z.minimum(1), z.maximum(65_535)), "the port that it listens at"),
  path: said(
    z.optional(text(/^\/[a-zA-Z0-9_.~/?&=%-]*$/u, "path of a URL")),
    "asked by HTTP; without it, to take a connection is enough",
  ),
  interval: said(z._default(z.int().check(z.minimum(1), z.maximum(3600)), 10), "seconds"),
  timeout: said(z._default(z.int().check(z.minimum(1), z.maximum(3600)), 5), "seconds"),
});
