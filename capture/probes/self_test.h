// Checks that the kernel programs report a connection correctly: loading proves nothing (docs/KERNELS.md).
//
// A child process, a target for that moment, connects to itself over loopback and moves known bytes in both directions.
// The programs' reports are compared with what the child knows: the sockets' cookies, directions, lengths, positions,
// arrivals, payload.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "capture/probes/probes.h"

namespace tailcap::capture {

struct SelfTest {
  std::string wrong;         // what was reported incorrectly; empty: nothing
  std::string inconclusive;  // why the connection could not be made; empty: it was made
  std::chrono::microseconds took{};
};
// Attaches what it needs and detaches it again; leaves nothing in the rings or in the loss counters.
SelfTest self_test(Probes& probes);

struct ProvenProbes {
  std::unique_ptr<Probes> probes;
  std::vector<std::string> sentences;  // differences from what was expected
  SelfTest result;
};
// Loads the programs. If the chosen tier reports something incorrectly, the other one is used, unless the user asked
// for the tier. Throws std::runtime_error if no tier reports correctly.
ProvenProbes proven_probes(const ProbeSettings& settings);

}  // namespace tailcap::capture
