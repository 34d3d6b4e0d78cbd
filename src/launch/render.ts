import { concatBytes } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { nameKinds } from "../formats/names.ts";
import { readRegularFile } from "../host/files.ts";
import type { StoreObject } from "../service/store-path.ts";

const at = 0x40;

/** What may be delivered in place; systemd delivers less (host/memory.ts, agent/answers.ts). */
const maxRenderedSize = 16 * 1024 * 1024;

/**
 * A template with every `@NAME@` replaced by the credential of that name, in one pass over its
 * bytes: what is put in is not looked at again. A single `@`, or one that no name follows, stays.
 *
 * @param path - of the template, for the message
 * @returns bytes that the caller wipes
 * @throws Failure `credential/missing` if a name is no credential of this start; `credential/too-large`
 */
function renderTemplate(
  template: Uint8Array,
  credentials: ReadonlyMap<string, Uint8Array>,
  path: string,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = template.length;
  let from = 0;
  for (let open = template.indexOf(at); open >= 0;) {
    const close = template.indexOf(at, open + 1);
    if (close < 0) break;
    const name = Buffer.from(template.subarray(open + 1, close)).toString("latin1");
    if (!nameKinds.credential.is(name)) {
      open = close;
      continue;
    }
    const value = credentials.get(name);
    if (value === undefined) {
      const known = [...credentials.keys()].join(", ");
      throw new Failure(
        "credential/missing",
        `${path} asks for credential ${name}, and this start has only ${known}`,
      );
    }
    parts.push(template.subarray(from, open), value);
    // Before it is put together: a name may stand there as often as it fits.
    size += value.length;
    if (size > maxRenderedSize) {
      throw new Failure(
        "credential/too-large",
        `${path} becomes more than ${String(maxRenderedSize)} bytes when it is filled in`,
        "let the template name large credentials less often",
      );
    }
    from = close + 1;
    open = template.indexOf(at, from);
  }
  return concatBytes(...parts, template.subarray(from));
}

const maxTemplateSize = 1024 * 1024;

/**
 * What the templates become, by the credential that each is to be. They are on disk.
 *
 * @returns bytes that the caller wipes
 * @throws Failure `credential/missing`; `usage/invalid` if a bundle has a credential of such a name;
 *   `source/hostile`, `source/unreadable`
 */
export async function renderAll(
  renders: ReadonlyMap<string, StoreObject>,
  credentials: ReadonlyMap<string, Uint8Array>,
): Promise<Map<string, Uint8Array>> {
  const rendered = new Map<string, Uint8Array>();
  for (const [name, { path }] of renders) {
    if (credentials.has(name)) {
      throw new Failure(
        "usage/invalid",
        `--render ${name}: a bundle has a credential of that name`,
        "give what is rendered another name",
      );
    }
    const template = await readRegularFile(path, maxTemplateSize);
    if (template === undefined) {
      throw new Failure("credential/missing", `--render ${name}: there is no ${path}`);
    }
    rendered.set(name, renderTemplate(template, credentials, path));
  }
  return rendered;
}
