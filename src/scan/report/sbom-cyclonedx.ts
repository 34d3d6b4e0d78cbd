import { ComponentType, ExternalReferenceType } from "@cyclonedx/cyclonedx-library/Enums";
import {
  Bom,
  Component,
  ExternalReference,
  NamedLicense,
  Property,
} from "@cyclonedx/cyclonedx-library/Models";
import { JSON as Json, JsonSerializer } from "@cyclonedx/cyclonedx-library/Serialize";
import { Spec1dot6 } from "@cyclonedx/cyclonedx-library/Spec";
import { componentOf, type PublishedFacts } from "../component.ts";
import { packageUrl } from "../advisories/purl.ts";

/** A store path, and what it refers to. */
interface Referring {
  readonly storePath: string;
  readonly references: readonly string[];
}

/**
 * What a closure is made of as CycloneDX 1.6 has it, as the text of a JSON file: a component a store path,
 * with what is known of it, and what it refers to as dependencies.
 *
 * @param facts - what the publisher knows, by store path; of others the name tells
 * @param version - of this program
 */
export function sbomOf(
  closure: readonly Referring[],
  facts: ReadonlyMap<string, PublishedFacts>,
  made: Date,
  version: string,
): string {
  const bom = new Bom({ serialNumber: `urn:uuid:${crypto.randomUUID()}` });
  bom.metadata.timestamp = made;
  bom.metadata.tools.components.add(
    new Component(ComponentType.Application, "sealaunch", { version, bomRef: "sealaunch" }),
  );
  const components = new Map(
    closure.map(({ storePath }) => [storePath, describe(storePath, facts.get(storePath))]),
  );
  for (const { storePath, references } of closure) {
    const component = components.get(storePath);
    if (component === undefined) continue;
    for (const reference of references) {
      const needed = components.get(reference);
      if (needed !== undefined && needed !== component) component.dependencies.add(needed.bomRef);
    }
    bom.components.add(component);
  }
  const serializer = new JsonSerializer(new Json.Normalize.Factory(Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function describe(storePath: string, known: PublishedFacts | undefined): Component {
  const found = componentOf(storePath, known);
  // No package, such as a patch or a file: it is part of the closure all the same.
  const name = found?.name ?? storePath.slice("/nix/store/".length + 33);
  const version = found?.version;
  const component = new Component(
    found === undefined ? ComponentType.File : ComponentType.Library,
    name,
    {
      bomRef: storePath,
      purl: packageUrl({ name, version }, storePath),
      ...(version === undefined ? {} : { version }),
    },
  );
  if (known?.licence !== undefined) component.licenses.add(new NamedLicense(known.licence));
  for (const url of found?.sources ?? [])
    component.externalReferences.add(
      new ExternalReference(url, ExternalReferenceType.SourceDistribution),
    );
  for (const patch of known?.patches ?? [])
    component.properties.add(new Property("sealaunch:patch", patch.name));
  for (const id of found?.fixes ?? [])
    component.properties.add(new Property("sealaunch:fixes", id));
  return component;
}
