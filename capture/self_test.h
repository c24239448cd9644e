// Whether the kernel programs report a connection as it was: loading proves nothing (docs/KERNELS.md).
//
// A child process, a target for that moment, connects to itself over loopback and moves known bytes in both directions.
// What the programs report is held against what the child knows: the sockets' cookies, directions, lengths, positions,
// arrivals, payload.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "capture/probes.h"

namespace tailcap::capture {

struct SelfTest {
  std::string wrong;         // what was reported otherwise than it was; empty: nothing
  std::string inconclusive;  // why the connection could not be made; empty: it was
  std::chrono::microseconds took{};
};
// Attaches what it needs and detaches it again; nothing of it stays in the rings or in the counts of losses.
SelfTest self_test(Probes& probes);

struct ProvenProbes {
  std::unique_ptr<Probes> probes;
  std::vector<std::string> sentences;  // what is not as it was expected
  SelfTest result;
};
// Loads. Where the tier that was chosen reports something wrong, the other one takes its place, unless the tier was
// asked for. Throws std::runtime_error where none reports what happened.
ProvenProbes proven_probes(const ProbeSettings& settings);

}  // namespace tailcap::capture
