#include "capture/tls/describe.h"

#include <algorithm>
#include <cstdio>

namespace tailcap::capture::tls {

LibraryDescription describe_library(const std::vector<PlannedFunction>& functions) {
  LibraryDescription out;
  std::size_t others = 0;
  for (const auto& function : functions) {
    if (function.places.empty()) {
      out.refused += (out.refused.empty() ? "" : "; ") + function.name + ": " + function.reason;
      continue;
    }
    if (function.places.size() < 2) {  // no calls that move data: one hit for a connection or an error
      others++;
      continue;
    }
    // A call passes the first place and one of the others.
    std::uint32_t later = 0;
    for (std::size_t i = 1; i < function.places.size(); i++) later = std::max(later, function.places[i].price);
    char price[32];
    std::snprintf(price, sizeof price, " %.1f µs", (function.places[0].price + later) / 1000.0);
    out.text += (out.text.empty() ? "" : ", ") + function.name + price;
  }
  if (!out.text.empty()) out.text += " a call";
  if (others) {
    out.text += (out.text.empty() ? "" : "; ") + std::to_string(others) + " function" + (others == 1 ? "" : "s") +
                " of handshakes, ends and errors 0.5 µs";
  }
  return out;
}

}  // namespace tailcap::capture::tls
