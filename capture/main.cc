// tailcap-record: records into a .tcap file. `tailcap record` executes this.
#include <sys/wait.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <string_view>

#include "capture/control/ask.h"
#include "capture/mask/http/header_list.h"
#include "capture/options/options.h"
#include "capture/output/pack.h"
#include "capture/record/doctor.h"
#include "capture/record/recorder.h"
#include "capture/symbolize/symbolize.h"
#include "formats/printable.h"

namespace {

using namespace tailcap::capture;
using tailcap::formats::printable;
using tailcap::formats::printable_message;

void list_groups() {
  for (auto group : kGroups) std::printf("%-10s %s\n", name_of(group), describe(group));
}

void list_headers() {
  std::puts(
      "The values of these headers are kept, in HTTP/1 and HTTP/2, heads and trailers; those of others are masked:");
  for (const auto name : mask::HeaderList::standard())
    std::printf("  %.*s\n", static_cast<int>(name.size()), name.data());
  std::puts(
      "Query values and tokens in :path and in targets of requests are masked, and so is user information in host and "
      ":authority.");
}

void print_timings(const Probes& probes) {
  std::printf("%-16s %-24s %10s %12s %10s\n", "program", "hook", "insns", "verify µs", "attach µs");
  for (const auto& p : probes.programs()) {
    std::printf("%-16s %-24s %10llu %12lld %10lld\n", p.name.c_str(), p.hook.c_str(),
                static_cast<unsigned long long>(p.instructions), static_cast<long long>(p.verification.count()),
                static_cast<long long>(p.attach.count()));
  }
  std::printf("open %lld µs, load %lld µs\n", static_cast<long long>(probes.open_time().count()),
              static_cast<long long>(probes.load_time().count()));
}

int rehearse(const Options& options) {
  Probes probes(options.probes);
  for (const auto& sentence : probes.not_recorded()) std::fprintf(stderr, "tailcap-record: %s.\n", sentence.c_str());
  if (options.probes.verifier_log) std::fputs(probes.verifier_log().c_str(), stdout);
  if (!options.dry_run) probes.attach();
  if (options.timings) print_timings(probes);
  if (options.dry_run)
    std::printf("%s: tier %s, %s. Nothing was attached.\n",
                probes.not_recorded().empty() ? "all programs load" : "all other programs load",
                probes.tier().tier == tailcap::formats::HookTier::a ? "a" : "c", probes.tier().reason.c_str());
  return 0;
}

int run(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "doctor") return run_doctor(argc - 1, argv + 1);
  if (argc > 1 && std::string_view(argv[1]) == "control") return run_control(argc - 1, argv + 1);
  if (argc > 1 && std::string_view(argv[1]) == "symbolize") return symbolize::run_symbolize(argc - 1, argv + 1);
  const Options options = parse_options(argc, argv);
  if (options.help) return std::fputs(kHelp, stdout) < 0;
  if (options.version) return std::puts("tailcap-record " TAILCAP_VERSION) < 0;
  if (options.list_headers) {
    list_headers();
    return 0;
  }
  if (options.list) {
    list_groups();
    return 0;
  }
  if (options.dry_run || options.timings || options.probes.verifier_log) {
    const int code = rehearse(options);
    if (options.dry_run) return code;
  }
  const Outcome outcome = record(options);
  if (!options.probes.selection.command.empty()) {
    const std::string command = printable(options.probes.selection.command[0]);
    const char* name = command.c_str();
    if (!outcome.command_ran)
      std::fprintf(stderr, "%s was ended with the recording\n", name);
    else if (WIFEXITED(outcome.command_status))
      std::fprintf(stderr, "%s exited with code %d\n", name, WEXITSTATUS(outcome.command_status));
    else
      std::fprintf(stderr, "%s was ended by signal %d (%s)\n", name, WTERMSIG(outcome.command_status),
                   strsignal(WTERMSIG(outcome.command_status)));
  }
  std::fputs(summary(options.destination.name(), outcome.elapsed, outcome.tally, outcome.file_bytes, outcome.reason,
                     options.probes.ring_bytes)
                 .c_str(),
             stderr);
  if (!outcome.anybody) {
    std::fputs("tailcap-record: no process was recorded: none matched when recording began, or later.\n", stderr);
    return 1;
  }
  if (!options.pack.empty()) pack(options.destination.output, options.pack, options.yes, options.destination.force);
  return outcome.tally.lost ? 3 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const UsageError& e) {
    const std::string why = printable_message(e.what());
    std::fprintf(stderr, "tailcap-record: %s%s `tailcap record --help` shows what can be given.\n", why.c_str(),
                 why.ends_with('?') ? "" : ".");
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tailcap-record: %s\n", printable_message(e.what()).c_str());
    return 1;
  }
}
