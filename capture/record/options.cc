#include "capture/record/options.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <boost/program_options.hpp>
#include <ctime>
#include <random>
#include <sstream>

#include "bpf/event.h"
#include "capture/budget/amount.h"
#include "capture/control/amount.h"
#include "capture/control/note.h"
#include "capture/mask/http/header_list.h"
#include "capture/targets/service_name.h"
#include "formats/nearest.h"
#include "formats/printable.h"

namespace tailcap::capture {

namespace po = boost::program_options;

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
      --no-probe FILE    place no probe in this program or library, for TLS or for Go (repeatable)
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

namespace {

std::string default_output() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char name[64];
  std::strftime(name, sizeof name, "tailcap-%Y%m%d-%H%M%S.tcap", &local);
  return name;
}

constexpr std::uint64_t kLeastRing = 1'000'000, kLeastRotation = 1'000'000;  // bytes

// "60s", "500MB"
formats::store::RingLimits parse_last(const std::string& text) {
  formats::store::RingLimits out;
  try {
    out.last = std::chrono::duration_cast<formats::Duration>(parse_duration(text));
  } catch (const std::invalid_argument&) {
    out.bytes = parse_size(text);
    if (out.bytes < kLeastRing) throw UsageError("--last keeps at least 1MB");
  }
  return out;
}

void check_destination(const Options& options, bool files_given) {
  const DestinationOptions& to = options.destination;
  if (to.in_memory() && to.rotate > 0)
    throw UsageError("--last keeps the recording in memory: --rotate does not go with it");
  if (files_given && to.rotate == 0) throw UsageError("--files belongs to --rotate");
  if (to.rotate > 0 && to.rotate < kLeastRotation) throw UsageError("--rotate makes files of at least 1MB");
  if (to.rotate > 0 && !options.pack.empty())
    throw UsageError("--pack needs one capture: --rotate does not go with it");
  if (options.budget > 0 && !to.in_memory() && to.rotate == 0)
    throw UsageError(
        "--budget needs a recording in several files or in memory: give --rotate 100MB or --last 60s, too");
  if (options.probes.connections.varies && !to.in_memory() && to.rotate == 0)
    throw UsageError(
        "--sample-varies needs a recording in several files or in memory: give --rotate 100MB or --last 60s, too");
  if (options.max_size > 0 && (to.in_memory() || to.rotate > 0))
    throw UsageError("--max-size is of one file: --last and --rotate have bounds of their own");
  if (!to.to_stream() || options.dry_run) return;
  if (to.in_memory() || to.rotate > 0) throw UsageError("-o - is a stream: --last and --rotate need files");
  if (!options.pack.empty()) throw UsageError("-o - is a stream: --pack needs a file");
  if (options.timings || options.probes.verifier_log)
    throw UsageError("-o - is a stream: --timings and --verifier-log print to standard output");
  if (isatty(STDOUT_FILENO)) throw UsageError("-o -: standard output is a terminal; give a file, or a pipe");
}

void add_groups(const std::string& list, std::vector<Group>& groups) {
  std::istringstream names(list);
  std::string name;
  while (std::getline(names, name, ',')) {
    bool found = false;
    for (auto group : kGroups) {
      if (name == name_of(group)) {
        groups.push_back(group);
        found = true;
      }
    }
    if (found) continue;
    std::string all;
    for (auto group : kGroups) all += (all.empty() ? "" : ", ") + std::string(name_of(group));
    throw UsageError("'" + name + "' is not a group of probes. They are " + all);
  }
}

template <class T>
T number(const std::string& text, const char* what, std::uint64_t least, std::uint64_t most) {
  std::size_t used = 0;
  std::uint64_t value = 0;
  try {
    if (!text.empty() && text[0] >= '0' && text[0] <= '9') value = std::stoull(text, &used);
  } catch (const std::out_of_range&) {
    used = 0;
  }
  if (used == 0 || used != text.size() || value < least || value > most)
    throw UsageError("'" + text + "' is not " + what + " (" + std::to_string(least) + " to " + std::to_string(most) +
                     ")");
  return static_cast<T>(value);
}

// Whether there are samples their rate says, or their group. "0": none.
void choose_sampling(const std::string& rate, ProbeSettings& probes) {
  constexpr std::uint32_t kUsual = 99, kMost = 10000;
  probes.sample_rate = rate.empty() ? kUsual : number<std::uint32_t>(rate, "a number of samples a second", 0, kMost);
  probes.samples_asked = !rate.empty();
  if (probes.sample_rate == 0)
    std::erase(probes.groups, Group::samples);
  else if (rate.empty())
    probes.sample_rate = probes.has(Group::samples) ? kUsual : 0;
  else if (!probes.has(Group::samples))
    probes.groups.push_back(Group::samples);
}

// "1/16"
void choose_connections(const std::string& share, const std::string& seed, bool varies, ProbeSettings& probes) {
  probes.connections.varies = varies;
  if (share.empty() && !varies) {
    if (!seed.empty()) throw UsageError("--sample-seed belongs to --sample-connections, --sample-varies or --budget");
    return;
  }
  if (!share.empty() && !share.starts_with("1/"))
    throw UsageError("--sample-connections is one in N, like 1/16, not '" + share + "'");
  if (probes.node)
    throw UsageError(
        "--profile node records no connections: --sample-connections, --sample-varies and --budget do not go with it");
  if (!share.empty())
    probes.connections.of =
        number<std::uint32_t>(share.substr(2), "a number of connections of which one is recorded", 1, SAMPLED_OF_MAX);
  probes.connections.seed =
      seed.empty() ? std::random_device()() : number<std::uint32_t>(seed, "a seed", 0, 0xffffffff);
}

// Host problems, of all processes; no requests.
void choose_node(bool groups_given, ProbeSettings& probes) {
  if (groups_given)
    throw UsageError("--profile node is a choice of what to record: --only, --add and --sample do not go with it");
  if (!probes.selection.empty() && !probes.selection.all)
    throw UsageError("--profile node records the whole machine: no process, port, cgroup or command goes with it");
  probes.selection.all = true;
  probes.node = true;
  probes.payload_limit = 0;
  probes.groups = {Group::tasks, Group::net, Group::stalls};
}

// A stack belongs to a wait, so waits are recorded, too.
void choose_stacks(const std::string& given, ProbeSettings& probes) {
  if (!given.empty() && given != "on" && given != "off" && given != "all" && given != "long")
    throw UsageError("--stacks is all (or on), long or off, not '" + given + "'");
  if (!given.empty() && !probes.has(Group::stacks)) probes.groups.push_back(Group::stacks);
  probes.all_waits = !given.empty() && given != "long";
  probes.stacks_at_once = given != "off";
  if (probes.has(Group::stacks) && !probes.has(Group::offcpu)) probes.groups.push_back(Group::offcpu);
  if (probes.has(Group::allocations) && !probes.has(Group::go))
    throw UsageError("allocations are those of Go programs: they need the group go");
}

std::string header_name(std::string name) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), mask::is_token))
    throw UsageError("'" + name + "' is not the name of a header");
  std::transform(name.begin(), name.end(), name.begin(), mask::lower);
  return name;
}

// "4711=shop", or "shop" where one process is given, or a command.
std::pair<std::uint32_t, std::string> parse_name(const std::string& text, const Selection& selection) {
  const std::size_t equals = text.find('=');
  const bool numbered = equals != text.npos && text.find_first_not_of("0123456789") == equals && equals > 0;
  const std::string name = targets::bounded_name(numbered ? text.substr(equals + 1) : text);
  if (name.empty())
    throw UsageError("--name needs a name: --name 4711=shop, or --name shop with one process or a command");
  if (!numbered && selection.command.empty() && selection.pids.size() != 1)
    throw UsageError("--name " + formats::printable(name) +
                     " does not say which process is meant: write --name PID=" + formats::printable(name));
  return {numbered ? number<std::uint32_t>(text.substr(0, equals), "a process id", 1, 4194304) : 0, name};
}

void check(Options& options) {
  const auto& selection = options.probes.selection;
  if (selection.empty())
    throw UsageError(
        "no target: give --service NAME, -p PID, --port N, --comm NAME, --container NAME, --unit NAME, --cgroup PATH, "
        "-a, or -- COMMAND");
  if (selection.ports.size() > PORTS_MAX) throw UsageError("at most 8 ports can be given");
  for (const auto* names : {&selection.comms, &selection.services, &selection.containers, &selection.units})
    if (std::any_of(names->begin(), names->end(), [](const auto& name) { return name.empty(); }))
      throw UsageError("--comm, --service, --container and --unit need a name");
  const auto ring = options.probes.ring_bytes;
  if (!std::has_single_bit(ring) || ring < 4096 || ring > 1u << 30)
    throw UsageError("--ring must be a power of two between 4KiB and 1GiB, not " + std::to_string(ring) + " bytes");
  const std::uint32_t rings = options.probes.rings;
  if (rings != 0 && (!std::has_single_bit(rings) || ring / rings < 4096))
    throw UsageError("--rings must be a power of two, and leave each of them 4KiB of --ring, not " +
                     std::to_string(rings));
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  options.command_line.assign(argv, argv + argc);
  int own = argc;
  for (int i = 1; i < argc; i++) {
    if (std::string_view(argv[i]) == "--") {
      own = i;
      options.probes.selection.command.assign(argv + i + 1, argv + argc);
      if (options.probes.selection.command.empty()) throw UsageError("no command after --");
      break;
    }
  }
  using Strings = std::vector<std::string>;
  po::options_description known;
  auto add = known.add_options();
  add("pid,p", po::value<Strings>()->multitoken())("cgroup", po::value<std::string>())("comm", po::value<Strings>())(
      "port", po::value<Strings>());
  add("all,a", "")("duration,d", po::value<std::string>())("output,o", po::value<std::string>())("force", "")(
      "pack", po::value<std::string>())("yes", "")("last", po::value<std::string>())(
      "rotate", po::value<std::string>())("files", po::value<std::string>());
  add("max-size", po::value<std::string>())("payload", po::value<std::string>())("note", po::value<Strings>());
  add("no-probe", po::value<Strings>())("tls", po::value<std::string>());
  add("unsafe-headers", "")("payload-raw", "")("keep-header", po::value<Strings>())("keep-query", po::value<Strings>())(
      "keep-arguments", "")("keep-statements", "")("keep-keys", "")("list-headers", "");
  add("only", po::value<Strings>())("add", po::value<Strings>())("profile", po::value<std::string>())(
      "sample", po::value<std::string>())("sample-connections", po::value<std::string>())(
      "sample-seed", po::value<std::string>())("sample-varies", "")("budget", po::value<std::string>())(
      "stacks", po::value<std::string>()->implicit_value("on", ""))("no-stacks", "")("no-sample", "")(
      "long-wait", po::value<std::string>())("list", "")("list-probes", "");
  add("slow-file", po::value<std::string>())("slow-io", po::value<std::string>());
  add("name", po::value<Strings>())("service", po::value<Strings>())("container", po::value<Strings>())(
      "unit", po::value<Strings>());
  add("user", po::value<std::string>())("ready-fd", po::value<std::string>());
  add("tier", po::value<std::string>())("ring", po::value<std::string>())("rings", po::value<std::string>())(
      "dry-run", "")("timings", "")("verifier-log", "");
  add("help,h", "")("version", "");
  po::variables_map given;
  try {
    po::command_line_parser parser(own, argv);
    // Whole names only: an abbreviation that works today is ambiguous tomorrow.
    parser.options(known).positional({}).style(po::command_line_style::unix_style &
                                               ~po::command_line_style::allow_guessing);
    po::store(parser.run(), given);
  } catch (const po::unknown_option& e) {
    std::vector<std::string> long_names;
    for (const auto& option : known.options()) long_names.push_back(option->long_name());
    const std::vector<std::string_view> names(long_names.begin(), long_names.end());
    const std::string given_name = e.get_option_name();
    const std::string word = given_name.substr(std::min(given_name.find_first_not_of('-'), given_name.size()));
    throw UsageError(e.what() + (given_name.size() > 2 ? formats::suggestion(word, names, "--") : std::string()));
  } catch (const po::invalid_command_line_syntax& e) {
    // pidof and pgrep print nothing where no process has the name.
    if (e.kind() == po::invalid_syntax::missing_parameter &&
        (e.get_option_name() == "--pid" || e.get_option_name() == "-p"))
      throw UsageError(
          "-p needs a process id, and there is none: --service NAME finds a service by its script, program, unit or "
          "container");
    throw UsageError(e.what());
  } catch (const po::too_many_positional_options_error&) {
    throw UsageError("an argument belongs to no option; a command to record comes after --");
  } catch (const po::error& e) {
    throw UsageError(e.what());
  }
  const auto strings = [&](const char* name) { return given.count(name) ? given[name].as<Strings>() : Strings{}; };
  auto& selection = options.probes.selection;
  options.help = given.count("help");
  options.version = given.count("version");
  options.list_headers = given.count("list-headers");
  options.list = given.count("list") || given.count("list-probes");
  // As pidof and pgrep print them: one a word, or separated by blanks or commas.
  for (const auto& list : strings("pid"))
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t end = std::min(list.find_first_of(", \t\n", at), list.size());
      if (end > at || list.empty())
        selection.pids.push_back(number<std::uint32_t>(list.substr(at, end - at), "a process id", 1, 4194304));
      at = end + 1;
    }
  for (const auto& port : strings("port")) selection.ports.push_back(number<std::uint16_t>(port, "a port", 1, 65535));
  selection.comms = strings("comm");
  selection.services = strings("service");
  selection.containers = strings("container");
  selection.units = strings("unit");
  if (given.count("cgroup")) selection.cgroup = given["cgroup"].as<std::string>();
  selection.all = given.count("all");
  try {
    if (given.count("duration")) options.duration = parse_duration(given["duration"].as<std::string>());
    if (given.count("last")) options.destination.last = parse_last(given["last"].as<std::string>());
    if (given.count("rotate")) options.destination.rotate = parse_size(given["rotate"].as<std::string>());
    if (given.count("files"))
      options.destination.files =
          number<std::uint64_t>(given["files"].as<std::string>(), "a number of files", 1, 100'000);
    if (given.count("budget")) options.budget = budget::parse_share_of_cpus(given["budget"].as<std::string>());
    if (given.count("max-size")) options.max_size = parse_size(given["max-size"].as<std::string>());
    if (given.count("slow-file")) options.probes.slow_file = parse_duration(given["slow-file"].as<std::string>());
    if (given.count("long-wait")) options.probes.long_wait = parse_duration(given["long-wait"].as<std::string>());
    if (given.count("slow-io")) options.probes.slow_io = parse_duration(given["slow-io"].as<std::string>());
    if (given.count("ring")) options.probes.ring_bytes = parse_size(given["ring"].as<std::string>());
    if (given.count("rings"))
      options.probes.rings = number<std::uint32_t>(given["rings"].as<std::string>(), "a number of rings", 1, RINGS_MAX);
    if (given.count("payload")) {
      const auto limit = parse_size(given["payload"].as<std::string>());
      if (limit > 1u << 20) throw UsageError("--payload can be at most 1MiB");
      options.probes.payload_limit = static_cast<std::uint32_t>(limit);
    }
  } catch (const std::invalid_argument& e) {
    throw UsageError(e.what());
  }
  for (const auto& text : strings("note")) {
    const auto note = parse_note(text);
    if (!note) throw UsageError("'" + text + "' is not a note: write KEY=VALUE");
    options.notes.push_back(*note);
  }
  for (const auto& text : strings("name")) options.names.push_back(parse_name(text, selection));
  if (given.count("only")) options.probes.groups.clear();
  for (const auto& list : strings("only")) add_groups(list, options.probes.groups);
  for (const auto& list : strings("add")) add_groups(list, options.probes.groups);
  if (given.count("no-sample") + given.count("sample") > 1 || given.count("no-stacks") + given.count("stacks") > 1)
    throw UsageError("--no-sample excludes --sample, --no-stacks excludes --stacks");
  if (given.count("no-stacks")) std::erase(options.probes.groups, Group::stacks);
  choose_sampling(given.count("sample")      ? given["sample"].as<std::string>()
                  : given.count("no-sample") ? "0"
                                             : "",
                  options.probes);
  choose_stacks(given.count("stacks") ? given["stacks"].as<std::string>() : std::string(), options.probes);
  if (given.count("profile")) {
    const auto& profile = given["profile"].as<std::string>();
    if (profile != "default" && profile != "deep" && profile != "node")
      throw UsageError("'" + profile + "' is not a profile: default, deep or node");
    options.probes.deep = profile == "deep";
    if (profile == "node")
      choose_node(given.count("only") || given.count("add") || given.count("sample") || given.count("stacks"),
                  options.probes);
    if (options.probes.deep && !options.probes.has(Group::go))
      throw UsageError("--profile deep is of Go programs: it needs the group go");
  }
  choose_connections(given.count("sample-connections") ? given["sample-connections"].as<std::string>() : std::string(),
                     given.count("sample-seed") ? given["sample-seed"].as<std::string>() : std::string(),
                     options.budget > 0 || given.count("sample-varies"), options.probes);
  if (given.count("tier")) {
    const auto& tier = given["tier"].as<std::string>();
    if (tier != "a" && tier != "c") throw UsageError("'" + tier + "' is not a hook tier: a or c (b is not built yet)");
    options.probes.tier = tier == "a" ? formats::HookTier::a : formats::HookTier::c;
  }
  const std::string way = given.count("tls") ? given["tls"].as<std::string>() : "auto";
  if (way != "auto" && way != "probes" && way != "keys")
    throw UsageError("'" + way + "' is not a way to read TLS: auto, probes or keys");
  if (way == "keys" && options.probes.payload_limit == 0)
    throw UsageError("--tls keys needs payload: not with --payload 0");
  if (way == "keys" && options.probes.connections.varies)
    throw UsageError("--tls keys reads no connection again that was left out: " +
                     std::string(options.budget > 0 ? "--budget" : "--sample-varies") + " does not go with it");
  // Records are decrypted from the payload of sockets. Where the share varies, connections are left out and recorded
  // again.
  options.probes.tls_auto = way == "auto" && !options.probes.connections.varies && options.probes.payload_limit != 0 &&
                            options.probes.has(Group::tls) && options.probes.has(Group::io) && selection.processes();
  options.probes.tls_keys = way == "keys" || options.probes.tls_auto;
  options.no_probe = strings("no-probe");
  if (given.count("user")) options.user = given["user"].as<std::string>();
  if (!options.user.empty() && selection.command.empty())
    throw UsageError("--user is of the command to be started: give -- COMMAND, too");
  if (given.count("ready-fd")) {
    options.ready_fd = number<int>(given["ready-fd"].as<std::string>(), "a descriptor", 0, 1 << 20);
    if (fcntl(options.ready_fd, F_GETFD) < 0)
      throw UsageError("--ready-fd " + std::to_string(options.ready_fd) + ": there is no such descriptor");
  }
  options.destination.output = given.count("output") ? given["output"].as<std::string>() : default_output();
  options.destination.force = given.count("force");
  options.yes = given.count("yes");
  if (given.count("pack")) options.pack = given["pack"].as<std::string>();
  if (given.count("pack") && !options.pack.ends_with(".zip"))
    throw UsageError("--pack needs the name of an archive, with .zip at its end");
  if (options.yes && options.pack.empty()) throw UsageError("--yes belongs to --pack");
  options.keep.header_values = given.count("unsafe-headers");
  options.keep.everything = given.count("payload-raw");
  options.keep.arguments = given.count("keep-arguments");
  options.keep.statements = given.count("keep-statements") != 0;
  options.keep.keys = given.count("keep-keys") != 0;
  for (const auto& name : strings("keep-header")) options.keep.headers.push_back(header_name(name));
  for (const auto& name : strings("keep-query")) {
    if (name.empty()) throw UsageError("--keep-query needs the name of a query parameter, or all");
    if (name == "all")
      options.keep.all_queries = true;
    else
      options.keep.queries.push_back(name);
  }
  options.dry_run = given.count("dry-run");
  options.timings = options.probes.timings = given.count("timings");
  options.probes.verifier_log = given.count("verifier-log");
  if (!options.help && !options.version && !options.list && !options.list_headers)
    check_destination(options, given.count("files") > 0);
  if (!options.help && !options.version && !options.list && !options.list_headers &&
      !(options.dry_run && selection.empty()))
    check(options);
  return options;
}

}  // namespace tailcap::capture
