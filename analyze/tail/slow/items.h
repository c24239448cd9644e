// The requests of a route that can be compared: a trustworthy duration, and a partition that sums to it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "analyze/model/crowd.h"
#include "analyze/model/request.h"
#include "analyze/tail/slow/links.h"

namespace tailcap::tail::slow {

// There is one for every request of a route.
struct Item {
  std::int64_t duration = 0;
  std::uint64_t kind = 0;  // what it has in common with others, see kinds below
  std::uint32_t row = 0;
  bool lossy = false;  // its partition overlaps lost events

  model::AccountParts parts;
};
static_assert(sizeof(Item) == 32);

// From its start to its end.
model::Crowd::Interval span_of(const model::RequestTable& table, const Item& item);

// In the order of rows. `mixed`: the route is made of different methods and paths.
std::vector<Item> items_of(const model::RequestTable& table, const std::vector<std::uint32_t>& rows, const Links& links,
                           bool mixed);

// Requests are alike if they have the same kind. Less and less alike: of level 0 every respect counts, of the last
// none. From the first to go: calls made, first on its connection, a retry, size of the request, of the response,
// status and method.
inline constexpr std::size_t kLevels = 7;
std::uint64_t kind_at(std::uint64_t kind, std::size_t level);

// The labels that occur, and the number of each among those.
class Columns {
 public:
  explicit Columns(std::span<const Item> items);
  std::size_t size() const { return labels_.size(); }
  model::Label label(std::size_t column) const { return labels_[column]; }
  std::size_t of(model::Label label) const {
    return static_cast<std::size_t>(columns_[static_cast<std::size_t>(label)]);
  }  // one that occurs
  // Adds the request's time to sums, one per column.
  void add(const Item& item, std::span<double> sums, double weight = 1) const {
    for (const model::AccountPart& p : item.parts) sums[of(p.label)] += weight * static_cast<double>(p.time);
  }

 private:
  std::array<std::int8_t, model::kLabels> columns_{};
  std::vector<model::Label> labels_;
};

}  // namespace tailcap::tail::slow
