import type { ServiceFile } from "../formats/service-file.ts";

/** Whether it may open sockets that lead out of the machine's own file system. */
export function usesNetwork({ addressFamilies }: ServiceFile): boolean {
  return addressFamilies.some((family) => family !== "AF_UNIX");
}

/**
 * Every setting of systemd.exec(5) that takes away what a service doesn't say that it needs. The
 * wrapper, which is a shell, runs under all of it.
 */
export function hardening(service: ServiceFile): [key: string, value: string][] {
  const { capabilities, addressFamilies, jit, user } = service;
  const granted = capabilities.map((name) => `CAP_${name.toUpperCase()}`).join(" ");
  const families = addressFamilies.length === 0 ? "none" : addressFamilies.join(" ");
  return [
    ["CapabilityBoundingSet", granted],
    ["AmbientCapabilities", granted],
    ["NoNewPrivileges", "yes"],
    ["RestrictAddressFamilies", families],
    ...(usesNetwork(service)
      ? []
      : ([
          ["PrivateNetwork", "yes"],
          ["IPAddressDeny", "any"],
        ] as [string, string][])),
    ["ProtectSystem", "strict"],
    ["ProtectHome", "yes"],
    ["ProtectProc", "invisible"],
    ["ProcSubset", "pid"],
    ["PrivateMounts", "yes"],
    ["PrivateTmp", "yes"],
    ["PrivateDevices", "yes"],
    ["DevicePolicy", "closed"],
    // In a user namespace a capability holds for nothing of the machine.
    ...(granted === "" && user !== "root" ? ([["PrivateUsers", "yes"]] as [string, string][]) : []),
    ["ProtectClock", "yes"],
    ["ProtectHostname", "yes"],
    ["ProtectKernelLogs", "yes"],
    ["ProtectKernelModules", "yes"],
    ["ProtectKernelTunables", "yes"],
    ["ProtectControlGroups", "yes"],
    ["LockPersonality", "yes"],
    // A JIT compiler writes the code that it runs.
    ...(jit ? [] : ([["MemoryDenyWriteExecute", "yes"]] as [string, string][])),
    ["RestrictNamespaces", "yes"],
    ["RestrictRealtime", "yes"],
    ["RestrictSUIDSGID", "yes"],
    ["RemoveIPC", "yes"],
    ["KeyringMode", "private"],
    ["SystemCallArchitectures", "native"],
    ["SystemCallFilter", "@system-service"],
    ["SystemCallFilter", "~@privileged @resources"],
    ["SystemCallErrorNumber", "EPERM"],
    ["UMask", "0077"],
  ];
}
