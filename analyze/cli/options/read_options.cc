#include "analyze/cli/options/read_options.h"

#include <charconv>
#include <cstdint>
#include <string_view>

#include "analyze/cli/output/complain.h"
#include "analyze/report/number.h"
#include "formats/printable.h"
#include "formats/read_limits.h"

namespace tailcap::cli {
namespace {

// Less does not hold the blocks that are decoded ahead.
constexpr std::uint64_t kLeastMemory = 64u << 20;
constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 50;

// "512MiB", "4GiB", "4G": powers of 1024.
std::optional<std::uint64_t> size_of(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  int shift = -1;
  if (unit == "MiB" || unit == "M") shift = 20;
  if (unit == "GiB" || unit == "G") shift = 30;
  if (unit == "TiB" || unit == "T") shift = 40;
  if (error != std::errc{} || shift < 0 || n > kMostMemory >> shift) return std::nullopt;
  return n << shift;
}

std::optional<std::uint64_t> count_of(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n == 0) return std::nullopt;
  return n;
}

}  // namespace

std::optional<std::string> take_read_options(std::vector<char*>& arguments) {
  formats::ReadLimits limits;
  for (std::size_t i = 1; i < arguments.size();) {
    const std::string_view word = arguments[i], name = word.substr(0, word.find('='));
    if (word == "--") break;
    if (name != "--max-memory" && name != "--max-requests") {
      ++i;
      continue;
    }
    const bool joined = name.size() < word.size();
    if (!joined && i + 1 == arguments.size()) return std::string(name) + " needs a value";
    const std::string_view value = joined ? word.substr(name.size() + 1) : arguments[i + 1];
    if (name == "--max-memory") {
      const auto size = size_of(value);
      if (!size || *size < kLeastMemory)
        return "--max-memory is a size from 64MiB on, like 512MiB or 4GiB, not '" + formats::printable(value) + "'";
      limits.memory = *size;
    } else {
      const auto count = count_of(value);
      if (!count) return "--max-requests is a number from 1 on, not '" + formats::printable(value) + "'";
      limits.requests = *count;
      limits.proportion = false;
    }
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
    arguments.erase(at, at + (joined ? 1 : 2));
  }
  formats::set_read_limits(limits);
  return std::nullopt;
}

int report_stops(const char* command, int code) {
  for (const formats::Stopped& stop : formats::stopped_captures())
    complain(command, "reading " + stop.file + " stopped after " + report::duration_text(stop.after) +
                          " of the recording: " + formats::text_of(stop.reason) +
                          ". What comes later is not in this result.");
  return code == 0 && !formats::stopped_captures().empty() ? 3 : code;
}

}  // namespace tailcap::cli
