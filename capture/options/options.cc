#include "capture/options/options.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <ctime>
#include <string_view>

#include "bpf/event.h"
#include "capture/budget/amount.h"
#include "capture/control/amount.h"
#include "capture/control/note.h"
#include "capture/mask/http/header_list.h"
#include "capture/options/given.h"
#include "capture/options/probe_choices.h"
#include "capture/targets/service_name.h"
#include "formats/printable.h"

namespace tailcap::capture {

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

void choose_targets(const Given& given, Selection& selection) {
  // As pidof and pgrep print them: one a word, or separated by blanks or commas.
  for (const auto& list : given.texts("pid"))
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t end = std::min(list.find_first_of(", \t\n", at), list.size());
      if (end > at || list.empty())
        selection.pids.push_back(number<std::uint32_t>(list.substr(at, end - at), "a process id", 1, 4194304));
      at = end + 1;
    }
  for (const auto& port : given.texts("port"))
    selection.ports.push_back(number<std::uint16_t>(port, "a port", 1, 65535));
  selection.comms = given.texts("comm");
  selection.services = given.texts("service");
  selection.containers = given.texts("container");
  selection.units = given.texts("unit");
  if (given.has("cgroup")) selection.cgroup = given.text("cgroup");
  selection.all = given.has("all");
}

// How long, how much, and from when on something is slow.
void choose_amounts(const Given& given, Options& options) {
  try {
    if (given.has("duration")) options.duration = parse_duration(given.text("duration"));
    if (given.has("last")) options.destination.last = parse_last(given.text("last"));
    if (given.has("rotate")) options.destination.rotate = parse_size(given.text("rotate"));
    if (given.has("files"))
      options.destination.files = number<std::uint64_t>(given.text("files"), "a number of files", 1, 100'000);
    if (given.has("budget")) options.budget = budget::parse_share_of_cpus(given.text("budget"));
    if (given.has("max-size")) options.max_size = parse_size(given.text("max-size"));
    if (given.has("slow-file")) options.probes.slow_file = parse_duration(given.text("slow-file"));
    if (given.has("long-wait")) options.probes.long_wait = parse_duration(given.text("long-wait"));
    if (given.has("slow-io")) options.probes.slow_io = parse_duration(given.text("slow-io"));
    if (given.has("ring")) options.probes.ring_bytes = parse_size(given.text("ring"));
    if (given.has("rings"))
      options.probes.rings = number<std::uint32_t>(given.text("rings"), "a number of rings", 1, RINGS_MAX);
    if (given.has("payload")) {
      const auto limit = parse_size(given.text("payload"));
      if (limit > 1u << 20) throw UsageError("--payload can be at most 1MiB");
      options.probes.payload_limit = static_cast<std::uint32_t>(limit);
    }
  } catch (const std::invalid_argument& e) {
    throw UsageError(e.what());
  }
}

void choose_notes(const Given& given, Options& options) {
  for (const auto& text : given.texts("note")) {
    const auto note = parse_note(text);
    if (!note) throw UsageError("'" + text + "' is not a note: write KEY=VALUE");
    options.notes.push_back(*note);
  }
  for (const auto& text : given.texts("name")) options.names.push_back(parse_name(text, options.probes.selection));
}

void choose_command(const Given& given, Options& options) {
  if (given.has("user")) options.user = given.text("user");
  if (!options.user.empty() && options.probes.selection.command.empty())
    throw UsageError("--user is of the command to be started: give -- COMMAND, too");
  if (given.has("ready-fd")) {
    options.ready_fd = number<int>(given.text("ready-fd"), "a descriptor", 0, 1 << 20);
    if (fcntl(options.ready_fd, F_GETFD) < 0)
      throw UsageError("--ready-fd " + std::to_string(options.ready_fd) + ": there is no such descriptor");
  }
}

void choose_output(const Given& given, Options& options) {
  options.destination.output = given.has("output") ? given.text("output") : default_output();
  options.destination.force = given.has("force");
  options.yes = given.has("yes");
  if (given.has("pack")) options.pack = given.text("pack");
  if (given.has("pack") && !options.pack.ends_with(".zip"))
    throw UsageError("--pack needs the name of an archive, with .zip at its end");
  if (options.yes && options.pack.empty()) throw UsageError("--yes belongs to --pack");
}

void choose_keep(const Given& given, mask::Keep& keep) {
  keep.header_values = given.has("unsafe-headers");
  keep.everything = given.has("payload-raw");
  keep.arguments = given.has("keep-arguments");
  keep.statements = given.has("keep-statements");
  keep.keys = given.has("keep-keys");
  for (const auto& name : given.texts("keep-header")) keep.headers.push_back(header_name(name));
  for (const auto& name : given.texts("keep-query")) {
    if (name.empty()) throw UsageError("--keep-query needs the name of a query parameter, or all");
    if (name == "all")
      keep.all_queries = true;
    else
      keep.queries.push_back(name);
  }
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
  const Given given(own, argv);
  options.help = given.has("help");
  options.version = given.has("version");
  options.list_headers = given.has("list-headers");
  options.list = given.has("list") || given.has("list-probes");
  choose_targets(given, options.probes.selection);
  choose_amounts(given, options);
  choose_notes(given, options);
  choose_probes(given, options.budget > 0, options.probes);
  options.no_probe = given.texts("no-probe");
  choose_command(given, options);
  choose_output(given, options);
  choose_keep(given, options.keep);
  options.dry_run = given.has("dry-run");
  options.timings = options.probes.timings = given.has("timings");
  options.probes.verifier_log = given.has("verifier-log");
  if (options.help || options.version || options.list || options.list_headers) return options;
  check_destination(options, given.has("files"));
  if (!options.dry_run || !options.probes.selection.empty()) check(options);
  return options;
}

}  // namespace tailcap::capture
