// Forty requests with their responses, as sent on the wire, and the expected results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tailcap::synth {

struct Pair {
  std::string name;
  std::string request, response;
  std::string method, target;
  int status = 200;
  std::uint64_t request_bytes = 0;
  std::optional<std::uint64_t> response_bytes = 0;
  bool ends_by_fin = false;  // the response continues until the connection is closed
};

const std::vector<Pair>& pairs();

}  // namespace tailcap::synth
