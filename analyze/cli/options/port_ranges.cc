#include "analyze/cli/options/port_ranges.h"

#include <sstream>

#include "analyze/cli/options/command_line.h"
#include "analyze/query/literal.h"
#include "formats/printable.h"

namespace tailcap::cli {

std::vector<model::audit::PortRange> port_ranges_of(const char* option, const std::string& text) {
  std::vector<model::audit::PortRange> out;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto dash = part.find('-');
    const auto first = query::parse_number(part.substr(0, dash));
    const auto last = dash == std::string::npos ? first : query::parse_number(part.substr(dash + 1));
    if (!first || !last || *first < 1 || *last > 65535 || *first > *last)
      throw UsageError(std::string(option) + " takes ports like 3306,6000-6010, not '" + formats::printable(text) +
                       "'");
    out.push_back({static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)});
  }
  if (out.empty() && !text.empty()) throw UsageError(std::string(option) + " names no port");
  return out;
}

}  // namespace tailcap::cli
