import * as z from "zod/mini";
import { decodeConfiguration } from "../canonical.ts";

// What Marathon's API answers (mesosphere/marathon, docs/docs/rest-api), as far as it is read.

const nullable = <T>(
  item: z.ZodMiniType<T, T>,
): z.ZodMiniOptional<z.ZodMiniNullable<typeof item>> => z.optional(z.nullable(item));

const changed = z.object({ version: z.string(), deploymentId: z.string() });

const app = z.object({
  app: z.object({
    instances: z.int(),
    version: z.string(),
    deployments: z.array(z.object({ id: z.string() })),
    tasks: z.array(
      z.object({
        host: z.string(),
        version: z.string(),
        state: z.optional(z.string()),
        startedAt: nullable(z.string()),
        healthCheckResults: nullable(z.array(z.object({ alive: z.boolean() }))),
      }),
    ),
    healthChecks: z.optional(z.array(z.unknown())),
    lastTaskFailure: nullable(
      z.object({
        host: z.string(),
        message: z.string(),
        state: z.string(),
        version: z.string(),
        timestamp: z.optional(z.string()),
      }),
    ),
  }),
});
const anyApp = z.object({ app: z.record(z.string(), z.unknown()) });
/** An app with its tasks. */
export type MarathonApp = z.infer<typeof app>["app"];

const fault = z.object({
  message: z.string(),
  deployments: z.optional(z.array(z.object({ id: z.string() }))),
  details: z.optional(
    z.array(z.object({ path: z.optional(z.string()), errors: z.array(z.string()) })),
  ),
});
/** Why Marathon refused. */
export type MarathonError = z.infer<typeof fault>;

const code = "scheduler/malformed";

/** @throws Failure `scheduler/malformed` */
export function decodeMarathonChanged(bytes: Uint8Array): z.infer<typeof changed> {
  return decodeConfiguration(bytes, changed, "Marathon's answer", code);
}

/** @throws Failure `scheduler/malformed` */
export function decodeMarathonApp(bytes: Uint8Array): MarathonApp {
  return decodeConfiguration(bytes, app, "Marathon's app", code).app;
}

/** All fields of an app, whatever they are. @throws Failure `scheduler/malformed` */
export function decodeMarathonFields(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  return decodeConfiguration(bytes, anyApp, "Marathon's app", code).app;
}

/** @throws Failure `scheduler/malformed` */
export function decodeMarathonError(bytes: Uint8Array): MarathonError {
  return decodeConfiguration(bytes, fault, "Marathon's error", code);
}
