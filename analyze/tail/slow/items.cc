#include "analyze/tail/slow/items.h"

#include <algorithm>
#include <bit>

#include "analyze/tail/rows/standing.h"

namespace tailcap::tail::slow {
namespace {

// Where each respect lies in a kind.
constexpr int kCalls = 0, kFirst = 4, kRetry = 5, kRequest = 6, kResponse = 13, kStatus = 20, kMethod = 24;
constexpr std::array<std::uint64_t, kLevels> kMasks = {
    ~0ull, ~0ull << kFirst, ~0ull << kRetry, ~0ull << kRequest, ~0ull << kResponse, ~0ull << kStatus, 0,
};

// Lost events of more than this share of a request make its labels doubtful.
constexpr double kLossyShare = 0.01;

std::uint64_t size_class(std::int64_t bytes) {
  return bytes < 0 ? 127 : static_cast<std::uint64_t>(std::bit_width(static_cast<std::uint64_t>(bytes)));
}

std::uint64_t kind_of(const model::Request& row, std::size_t calls, bool mixed) {
  std::uint64_t kind = std::min<std::uint64_t>(static_cast<std::uint64_t>(std::bit_width(calls)), 15) << kCalls;
  kind |= std::uint64_t{row.id.index == 1} << kFirst;
  kind |= std::uint64_t{row.attempt > 1} << kRetry;
  kind |= size_class(row.request_bytes) << kRequest | size_class(row.response_bytes) << kResponse;
  kind |= static_cast<std::uint64_t>(row.outcome) << kStatus;
  return mixed ? kind | std::uint64_t{row.method} << kMethod : kind;
}

}  // namespace

std::uint64_t kind_at(std::uint64_t kind, std::size_t level) { return kind & kMasks[level]; }

model::Crowd::Interval span_of(const model::RequestTable& table, const Item& item) {
  const std::int64_t start = formats::nanoseconds(table.rows.start(item.row));
  return {start, start + item.duration};
}

std::vector<Item> items_of(const model::RequestTable& table, const std::vector<std::uint32_t>& rows, const Links& links,
                           bool mixed) {
  std::vector<Item> out;
  out.reserve(rows.size());
  for (const std::uint32_t i : rows) {
    const auto parts = table.partitions.parts(table.rows.id(i));
    if (parts.empty()) continue;
    const model::Request row = table.rows[i];
    if (standing_of(row) != DurationStanding::clean) continue;
    std::int64_t total = 0, lost = 0;
    for (const model::AccountPart& p : parts) {
      total += p.time;
      if (p.label == model::Label::unexplained_lost) lost += p.time;
    }
    // The partition is responsible for its sum; what does not add up must not be averaged.
    if (total != row.duration.count() || total <= 0) continue;
    Item item;
    item.duration = total;
    item.row = i;
    item.parts = parts;
    item.kind = kind_of(row, links.calls_of(row.id).size(), mixed);
    item.lossy = static_cast<double>(lost) > kLossyShare * static_cast<double>(total);
    out.push_back(item);
  }
  return out;
}

Columns::Columns(std::span<const Item> items) {
  columns_.fill(-1);
  for (const Item& item : items)
    for (const model::AccountPart& p : item.parts) columns_[static_cast<std::size_t>(p.label)] = 0;
  for (std::size_t l = 0; l < model::kLabels; ++l) {
    if (columns_[l] < 0) continue;
    columns_[l] = static_cast<std::int8_t>(labels_.size());
    labels_.push_back(static_cast<model::Label>(l));
  }
}

}  // namespace tailcap::tail::slow
