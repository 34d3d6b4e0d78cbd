import { createTwoFilesPatch } from "diff";
import { Failure } from "../../failure.ts";
import { openEndpoint } from "../../schedulers/endpoint.ts";
import { submitToFleet } from "../../schedulers/fleet/fleet.ts";
import type { Endpoint } from "../../schedulers/http.ts";
import type { WrittenApp } from "../../schedulers/marathon/api.ts";
import { submitToMarathon } from "../../schedulers/marathon/marathon.ts";
import type { WrittenJob } from "../../schedulers/nomad/api.ts";
import { submitToNomad } from "../../schedulers/nomad/nomad.ts";
import type { Patience, Submitting } from "../../schedulers/running.ts";
import { fleetUnit } from "../../service/scheduled/fleet-unit.ts";
import { marathonApp } from "../../service/scheduled/marathon-app.ts";
import { nomadJob } from "../../service/scheduled/nomad-job.ts";
import type { Deployed, Difference, Release, Submission } from "./submission.ts";
import type { Way } from "./way.ts";

/** A scheduler that is asked over HTTP. */
type AskedWay = Extract<Way, { readonly api: object }>;

/** Gives a release to a scheduler over its API, and sees to it that it runs. */
export async function submitThrough(
  way: AskedWay,
  release: Release,
  patience: Patience,
): Promise<Submission> {
  const endpoint = await openEndpoint(way.through, way.api, way.file);
  const submitting = submittingTo(way, endpoint, release);
  const place = { node: way.through, host: way.api.url };
  // What doesn't answer when asked for the difference isn't given anything.
  let failure: Failure | undefined;
  return {
    difference: async () => {
      const difference = await differenceAt(place, submitting);
      ({ failure } = difference);
      return [difference];
    },
    submit: async () =>
      failure === undefined ? submitAt(place, submitting, patience) : [failed(place, failure)],
  };
}

function submittingTo(
  { through, api: { launcher } }: AskedWay,
  endpoint: Endpoint,
  { service, guard }: Release,
): Submitting {
  switch (through) {
    case "fleet": {
      const { name, overlap } = service;
      return submitToFleet(endpoint, { name, overlap, text: fleetUnit(service, guard) });
    }
    case "nomad":
      return submitToNomad(endpoint, nomadJob(service, guard, launcher) as WrittenJob);
    case "marathon":
      return submitToMarathon(endpoint, marathonApp(service, guard, launcher) as WrittenApp);
  }
}

type Place = Pick<Difference, "node" | "host">;

/** What a release would change at a scheduler. */
export async function differenceAt(place: Place, submitting: Submitting): Promise<Difference> {
  try {
    const { before, after } = await submitting.difference();
    const names = [`as ${place.node} has it`, "as it is to be"] as const;
    const diff = before === after ? "" : createTwoFilesPatch(...names, before, after);
    return { ...place, diff, failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...place, diff: "", failure: error };
  }
}

/** Has a scheduler run a release. What fails is told of. */
export async function submitAt(
  place: Place,
  submitting: Submitting,
  patience: Patience,
): Promise<readonly Deployed[]> {
  try {
    const { ranAlready, nodes } = await submitting.submit(patience);
    const state = ranAlready ? "ran already" : "runs";
    return nodes.map((node) => ({ node, host: place.host, state, failure: undefined }));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [failed(place, error)];
  }
}

function failed(place: Place, failure: Failure): Deployed {
  const isLost = failure.code === "scheduler/unavailable";
  return { ...place, state: isLost ? "not reached" : "left as it was", failure };
}
