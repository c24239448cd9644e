// The command line of tailcap-record.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "capture/mask/sheet/keep.h"
#include "capture/output/destination.h"
#include "capture/probes/probes.h"
#include "capture/probes/selection.h"

namespace tailcap::capture {

struct Options {
  ProbeSettings probes;  // with the selection
  DestinationOptions destination;
  std::string pack;  // an archive to make of it; empty: none
  bool yes = false;  // do not ask before that is written
  std::optional<std::chrono::nanoseconds> duration;
  std::uint64_t max_size = 0;  // 0: no limit
  std::vector<std::pair<std::string, std::string>> notes;
  std::vector<std::pair<std::uint32_t, std::string>> names;  // of processes; 0: of the command, or the one -p
  std::vector<std::string> no_probe;                         // files in which no probe is placed
  std::string user;   // of the command: NAME[:GROUP]; empty: that of the recorder
  double budget = 0;  // of all CPUs, what recording may cost; 0: no bound
  int ready_fd = -1;  // notified when it records; -1: none
  mask::Keep keep;
  bool dry_run = false, timings = false, list = false, list_headers = false, help = false, version = false;
  std::vector<std::string> command_line;
};

// Wrong usage: the message says what is wrong and what is right. Exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

Options parse_options(int argc, char** argv);
extern const char* const kHelp;

}  // namespace tailcap::capture
