// A policy's sampling, applied to a recording that goes on: which share of the connections its conditions ask for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/policy/policy.h"

namespace tailcap::watch {

// The share 1/N that records at least the rate, N a power of two of at most 1024.
std::uint32_t one_in_for(double rate);

struct WantedShare {
  std::uint32_t of = 1;
  std::string why;  // "policy.yaml: rate 10% while busy"; printable
};

class LiveSampling {
 public:
  // file: how the policy is named.
  LiveSampling(const model::policy::Policy& policy, std::string file);

  // The policy's condition c decides about the share.
  bool decides(std::size_t c) const;
  // What is known of a condition at a look; what is not known stays as it was.
  void saw(std::size_t c, bool fires) { firing_[c] = fires; }
  WantedShare wanted() const;

 private:
  const model::policy::Policy& policy_;
  const std::string file_;
  std::vector<bool> firing_;
};

}  // namespace tailcap::watch
