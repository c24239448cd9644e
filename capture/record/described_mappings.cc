#include "capture/record/described_mappings.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "capture/host/clocks.h"

namespace tailcap::capture {

using namespace formats;

namespace {

// Limits of how long mappings wait for build-ids, and of how many wait; shorter at the end.
constexpr Duration kBuildIdPatience{2'000'000'000};
constexpr std::size_t kMappingsWaiting = 65536;
constexpr std::chrono::milliseconds kLastBuildIds{200};

}  // namespace

void DescribedMappings::describe(std::uint32_t pid, std::vector<scan::MappingFacts> mappings, Time now, bool at_once) {
  build_ids_.maps(pid);
  Described described{pid, now, std::move(mappings)};
  const std::size_t count = described.mappings.size();
  const bool room = waiting_mappings_ + count <= kMappingsWaiting;
  if (!push(described, now, at_once || !room) && room) {
    waiting_mappings_ += count;
    waiting_.push_back(std::move(described));
  }
}

bool DescribedMappings::push(const Described& described, Time now, bool anyway) {
  const auto& mappings = described.mappings;
  std::vector<std::optional<std::string>> ids;
  for (const auto& mapping : mappings) ids.push_back(build_ids_.of(mapping.file, described.asked));
  const bool whole = std::all_of(ids.begin(), ids.end(), [](const auto& id) { return id.has_value(); });
  for (std::size_t i = 0; i < mappings.size() && (whole || anyway); i++) {
    const auto& mapping = mappings[i];
    log_.push({now,
               {described.pid, described.pid},
               Mapping{mapping.start, mapping.end, mapping.file_offset, mapping.file.path,
                       ids[i] ? std::string_view(*ids[i]) : std::string_view()}});
  }
  return whole;
}

void DescribedMappings::push_known(Time now) { push_waiting(now, false); }

void DescribedMappings::push_rest() {
  if (!waiting_.empty()) build_ids_.wait(kLastBuildIds);
  push_waiting(monotonic_now(), true);
}

void DescribedMappings::push_waiting(Time now, bool anyway) {
  while (!waiting_.empty()) {
    const Described& first = waiting_.front();
    const bool over = anyway || now - first.asked >= kBuildIdPatience;
    if (!push(first, now, over) && !over) return;
    waiting_mappings_ -= first.mappings.size();
    waiting_.pop_front();
  }
}

}  // namespace tailcap::capture
