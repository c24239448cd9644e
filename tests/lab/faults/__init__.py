"""The faults of the lab: what is started, what is done to it, what the truth is, and which label it must have."""
import os
import signal

from faults import cpu, files, network, runtimes
from faults.fault import Fault, crowd, injected_and_late, mixed, excess, queued, routes, stopped, unread

ALL = [
    Fault(1, "sleep in the handler", ("timer.sleep",), mixed("/sleep/20", "/sleep/0")),
    Fault(2, "CPU in the handler", ("cpu", "cpu.user", "cpu.kernel"), mixed("/spin/20", "/spin/0")),
    Fault(3, "CPU contention", ("sched.preempted", "sched.runq"), mixed("/contend/10", "/contend/1", during=cpu.spinners), truth=injected_and_late, hits_neighbours=True),
    Fault(4, "CPU quota", ("sched.throttled",), cpu.quota, hits_neighbours=True),
    Fault(5, "SIGSTOP 300 ms", ("sched.stopped",),
          mixed("/ok", "/ok", inside=cpu.stops(lambda s: os.kill(s.pid, signal.SIGSTOP), lambda s: os.kill(s.pid, signal.SIGCONT))),
          truth=stopped, hits_neighbours=True),
    Fault(6, "freezer of cgroup v1, 300 ms", ("sched.stopped",), cpu.frozen("freezer", "freezer.state", "FROZEN", "THAWED"),
          truth=stopped, hits_neighbours=True, minimum=False),
    Fault(7, "freezer of cgroup v2, 300 ms", ("sched.stopped",), cpu.frozen("unified", "cgroup.freeze", "1", "0"),
          truth=stopped, hits_neighbours=True, minimum=False),
    Fault(8, "lock convoy", ("lock.futex",), crowd("/lock/5")),
    Fault(9, "mmap_lock storm", ("lock.kernel",), crowd("/mlock/60"), minimum=False),
    Fault(10, "major page faults", ("mem.majfault",), cpu.page_faults),
    Fault(11, "memory limit", ("mem.majfault", "mem.reclaim"), cpu.memory_cap, minimum=False),
    Fault(12, "disk bandwidth cap", ("io.throttled", "io.blocked", "io.disk"), files.disk_cap),
    Fault(14, "slow file (FUSE)", ("io.fuse",), files.slow_files),
    Fault(15, "blocking log pipe", ("io.pipe",), files.slow_pipe, minimum=False),
    Fault(16, "slow downstream", ("down.wait",), network.downstream("down/{}/sleep/40", "down/{}/sleep/0")),
    Fault(17, "downstream timeout and retry", ("down.wait",), network.downstream("retry/{}/sleep/90", "retry/{}/sleep/0")),
    Fault(18, "slow name lookups", ("down.dns",), network.slow_names("30", "0")),
    Fault(19, "lost name lookups", ("down.dns",), network.slow_names("0", "3", "options timeout:1 attempts:4\n", weight=4), minimum=False),
    Fault(20, "slow accept", ("q.accept", "q.notice"), network.slow_accept, truth=unread, control=None),
    Fault(22, "network delay 20 ms", ("down.wait",), network.over_link(["1 GET /ok"], delay="20"), side="client", control=None, minimum=False,
          truth=lambda run: {i: 40_000_000 for i in run.sent}),
    Fault(23, "3 % loss", ("down.retx",), network.over_link(["1 GET /big/30"], delay="2", loss="3"), side="client", control=None, truth=excess),
    Fault(24, "tail loss", ("down.retx",), network.over_link(["1 GET /ok"], network.nft("tcp sport {port} ip length > 60 numgen inc mod 6 == 0 counter drop"), delay="2"),
          side="client", control=None, truth=excess),
    Fault(25, "lost SYNs", ("down.connect",), network.lost_syns, minimum=False),
    Fault(26, "shaped link", ("down.body",), network.over_link(["1 GET /big/60", "6 GET /big/0", "2 GET /ok"],
          ["tc qdisc add dev {near} root tbf rate 4mbit burst 8kb latency 400ms"], rate="20"), side="client", truth=network.shaped),
    Fault(28, "slow reader", ("send.sndbuf",), network.slow_reader),
    Fault(29, "HTTP/2 window withheld", ("send.h2fc",), runtimes.withheld_windows, truth=runtimes.stalled),
    Fault(30, "gRPC deadline", ("timer.sleep",), runtimes.deadlines, check=runtimes.check_deadlines),
    Fault(31, "pool exhausted", ("q.pool",), runtimes.pool, truth=queued),
    Fault(32, "event loop starved", ("q.loop",), runtimes.starved, truth=unread, hits_neighbours=True),
    Fault(33, "Go channel hand-off", ("lock.go.chan", "go.park"), runtimes.go_service(("-c", "4", "-d", "3", *routes("1 GET /chan/10")))),
    Fault(34, "Go mutex", ("lock.go.mutex", "lock.go.wait", "timer.sleep", "go.park"), runtimes.go_service(("-c", "4", "-d", "3", *routes("1 GET /mutex/5"))), minimum=False),
    Fault(35, "Go collector", ("go.stw", "cpu.gc_assist", "go.runnable", "go.gc_wait", "cpu", "sched.preempted", "sched.runq"),
          runtimes.go_service(("--rate", "100", "-c", "8", "-d", "4", *routes("1 GET /alloc/400", "4 GET /alloc/0")), ("GOGC", "10"))),
]
