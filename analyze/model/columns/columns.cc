#include "analyze/model/columns/columns.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "analyze/model/columns/parts.h"

namespace tailcap::model::columns {
namespace {

constexpr ColumnGroup kGroups[] = {
    {"rpc", "of a gRPC call", [](const ColumnFacts& f) { return is_call(f.row); }},
    {"split", "of a client's request that was recorded at both ends: three times that sum to its duration",
     [](const ColumnFacts& f) { return f.split != nullptr; }},
    {"http2", "of an HTTP/2 stream", [](const ColumnFacts& f) { return f.row.stream != 0; }},
    {"phases", "times that sum to the duration; null: a milestone between them is not known",
     [](const ColumnFacts& f) { return f.row.has_phases; }},
    {"milestones", "when phases ended", [](const ColumnFacts& f) { return f.row.has_phases; }},
    {"setup", "of the first request on a connection whose set-up was seen",
     [](const ColumnFacts& f) { return f.row.setup != nullptr; }},
};

std::vector<RequestColumn> joined() {
  std::vector<RequestColumn> out;
  for (const auto part : {message_columns(), store_columns(), duration_columns(), origin_columns(), relation_columns(),
                          stream_columns(), phase_columns(), setup_columns(), table_columns()})
    out.insert(out.end(), part.begin(), part.end());
  for (RequestColumn& column : out) {
    const auto dot = column.name.find('.');
    column.member = column.name.substr(dot == column.name.npos ? 0 : dot + 1);
    if (dot == column.name.npos) continue;
    column.object = std::ranges::find(kGroups, column.name.substr(0, dot), &ColumnGroup::name);
    assert(column.object != std::end(kGroups));
  }
  return out;
}

}  // namespace

std::span<const RequestColumn> all() {
  static const std::vector<RequestColumn> columns = joined();
  return columns;
}

std::span<const RequestColumn* const> on(Surface surface) {
  using Places = std::array<std::vector<const RequestColumn*>, kSurfaces>;
  static const Places places = [] {
    Places out;
    for (std::size_t s = 0; s < kSurfaces; ++s) {
      const auto one = static_cast<Surface>(s);
      for (const RequestColumn& column : all())
        if (column.stands_on(one)) out[s].push_back(&column);
      std::stable_sort(out[s].begin(), out[s].end(), [&](const RequestColumn* a, const RequestColumn* b) {
        return a->on(one).place < b->on(one).place;
      });
    }
    return out;
  }();
  return places[static_cast<std::size_t>(surface)];
}

std::string description(const RequestColumn& column) {
  std::string out(column.says);
  if (!column.values) return out;
  const char* between = out.empty() ? "" : ": ";
  for (const std::string_view name : column.values()) {
    (out += between) += name;
    between = ", ";
  }
  return out;
}

}  // namespace tailcap::model::columns
