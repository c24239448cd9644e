#include "analyze/tail/rows/groups.h"

#include <algorithm>
#include <map>
#include <vector>

namespace tailcap::tail {

namespace {

constexpr std::size_t kMostLinks = 64;    // from a request to its parent
constexpr std::size_t kMostOfValue = 80;  // bytes

// Empty, or overwritten by the recorder: the value cannot distinguish requests.
bool only_asterisks(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c == '*'; });
}

}  // namespace

void Groups::push(const model::Exchange& exchange, model::TextPool& texts) {
  if (field_.empty()) return;
  const auto value = exchange.request_headers.find(field_);
  if (value && !only_asterisks(*value)) values_.emplace(exchange.id, texts.intern(value->substr(0, kMostOfValue)));
}

void Groups::settle(model::RequestTable& table) const {
  if (field_.empty()) return;
  auto& rows = table.rows;
  std::unordered_map<model::ExchangeId, std::size_t, Hash> places;
  for (std::size_t i = 0; i < rows.size(); ++i) places.emplace(rows.id(i), i);
  const auto value_of = [&](std::size_t i) {
    for (std::size_t n = 0; n < kMostLinks; ++n) {
      const model::ExchangeId id = rows.id(i);
      if (const auto own = values_.find(id); own != values_.end()) return own->second;
      const model::Cause* cause = table.causes.find(id);
      const model::ExchangeId next = rows.role(i) == model::Role::server ? rows.peer(i)
                                     : cause                             ? cause->parent
                                                                         : model::ExchangeId{};
      const auto at = places.find(next);
      if (next.connection == 0 || at == places.end()) break;
      i = at->second;
    }
    return model::TextId{};
  };
  std::vector<model::TextId> values(rows.size());
  std::map<model::TextId, std::size_t> counts;
  for (std::size_t i = 0; i < rows.size(); ++i) ++counts[values[i] = value_of(i)];
  std::vector<std::pair<std::size_t, model::TextId>> by_size;
  for (const auto& [value, n] : counts)
    if (value != model::TextId{}) by_size.emplace_back(n, value);
  std::sort(by_size.begin(), by_size.end(),
            [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::map<model::TextId, std::string> names = {{model::TextId{}, "no " + field_}};
  for (std::size_t n = 0; n < by_size.size(); ++n)
    names[by_size[n].second] =
        field_ + ": " + (n < kMaxGroups ? std::string(table.texts[by_size[n].second]) : "(other)");
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows.route(i) != model::TextId{})
      rows.set_route(i, table.texts.intern(std::string(table.texts[rows.route(i)]) + " [" + names[values[i]] + "]"));
}

}  // namespace tailcap::tail
