// tailcap-inject: adds ids to requests on their way.
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>

#include "formats/printable.h"
#include "ground/http/request_ids.h"
#include "inject/counts.h"
#include "inject/options.h"
#include "inject/programs.h"
#include "inject/self_test.h"

namespace {

using namespace tailcap::inject;
using Clock = std::chrono::steady_clock;

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  if (!std::getline(file, text) || tailcap::ground::machine_salt_of(text) == 0)
    throw std::runtime_error("this machine says no id of its boot");
  return text;
}

// The signals that end it, as a descriptor.
int ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool asked_to_end(int signals) {
  signalfd_siginfo info{};
  return read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

void work(Programs& programs, const Options& options, int signals) {
  const Clock::time_point began = Clock::now();
  std::uint64_t printed = 0;
  Counts before{};
  while (!asked_to_end(signals)) {
    const auto elapsed = Clock::now() - began;
    if (options.duration && elapsed >= *options.duration) break;
    programs.release_left_alone(50);
    const auto seconds = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(elapsed).count());
    if (!options.progress || seconds <= printed) continue;
    const Counts now = programs.counts();
    std::fprintf(stderr, "%s\n", progress_line(now, before, seconds).c_str());
    before = now;
    printed = seconds;
  }
}

int run(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  if (options.help) return std::fputs(kHelp, stdout) < 0;
  if (options.version) return std::puts("tailcap-inject " TAILCAP_VERSION) < 0;
  const std::uint64_t salt = tailcap::ground::machine_salt_of(boot_id());
  const int signals = ending_signals();
  Programs programs(options, salt);
  if (const std::string wrong = self_test(programs, salt, options.sampled); !wrong.empty())
    throw std::runtime_error("self-test: " + wrong + ". This kernel cannot be relied on; nothing was touched");
  if (options.check) return std::puts("self-test: this kernel adds bytes at the right places") < 0;
  programs.follow_targets();
  if (options.ready_fd >= 0) close(options.ready_fd);
  std::fputs("tailcap-inject: adds ids to the requests of new connections. Ctrl-C ends it.\n", stderr);
  work(programs, options, signals);
  programs.stop();
  std::fputs(summary(programs.counts()).c_str(), stderr);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const UsageError& e) {
    std::fprintf(stderr, "tailcap-inject: %s. `tailcap-inject --help` shows what can be given.\n",
                 tailcap::formats::printable_message(e.what()).c_str());
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tailcap-inject: %s\n", tailcap::formats::printable_message(e.what()).c_str());
    return 1;
  }
}
