// small_recorder MAP=ENTRIES... ARGUMENTS: tailcap-record ARGUMENTS, with these sizes of kernel maps.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "capture/record/recorder.h"

int main(int argc, char** argv) {
  using namespace tailcap::capture;
  try {
    std::vector<std::pair<std::string, std::uint32_t>> entries;
    int own = 1;
    for (; own < argc && argv[own][0] != '-'; own++) {
      const char* equals = std::strchr(argv[own], '=');
      if (!equals) throw UsageError("a map is given as NAME=ENTRIES");
      entries.emplace_back(std::string(argv[own], static_cast<std::size_t>(equals - argv[own])),
                           std::strtoul(equals + 1, nullptr, 10));
    }
    argv[own - 1] = argv[0];
    Options options = parse_options(argc - own + 1, argv + own - 1);
    options.probes.map_entries = entries;
    const Outcome outcome = record(options);
    if (outcome.command_ran) std::fprintf(stderr, "the command exited with code %d\n", outcome.command_status >> 8);
    return outcome.tally.lost ? 3 : 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "small_recorder: %s\n", e.what());
    return 1;
  }
}
