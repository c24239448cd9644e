#include "inject/options.h"

#include <getopt.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "bpf/inject/shared.h"

namespace tailcap::inject {

const char* const kHelp =
    R"(tailcap-inject adds ids to the HTTP/1.x requests that chosen processes send in plaintext.

usage: tailcap-inject TARGET... [OPTION...]
       tailcap-inject --check

It changes what these processes send: each request that names no trace and no request of its own gets two header
lines, `traceparent` and `X-Request-Id`. Only connections that begin later are touched. On any doubt about where a
request begins or ends, a connection is left alone from then on, and counted. It must be the right thing for the
servers that get the requests: read docs/inject.md first.

Targets (processes that match any of them)
  -p, --pid PID...       choose these processes and those that descend from them
      --comm NAME        choose processes of this name and those that descend from them (repeatable)
      --cgroup PATH      choose all processes in this cgroup (unified hierarchy) and below (repeatable)

What
      --to-port N        touch only connections to this TCP port (repeatable)
      --not-sampled      write trace flags 00: SDKs that follow their caller do not record such a trace (default: 01)
      --max-connections N
                         touch at most N connections at a time (default: 16384); some 2 KB of memory each

How long, and what it says
  -d, --duration TIME    end after TIME: 30s, 500ms, 2m (default: at Ctrl-C)
      --progress         print a line each second
      --check            test whether this kernel adds bytes at the right places, over loopback, and end
      --ready-fd FD      close this descriptor as soon as new connections are touched
  -h, --help             print this text
      --version          print the version

When it ends, or is killed, the connections that it touched go on as plain ones.

exit codes: 0 it ended as asked · 1 it could not work · 2 wrong usage
)";

namespace {

constexpr int kComm = 256, kCgroup = 257, kToPort = 258, kNotSampled = 259, kMaxConnections = 260, kProgress = 261,
              kCheck = 262, kReadyFd = 263, kVersion = 264;

std::uint32_t number(std::string_view name, const std::string& text, unsigned long least, unsigned long most) {
  char* end = nullptr;
  errno = 0;
  const unsigned long n = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || errno != 0 || text[0] == '-' || n < least || n > most)
    throw UsageError("--" + std::string(name) + " takes a number from " + std::to_string(least) + " to " +
                     std::to_string(most) + ", not '" + text + "'");
  return static_cast<std::uint32_t>(n);
}

std::chrono::nanoseconds duration(const std::string& text) {
  char* end = nullptr;
  const double n = std::strtod(text.c_str(), &end);
  const std::string_view unit = end;
  const double scale = unit == "ms" ? 1e6 : unit == "s" ? 1e9 : unit == "m" ? 60e9 : unit == "h" ? 3600e9 : 0;
  if (scale == 0 || !(n > 0) || n * scale > 9e18)
    throw UsageError("--duration takes a time such as 30s, 500ms or 2m, not '" + text + "'");
  return std::chrono::nanoseconds(static_cast<std::int64_t>(n * scale));
}

template <class T>
void add(std::vector<T>& to, T value, std::string_view name) {
  if (to.size() >= INJECT_TARGETS)
    throw UsageError("--" + std::string(name) + " can be given " + std::to_string(INJECT_TARGETS) + " times");
  to.push_back(std::move(value));
}

}  // namespace

Options parse_options(int argc, char** argv) {
  static const option kOptions[] = {{"pid", required_argument, nullptr, 'p'},
                                    {"comm", required_argument, nullptr, kComm},
                                    {"cgroup", required_argument, nullptr, kCgroup},
                                    {"to-port", required_argument, nullptr, kToPort},
                                    {"not-sampled", no_argument, nullptr, kNotSampled},
                                    {"max-connections", required_argument, nullptr, kMaxConnections},
                                    {"duration", required_argument, nullptr, 'd'},
                                    {"progress", no_argument, nullptr, kProgress},
                                    {"check", no_argument, nullptr, kCheck},
                                    {"ready-fd", required_argument, nullptr, kReadyFd},
                                    {"help", no_argument, nullptr, 'h'},
                                    {"version", no_argument, nullptr, kVersion},
                                    {nullptr, 0, nullptr, 0}};
  Options out;
  opterr = 0;
  optind = 1;
  bool pids = false;  // plain numbers that follow are processes, too
  for (;;) {
    const int c = getopt_long(argc, argv, "-p:d:h", kOptions, nullptr);
    if (c == -1) break;
    const std::string given = optarg != nullptr ? optarg : "";
    switch (c) {
      case 'p':
        add(out.pids, number("pid", given, 1, 1u << 22), "pid");
        break;
      case 1:
        if (!pids) throw UsageError("'" + given + "' belongs to no option");
        add(out.pids, number("pid", given, 1, 1u << 22), "pid");
        continue;
      case kComm:
        if (given.empty() || given.size() >= INJECT_COMM)
          throw UsageError("--comm takes a name as the kernel keeps it, of 1 to 15 bytes");
        add(out.comms, given, "comm");
        break;
      case kCgroup:
        add(out.cgroups, given, "cgroup");
        break;
      case kToPort:
        add(out.ports, number("to-port", given, 1, 65535), "to-port");
        break;
      case kNotSampled:
        out.sampled = false;
        break;
      case kMaxConnections:
        out.max_connections = number("max-connections", given, 1, 1u << 20);
        break;
      case 'd':
        out.duration = duration(given);
        break;
      case kProgress:
        out.progress = true;
        break;
      case kCheck:
        out.check = true;
        break;
      case kReadyFd:
        out.ready_fd = static_cast<int>(number("ready-fd", given, 0, 1u << 20));
        break;
      case 'h':
        out.help = true;
        break;
      case kVersion:
        out.version = true;
        break;
      default:
        throw UsageError(std::string("unknown option, or one without its value: ") + argv[optind - 1]);
    }
    pids = c == 'p';
  }
  if (!out.help && !out.version && !out.check && out.pids.empty() && out.comms.empty() && out.cgroups.empty())
    throw UsageError("no target: -p PID, --comm NAME or --cgroup PATH says whose requests get ids");
  return out;
}

}  // namespace tailcap::inject
