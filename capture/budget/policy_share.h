// The share of connections as a policy asks for it while it records (`tailcap watch --policy`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "capture/budget/budget.h"
#include "capture/budget/share.h"

namespace tailcap::capture::budget {

// Note of the recorder (formats/FORMAT.md).
inline constexpr const char* kPolicyNote = "tailcap.sampling.policy";

struct AskedShare {
  std::uint32_t of = 1;
  std::string why;
};
// "1/8", and behind it perhaps a line "why=TEXT". Nothing: it is no such text.
std::optional<AskedShare> read_asked_share(std::string_view argument);

class PolicyShare {
 public:
  // budget: null: none.
  PolicyShare(Share& share, Budget* budget) : share_(share), budget_(budget), largest_(share.of()) {}

  // Says what is so from now on: the smallest counts of what is asked for here, on the command line, and by the budget.
  std::string ask(const AskedShare& asked);

 private:
  Share& share_;
  Budget* budget_;
  const std::uint32_t largest_;  // one connection in this number, from the command line
};

}  // namespace tailcap::capture::budget
