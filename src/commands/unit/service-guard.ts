import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import type { ServiceFile } from "../../formats/service-file.ts";
import { mayBeAsked } from "../../launch/environment.ts";
import type { Guard } from "../../service/guard.ts";
import type { Context } from "../context.ts";
import { guardFor } from "./guard.ts";

/** A service's unit, by name, and what guards its command. @throws Failure as `guardFor` */
export async function guardOf(
  context: Context,
  service: ServiceFile,
  inPlace = false,
): Promise<{ readonly name: string; readonly guard: Guard }> {
  const name = parseName("unit", `${service.name}.service`);
  const guard = await guardFor(context, name, {
    bundles: service.bundles,
    credentials: service.credentials,
    variables: service.env,
    renders: new Map(Object.entries(service.renders)),
    onChange: onChangeOf(service),
    believesNames: false,
    inPlace,
  });
  return { name, guard };
}

function onChangeOf({ onChange, signal, spread }: ServiceFile): string | undefined {
  if (onChange === "nothing") return undefined;
  const how = signal === undefined ? onChange : `${onChange}=${signal}`;
  const { atOnce, seconds } = spread ?? {};
  const numbers = [atOnce ?? "", seconds === undefined ? "" : `/${String(seconds)}`].join("");
  return numbers === "" ? how : `${how}:${numbers}`;
}

/** What root refuses to launch with is refused here, where somebody sees it. @throws Failure `service/malformed` */
export function checkEnvironment({ environment }: ServiceFile, what: string): void {
  const bad = Object.keys(environment).find((variable) => !mayBeAsked(variable));
  if (bad === undefined) return;
  throw new Failure(
    "service/malformed",
    `${what}: environment.${bad}: means something to the launcher, or to what root runs`,
    "let a script in the service's store path set it",
  );
}
