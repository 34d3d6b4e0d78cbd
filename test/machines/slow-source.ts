import type { Machine } from "./machine.ts";
import { until } from "./pool.ts";

// systemd asks for one credential after the other, and waits for this one as long as there is no /run/quick.
const program = String.raw`import os, socket, time
listening = socket.socket(socket.AF_UNIX)
listening.bind("/run/slow.new")
listening.listen(64)
os.rename("/run/slow.new", "/run/slow.sock")
while True:
    accepted, _ = listening.accept()
    open("/run/asked", "w").close()
    while not os.path.exists("/run/quick"):
        time.sleep(0.01)
    accepted.sendall(b"slow")
    accepted.close()
`;

/**
 * After it, /run/slow.sock has a credential for units, at once while there is /run/quick, which there is. It makes
 * /run/asked when it is asked.
 */
export async function addSlowSource(node: Machine): Promise<void> {
  await node.write("/run/slow.py", program);
  await node.sh("touch /run/quick; systemd-run -q --unit=slow python3 /run/slow.py");
  const listens = async (): Promise<boolean> =>
    (await node.run("test", ["-S", "/run/slow.sock"])).status === 0;
  await until(listens, "the other source of credentials");
}
