import { describe, expect, it } from "vitest";
import { refuseReload, type Reloadable } from "../../src/service/reloading.ts";

const wrapper = "/nix/store/zyxwvsrqpnmlkjihgfdcba9876543210-sealaunch-wrapper/bin/sealaunch";
const sound: Reloadable = {
  unit: "dns.service",
  version: "262-1",
  type: "notify",
  refreshed: ["extensions", "credentials"],
  first: [wrapper, "reload", "--bundle", "dns"],
};

describe("a unit that is to be reloaded for newer values", () => {
  it.each(["260", "260~rc1-1", "262-1"])("can be, by systemd %s", (version) => {
    expect(refuseReload({ ...sound, version }, "reload")).toBeUndefined();
  });

  it.each<[why: string, changed: Partial<Reloadable>, said: RegExp]>([
    ["before systemd 260", { version: "259.4-1" }, /before systemd 260; this is 259\.4-1$/u],
    ["by Debian 12's", { version: "252.39-1~deb12u2" }, /this is 252\.39-1~deb12u2$/u],
    ["where systemd leaves credentials", { refreshed: ["extensions"] }, /has extensions, so/u],
    ["where systemd renews nothing", { refreshed: [] }, /has nothing, so/u],
    ["where it is told first", { type: "notify-reload" }, /Type=notify-reload: systemd tells/u],
    ["where nothing checks", { first: [] }, /first ExecReload= is none, so/u],
    ["where something else comes first", { first: ["/bin/kill", "-HUP"] }, /is \/bin\/kill, so/u],
    ["where a start's check comes first", { first: [wrapper, "check"] }, /sealaunch, so/u],
  ])("can't be %s", (_, changed, said) => {
    const failure = refuseReload({ ...sound, ...changed }, "signal");
    expect(failure?.code).toBe("unit/setting");
    expect(failure?.message).toMatch(/^dns\.service has --on-change signal, and /u);
    expect(failure?.message).toMatch(said);
  });
});
