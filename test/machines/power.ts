import { setTimeout as pause } from "node:timers/promises";
import { okOnHost } from "./host.ts";

// EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, as xfstests cut the power: from one moment on
// nothing is written. A copy of the disk takes a while, in which the machine writes on: tried, it had
// the second of two synced files but not the first, and once a synced file of 250 writes ago.
const cut = `
  open my $disk, "<", shift or die "no disk: $!";
  my $how = pack "L", 2;
  ioctl $disk, 0x8004587d, $how or die "no power cut: $!"`;

/** After it, nothing more reaches the disk that is mounted there in the mount namespace of a process. */
export async function cutPower(pid: number, mountPoint: string): Promise<void> {
  await okOnHost("nsenter", ["-t", String(pid), "-m", "perl", "-e", cut, mountPoint]);
}

/** After it, the kernel is done with a disk whose mounts went with the last process that had them. */
export async function waitForDisk(image: string): Promise<void> {
  while ((await okOnHost("losetup", ["--associated", image])) !== "") await pause(20);
}
