import { DOMParser, XMLSerializer, type Element } from "@xmldom/xmldom";
import { textOf, utf8 } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";

/** What Pacemaker says of one service. */
export interface PacemakerStanding {
  /** Nodes of the cluster that are there. */
  readonly online: readonly string[];
  /** Nodes on which it runs. */
  readonly started: readonly string[];
  /** Nodes on which it may not run. */
  readonly banned: readonly string[];
  /** Why it didn't start, stop or stay, by node. */
  readonly failures: readonly string[];
}

/**
 * What `crm_mon --output-as=xml` says of a resource.
 *
 * @param names - the resource's own id, and that of what holds its instances
 * @throws Failure `scheduler/malformed`
 */
export function decodePacemakerStanding(
  bytes: Uint8Array,
  names: readonly string[],
): PacemakerStanding {
  const root = parse(bytes, "what crm_mon prints", "pacemaker-result");
  const [id = ""] = names;
  const ours = all(root, "resource").filter((one) => one.getAttribute("id") === id);
  return {
    online: all(root, "node")
      .filter((one) => one.getAttribute("online") === "true")
      .map((one) => attribute(one, "name")),
    started: ours
      .filter((one) => one.getAttribute("role") === "Started")
      .flatMap((one) => all(one, "node").map((node) => attribute(node, "name"))),
    banned: all(root, "ban")
      .filter((one) => names.includes(attribute(one, "resource")))
      .map((one) => attribute(one, "node")),
    failures: all(root, "failure")
      .filter((one) => attribute(one, "op_key").startsWith(`${id}_`))
      .map((one) => {
        const reason = attribute(one, "exitreason");
        return `${attribute(one, "task")} failed on ${attribute(one, "node")}${reason === "" ? "" : `: ${reason}`}`;
      }),
  };
}

/** A cluster's configuration with a service's part of it replaced. */
export interface ReplacedCib {
  readonly whole: string;
  /** What was there of the service, as text to compare; "" if nothing was. */
  readonly before: string;
  /** That as a configuration, to be put back; undefined if nothing was. */
  readonly former: Uint8Array | undefined;
}

/**
 * The whole configuration of a cluster, with what was there of a service replaced: its resource, also as
 * one of instances where it was alone, and what says where it may run.
 *
 * @param bytes - what `cibadmin --query` prints
 * @param configuration - what `sealaunch unit --for pacemaker` writes; undefined to take the service out
 * @throws Failure `scheduler/malformed`
 */
export function replaceInCib(
  bytes: Uint8Array,
  name: string,
  configuration: Uint8Array | undefined,
): ReplacedCib {
  const cib = parse(bytes, "what cibadmin prints", "cib");
  const ids = [name, `every.${name}`];
  const isOurs = (one: Element): boolean =>
    ids.includes(attribute(one, "id")) || ids.includes(attribute(one, "rsc"));
  const resources = [...all(cib, "clone"), ...all(cib, "primitive")].filter(isOurs);
  // Others' colocations and orders with it stay; the rest of its own were written with it.
  const constraints = [...all(cib, "rsc_location"), ...all(cib, "rsc_colocation")].filter(
    (one) => isOurs(one) && /^(?:location|apart)\./u.test(attribute(one, "id")),
  );
  const serializer = new XMLSerializer();
  const own = [...resources, ...constraints];
  const before = own.map((one) => serializer.serializeToString(one)).join("\n");
  const part = (ones: readonly Element[]): string =>
    ones.map((one) => serializer.serializeToString(one)).join("");
  // What is in another of ours is there with that.
  const tops = resources.filter((one) => !resources.some((other) => other === one.parentNode));
  const text = `<configuration><resources>${part(tops)}</resources><constraints>${part(constraints)}</constraints></configuration>`;
  const former = own.length === 0 ? undefined : utf8(text);
  for (const one of own) one.parentNode?.removeChild(one);
  if (configuration !== undefined) {
    const added = parse(configuration, `the configuration of ${name}`, "configuration");
    for (const section of ["resources", "constraints"]) {
      const [place] = all(cib, section);
      const [from] = all(added, section);
      if (place === undefined || from === undefined) {
        throw new Failure("scheduler/malformed", `a configuration of Pacemaker has no ${section}`);
      }
      for (const child of from.childNodes) {
        const copy = place.ownerDocument?.importNode(child, true);
        if (copy !== undefined) place.appendChild(copy);
      }
    }
  }
  return { whole: serializer.serializeToString(cib), before, former };
}

function parse(bytes: Uint8Array, what: string, rootName: string): Element {
  const text = textOf(bytes);
  let root: Element | null | undefined;
  try {
    const onError = (level: string, message: string): void => {
      if (level !== "warning") throw new Error(message);
    };
    root = new DOMParser({ onError }).parseFromString(text ?? "", "text/xml").documentElement;
  } catch {
    root = undefined;
  }
  if (root?.tagName === rootName) return root;
  throw new Failure("scheduler/malformed", `${what} is no <${rootName}> of XML`);
}

function all(root: Element, tag: string): Element[] {
  return [...root.getElementsByTagName(tag)];
}

function attribute(element: Element, name: string): string {
  return element.getAttribute(name) ?? "";
}
