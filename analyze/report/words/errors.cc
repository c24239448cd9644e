#include "analyze/report/words/errors.h"

#include "analyze/report/words/number.h"

namespace tailcap::report {

std::vector<std::string> error_parts(const model::ErrorCounts& errors, std::uint64_t of) {
  std::vector<std::string> out;
  const auto add = [&](std::uint64_t n, const char* what, bool share) {
    if (n == 0) return;
    out.push_back(count_text(n) + what + (share && of != 0 ? " (" + share_text(n, of) + ")" : ""));
  };
  add(errors.server, " × 5xx", true);
  add(errors.client, " × 4xx", errors.server == 0);
  add(errors.stores, errors.stores == 1 ? " error of a store" : " errors of stores", true);
  add(errors.other, " broken off", true);
  return out;
}

std::string errors_text(const model::ErrorCounts& errors, std::uint64_t of) {
  std::string text;
  for (const std::string& part : error_parts(errors, of)) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace tailcap::report
