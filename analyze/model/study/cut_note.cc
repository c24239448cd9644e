#include "analyze/model/study/cut_note.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace tailcap::model {
namespace {

constexpr std::string_view kRequests = "tailcap.cut.requests", kShown = "tailcap.cut.shown", kIds = "tailcap.cut.ids",
                           kRoute = "tailcap.cut.route.";
constexpr std::size_t kMaxIds = 100'000, kMaxRoutes = 1000;

template <class T>
bool take(std::string_view& text, T& value, char then) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.empty()) return true;
  if (text.front() != then) return false;
  text.remove_prefix(1);
  return true;
}

bool ids_from(std::string_view text, std::vector<ExchangeId>& ids) {
  while (!text.empty() && ids.size() < kMaxIds) {
    ExchangeId id;
    if (!take(text, id.connection, '.') || text.empty() || !take(text, id.index, ',')) return false;
    ids.push_back(id);
  }
  return std::is_sorted(ids.begin(), ids.end());
}

// "GET /cart/{}<TAB>server<TAB>4711,1000,2000,-1,-1,-1"
bool route_from(std::string_view text, CutRoute& route) {
  const std::size_t tab = text.find('\t'), second = text.find('\t', tab + 1);
  if (tab == text.npos || second == text.npos) return false;
  const std::string_view name = text.substr(0, tab), role = text.substr(tab + 1, second - tab - 1);
  const std::size_t space = name.find(' ');
  if (space == name.npos || (role != "server" && role != "client")) return false;
  route.method = name.substr(0, space);
  route.route = name.substr(space + 1);
  route.role = role == "server" ? Role::server : Role::client;
  text.remove_prefix(second + 1);
  if (!take(text, route.count, ',')) return false;
  for (auto& value : route.latency)
    if (text.empty() || !take(text, value, ',')) return false;
  return true;
}

}  // namespace

CutNote::Notes CutNote::to_notes() const {
  Notes notes;
  notes.emplace_back(kRequests, std::to_string(requests));
  notes.emplace_back(kShown, std::to_string(shown));
  std::string list;
  for (const ExchangeId id : ids)
    list += (list.empty() ? "" : ",") + std::to_string(id.connection) + "." + std::to_string(id.index);
  notes.emplace_back(kIds, list);
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const CutRoute& r = routes[i];
    std::string text = r.method + " " + r.route + "\t" + (r.role == Role::server ? "server" : "client") + "\t" +
                       std::to_string(r.count);
    for (const std::int64_t value : r.latency) text += "," + std::to_string(value);
    notes.emplace_back(std::string(kRoute) + std::to_string(i + 1), text);
  }
  return notes;
}

std::optional<CutNote> CutNote::from_notes(const Notes& notes) {
  CutNote out;
  bool requests = false, ids = false;
  for (const auto& [key, value] : notes) {
    std::string_view text = value;
    if (key == kRequests)
      requests = take(text, out.requests, '\0');
    else if (key == kShown)
      take(text, out.shown, '\0');
    else if (key == kIds)
      ids = ids_from(text, out.ids);
    else if (CutRoute route; key.starts_with(kRoute) && out.routes.size() < kMaxRoutes && route_from(text, route))
      out.routes.push_back(std::move(route));
  }
  if (!requests || !ids) return {};
  return out;
}

}  // namespace tailcap::model
