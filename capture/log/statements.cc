#include "capture/log/statements.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace tailcap::capture {
namespace {

constexpr std::size_t kMost = 4096;

// Every value of these counts, not only the last.
constexpr std::string_view kEachCounts[] = {"tailcap.left", "tailcap.pod", "tailcap.tls.way"};

}  // namespace

void Statements::note(formats::Time now, std::string_view key, std::string_view value) {
  log_.note(now, key, value);
  if (!repeated_) return;
  const bool each = std::find(std::begin(kEachCounts), std::end(kEachCounts), key) != std::end(kEachCounts);
  std::pair<std::string, std::string> id(key, each ? value : "");
  if (notes_.size() < kMost || notes_.contains(id)) notes_.insert_or_assign(std::move(id), std::string(value));
}

void Statements::repeat(formats::Time now, const formats::Masking& masking) {
  if (!repeated_) return;
  for (const auto& [id, value] : notes_) log_.note(now, id.first, value);
  const std::pair<const char*, std::uint64_t> sums[] = {{"tailcap.masking.streams", masking.streams},
                                                        {"tailcap.masking.foreign", masking.foreign},
                                                        {"tailcap.masking.doubtful", masking.doubtful},
                                                        {"tailcap.masking.withheld", masking.withheld}};
  for (const auto& [key, sum] : sums) log_.note(now, key, std::to_string(sum));
}

}  // namespace tailcap::capture
