// The command line of tailcap-inject.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tailcap::inject {

struct Options {
  std::vector<std::uint32_t> pids;
  std::vector<std::string> comms, cgroups;
  std::vector<std::uint32_t> ports;  // only connections to these; empty: all
  std::optional<std::chrono::nanoseconds> duration;
  std::uint32_t max_connections = 16384;
  bool sampled = true;    // the flag in traceparent
  bool progress = false;  // a line each second
  bool check = false;     // only the self-test
  int ready_fd = -1;      // closed when it works; -1: none
  bool help = false, version = false;
};

// Wrong usage: the message says what is wrong and what is right. Exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

Options parse_options(int argc, char** argv);
extern const char* const kHelp;

}  // namespace tailcap::inject
