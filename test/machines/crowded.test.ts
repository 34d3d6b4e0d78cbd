import { afterAll, beforeAll, expect, it } from "vitest";
import { Pool, until } from "./pool.ts";

const unit = "one.service";

let pool: Pool;
beforeAll(async () => {
  pool = await Pool.create({ units: [unit] });
  await pool.node.unit(unit, pool.text());
});
afterAll(() => pool[Symbol.asyncDispose]());

// Pairs of no name, about as many as one process may have open here.
const crowd = `
use Socket;
my @open;
for (1 .. 9900) { socketpair(my $one, my $other, AF_UNIX, SOCK_STREAM, 0) or die; push @open, $one, $other }
open(my $done, ">", "/run/crowd/$$");
sleep 600;
`;
const size = 8;

it("an agent doesn't read again and again what another user makes long: the table of sockets", async () => {
  const { node } = pool;
  await node.write("/run/crowd.pl", crowd);
  await node.sh(`mkdir -m 1777 /run/crowd; systemctl start ${unit}`);
  const units = Array.from({ length: size }, (_, index) => `crowd${String(index)}.service`);
  for (const one of units)
    await node.sh(
      `systemd-run -q --unit=${one} -p User=nobody -p LimitNOFILE=20000 perl /run/crowd.pl`,
    );
  await until(
    async () => (await node.sh("ls /run/crowd")).trim().split("\n").length === size,
    "all sockets are there",
  );
  const agent = await node.show("sealaunch-agent.service", "MainPID");
  const read = async (): Promise<number> =>
    Number(await node.sh(`sed -n 's/^rchar: //p' /proc/${agent}/io`));
  const table = Number(await node.sh("wc -c </proc/net/unix"));
  expect(table).toBeGreaterThan(5_000_000);
  const before = await read();
  const starts = 6;
  for (let at = 0; at < starts; at++) await node.sh(`systemctl start ${unit}`);
  expect((await read()) - before).toBeLessThan((starts / 2) * table);
  expect(await pool.ran()).toHaveLength(1 + starts);
  expect(await pool.bad()).toBe("");
});
