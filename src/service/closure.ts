import type { ServiceFile } from "../formats/service-file.ts";

/** The service as it runs from a store path: what its file names in its closure is an absolute path now. */
export function inClosure(service: ServiceFile, storePath: string): ServiceFile {
  const place = (path: string): string => (path.startsWith("/") ? path : `${storePath}/${path}`);
  const renders = Object.entries(service.renders).map(([name, file]) => [name, place(file)]);
  return {
    ...service,
    program: place(service.program),
    // Only its first word is a path.
    reload: service.reload.map((word, index) => (index === 0 ? place(word) : word)),
    renders: Object.fromEntries(renders) as ServiceFile["renders"],
  };
}
