#include "capture/options/options.h"

namespace tailcap::capture {

const char* const kHelp =
    R"(tailcap-record records what the kernel sees of a service's HTTP traffic and waits, into one file.

usage: tailcap record TARGET [OPTION...]
       tailcap record [OPTION...] -- COMMAND ARG...
       tailcap control FILE note KEY=VALUE         sends a note to the running recorder of FILE
       tailcap doctor [-p PID] [--json]            can this machine record?

Targets (processes that match any of them are recorded, and so are their children)
      --service NAME     record the service of this name: a systemd unit, the name or id of a container, the script,
                         module or jar that an interpreter runs (gunicorn, server.js), or a program (repeatable)
  -p, --pid PID...       record these processes with all their threads and children
      --container NAME   record the processes of this container, by its name or 12 digits of its id
      --unit NAME        record the processes of this systemd unit
      --cgroup PATH      record all processes in this cgroup (unified hierarchy) and below
      --comm NAME        record processes of this name, now and later
      --port N           record sockets that use this TCP port, at either end (up to 8 ports)
  -a, --all              record all processes except the recorder
  -- COMMAND ARG...      start COMMAND, record it from its first instruction, and end with it
      --user NAME[:GROUP] run COMMAND as this user; under sudo it would run as root
      --name PID=NAME    call this process and the children that run its program NAME in reports and exports;
                         --name NAME: the command, or the only process of -p

How long, and where to
  -d, --duration TIME    stop after TIME: 30s, 500ms, 2m (default: at Ctrl-C, or when all recorded processes have ended)
  -o, --output FILE      write the capture to FILE (default: tailcap-YYYYMMDD-HHMMSS.tcap); - is a stream on standard
                         output
      --force            overwrite FILE
      --last TIME|SIZE   keep only the last 60s or 500MB in memory; write FILE at the end, and on request:
                         tailcap snapshot FILE [OUT] or SIGUSR1. See also tailcap status FILE, tailcap stop FILE
      --rotate SIZE      write files of at most SIZE, FILE-000001.tcap and so on, each readable alone
      --files N          with --rotate, keep the last N files (default: 10)
      --pack ZIP         after the recording, make an archive of the slowest requests that can be given away, as
                         `tailcap pack` does
      --yes              with --pack, do not ask before the archive is written
      --max-size SIZE    stop when the file has reached SIZE: 500MB, 2GiB (default: no limit)
      --note KEY=VALUE   keep this note in the file; every report shows it (repeatable). While it records:
                         tailcap control FILE note deploy=v2, and the report says what changed then

What
      --payload BYTES    keep at most BYTES of each message head; 0: no payload at all (default: 4096). The file gets
                         message heads, framing, DNS and TLS hellos; no body, and nothing of other protocols. Header values
                         outside a list, query values and long tokens in paths become asterisks
      --keep-header NAME also keep the values of this header (repeatable); --list-headers prints those kept by default
      --keep-query NAME  also keep the values of this query parameter (repeatable); all: of every parameter
      --keep-arguments   keep the whole command lines of recorded processes, not only their programs
      --keep-statements  keep SQL with its literals; by default each literal is a question mark
      --keep-keys        keep whole cache keys, subjects and queue names; by default user:17:cart is user:*:cart
      --unsafe-headers   keep the values of all headers: passwords, tokens and cookies
      --payload-raw      mask nothing, and keep bodies and other protocols as well
      --sample-connections 1/N
                         record one connection in N, each with all its requests, chosen by a hash of its addresses and ports;
                         reports estimate the whole. The other connections cost little and leave nothing in the file
      --sample-seed N    choose the connections by N; recorders with the same N choose alike (default: random)
      --sample-varies    let the share be changed while recording, by `tailcap watch --policy` or `tailcap control FILE
                         share 1/8`. Each change begins a file. Needs --rotate or --last (docs/policy.md)
      --budget SHARE     limit the cost of recording to SHARE, like 2%, of the CPU time of all CPUs. Above it, the recorder
                         switches stacks and samples off, then records fewer and fewer connections, then no off-CPU
                         intervals; below it, more again. Needs --rotate or --last (docs/flight.md)
      --sample N         take the stacks of every running thread N times a second on each CPU; 0 or --no-sample: never
                         (default: 99; docs/flame.md)
      --stacks=WHICH     take the stacks of waits. long: of those that lasted 1 ms or more, for at most 0.2 % of a CPU.
                         all, or --stacks alone: as waits begin, at most 10,000 a second on a CPU; those of 1 ms and some
                         shorter ones are kept. off: as all, but only after `tailcap control FILE stacks on`, which
                         switches samples on, too. --no-stacks: none (default: long)
      --long-wait TIME   take the stacks of waits of TIME or more, with long (default: 1ms)
      --tls WAY          take the plaintext of OpenSSL 3 in this way. probes: at every call. keys: by the keys of each
                         connection, taken once, at its handshake; connections older than the recording are not read.
                         auto: by keys, and by probes while connections need them (default: auto; docs/record.md)
      --no-probe FILE    place no probe in this program or library (repeatable)
      --only GROUPS      record only these groups of facts: io,arrivals,offcpu,stalls,tasks,net,tls,go,samples,stacks,
                         interrupts,files,allocations (default: all but the last three)
      --add GROUPS       also record these groups, after --only
      --list             say what the groups are, and stop
                         tls: the plaintext of OpenSSL, GnuTLS and Go in recorded processes. Others on this machine that
                         use the same library pay about half a microsecond a call (`tailcap doctor` says where it is more)
                         files: every open with its path; reads, writes and fsyncs that waited long for a file. Meanwhile
                         every system call on this machine takes 0.05 µs longer, opens 0.4 µs, those recorded 0.9 µs
      --slow-file TIME   with the group files, record reads, writes and fsyncs that waited TIME or more (default: 1ms)
      --profile NAME     record what this profile names. default; deep: also every wait, wake-up and run of every goroutine
                         of recorded Go programs, at 1 to 4 µs each (a net/http server at saturation keeps 0.53 of its
                         throughput, by default 0.81); node: not requests, but the problems of the whole machine, for
                         `tailcap diag`: processes that come and go, shortage of memory, TCP failures, slow disks. A node
                         recording has no payload and no TARGET
      --slow-io TIME     with --profile node, record disk I/O that took TIME or more (default: 10ms)

How
      --config FILE      take options from FILE (TOML), by their long names: service = ["shop"], last = "60s", keep-keys =
                         true. An option on the command line replaces that of FILE (docs/record.md)
      --ready-fd N       write "ready" to this descriptor, and close it, when recording has begun
      --tier a|c         watch socket I/O by tracepoints (a) or by system calls (c) (default: the best this kernel offers)
      --ring SIZE        keep up to SIZE that the recorder has not read yet, a power of two (default: 16MiB)
      --rings N          use N rings, a power of two up to 16 (default: one for each CPU)
      --dry-run          load the kernel programs, attach nothing, and stop
      --timings          print how long loading and attaching each program took
      --verifier-log     print the kernel verifier's log of each program that it rejects
  -h, --help             print this help
      --version          print the version

Exit codes: 0 recorded; 1 failed, or no process to record; 2 bad usage; 3 recorded, but events were lost; 128 + N: signal N
came before recording began (130: Ctrl-C).

examples:
  tailcap record --service nginx -d 30s -o slow.tcap
  tailcap record --port 8080 --max-size 500MB
  tailcap record -o test.tcap --note build=1234 -- ./server --port 8080
)";

}  // namespace tailcap::capture
