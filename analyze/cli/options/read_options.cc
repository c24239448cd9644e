#include "analyze/cli/options/read_options.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/complain.h"
#include "analyze/model/wire/trace_context.h"
#include "analyze/query/literal.h"
#include "analyze/report/words/number.h"
#include "formats/bounds/process_bounds.h"
#include "formats/bounds/read_limits.h"
#include "formats/printable.h"

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

// "x-trace,x-span,x-flags".
model::TraceKeys trace_keys_of(std::string_view text) {
  const UsageError wrong("--trace-keys takes two or three names of header fields, like x-trace,x-span,x-flags, not '" +
                         formats::printable(text) + "'");
  std::vector<std::string> names(1);
  for (const char c : text) {
    if (c == ',')
      names.emplace_back();
    else
      names.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  if (names.size() < 2 || names.size() > 3) throw wrong;
  for (const std::string& name : names)
    if (name.empty() || name.find_first_of(" :\t") != name.npos) throw wrong;
  model::TraceKeys keys;
  keys.trace = names[0];
  keys.span = names[1];
  if (names.size() == 3) keys.flags = names[2];
  return keys;
}

}  // namespace

std::uint64_t byte_count_of(const char* option, const std::string& text) {
  if (const auto size = size_of(text)) return *size;
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::uint64_t factor = unit == "kB" ? 1000 : unit == "MB" ? 1'000'000 : unit == "GB" ? 1'000'000'000 : 0;
  if (error != std::errc{} || factor == 0 || n == 0 || n > kMostMemory / factor)
    throw UsageError(std::string(option) + " is a size like 24MB or 512MiB, not '" + formats::printable(text) + "'");
  return n * factor;
}

void set_read_options(const char* command, const std::string& max_memory, formats::Duration max_cpu,
                      std::optional<std::uint64_t> max_requests, const std::string& trace_keys) {
  formats::ReadLimits limits = formats::read_limits();  // a command may run others
  if (!max_memory.empty()) {
    const auto size = size_of(max_memory);
    if (!size || *size < kLeastMemory)
      throw UsageError("--max-memory is a size from 64MiB on, like 512MiB or 4GiB, not '" +
                       formats::printable(max_memory) + "'");
    limits.memory = *size;
    limits.memory_in_proportion = false;
  }
  if (max_requests) {
    limits.requests = *max_requests;
    limits.proportion = false;
  }
  if (max_cpu > formats::Duration{}) limits.processor = max_cpu;
  formats::set_read_limits(limits);
  formats::hold_to_limits(command);
  if (!trace_keys.empty()) model::name_trace_keys(trace_keys_of(trace_keys));
}

unsigned threads_from_environment() {
  const char* text = std::getenv("TAILCAP_THREADS");
  const auto n = query::parse_number(text == nullptr ? "" : text);
  return n && *n <= 256 ? static_cast<unsigned>(*n) : 0;
}

int report_stops(const char* command, int code) {
  for (const formats::Stopped& stop : formats::stopped_captures())
    complain(command, "reading " + stop.file + " stopped after " + report::duration_text(stop.after) +
                          " of the recording: " + formats::text_of(stop.reason) +
                          ". What comes later is not in this result.");
  return code == 0 && !formats::stopped_captures().empty() ? 3 : code;
}

}  // namespace tailcap::cli
