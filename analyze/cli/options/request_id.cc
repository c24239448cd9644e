#include "analyze/cli/options/request_id.h"

#include <charconv>
#include <cstdio>

#include "analyze/cli/output/complain.h"
#include "analyze/report/words/escape.h"

namespace tailcap::cli {

std::optional<model::ExchangeId> parse_id(const std::string& text) {
  model::ExchangeId id;
  const char* end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, id.connection);
  if (error != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, error2] = std::from_chars(dot + 1, end, id.index);
  if (error2 != std::errc{} || rest != end || id.connection == 0 || id.index == 0) return std::nullopt;
  return id;
}

int no_id(const char* command, const std::string& file, const std::string& name) {
  complain(
      command,
      "'" + report::printable(name) +
          "' is no request: they are called like 12.3, the third on connection 12; `slowest` and `@1`, the example of "
          "answer 1, name one, too. `tailcap requests " +
          report::printable(file) + "` lists them.");
  return 2;
}

int no_request(const char* command, const std::string& file, const std::string& name) {
  const std::string shown = report::printable(file);
  complain(command, shown + " holds no request " + report::printable(name) + ". `tailcap requests " + shown +
                        "` lists those it holds.");
  return 1;
}

}  // namespace tailcap::cli
