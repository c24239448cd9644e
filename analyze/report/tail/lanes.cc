#include "analyze/report/tail/lanes.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "analyze/model/label_group.h"
#include "analyze/render/bar.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

using formats::nanoseconds;

constexpr std::int64_t kLaneUnits = 10'000;  // width of a lane's coordinates
constexpr std::size_t kMostLanes = 16;
constexpr std::size_t kMostStretches = 600;  // drawn of one lane; shorter ones are not to be seen

struct Lane {
  model::ExchangeId request;
  std::size_t depth = 0;
  std::string note;
  bool other = false;  // another request, that held this one up: only what overlaps is drawn
};

std::string lane_title(const model::Request& row, const model::TextPool& texts) {
  const std::string comm = row.comm == 0 ? "?" : shortened(printable(texts[row.comm]), 20);
  return comm + (row.role == model::Role::server ? " serves " : " calls ") + shortened(request_title(row, texts), 50);
}

// In table.all().
std::optional<std::uint32_t> row_of(const model::RequestTable& table, model::ExchangeId id) {
  for (std::uint32_t i = 0; i < table.all().size(); ++i)
    if (table.all().id(i) == id) return i;
  return std::nullopt;
}

// The request, its other end, and below each the calls that it made, in order.
void add_lanes(model::ExchangeId id, std::size_t depth, std::string note, const model::RequestTable& table,
               std::span<const model::Course> courses, std::vector<Lane>& out) {
  const bool seen = std::any_of(out.begin(), out.end(), [&](const Lane& l) { return l.request == id; });
  if (id.connection == 0 || seen || out.size() >= kMostLanes) return;
  const model::Course* course = course_of(courses, id);
  if (!course) return;
  out.push_back({id, depth, std::move(note), false});
  for (const auto& call : course->calls)
    add_lanes(call.request, depth + 1, call.on_path ? "" : "beside the path, slack " + duration_text(call.slack), table,
              courses, out);
  if (const auto row = row_of(table, id))
    add_lanes(table.all().peer(*row), depth + (table.all().role(*row) == model::Role::client), "", table, courses, out);
}

// Those who held it up.
void add_others(model::ExchangeId id, const model::RequestTable& table, std::span<const model::Course> courses,
                std::vector<Lane>& out) {
  for (const model::Culprit& c : table.partitions.culprits(id)) {
    const bool seen = std::any_of(out.begin(), out.end(), [&](const Lane& l) { return l.request == c.request; });
    if (c.request.connection == 0 || seen || out.size() >= kMostLanes || !course_of(courses, c.request)) continue;
    out.push_back({c.request, 0,
                   "behind its " + duration_text(Duration{c.time}) + " " + std::string(model::text_of(c.label)), true});
  }
}

}  // namespace

const model::Course* course_of(std::span<const model::Course> courses, model::ExchangeId id) {
  const auto at = std::lower_bound(courses.begin(), courses.end(), id,
                                   [](const model::Course& c, model::ExchangeId i) { return c.request < i; });
  return at != courses.end() && at->request == id ? &*at : nullptr;
}

std::string course_bar(const model::Course& course, const model::NamedBlockers& named, std::int64_t from,
                       std::int64_t length) {
  const auto at = [&](formats::Time t) {
    const double share =
        static_cast<double>(nanoseconds(t) - from) / static_cast<double>(std::max<std::int64_t>(length, 1));
    return std::llround(std::clamp(share, 0.0, 1.0) * static_cast<double>(kLaneUnits));
  };
  ground::Svg out = render::bar_svg(kLaneUnits);
  std::size_t drawn = 0;
  for (const auto& s : course.stretches) {
    if (nanoseconds(s.to) <= from || nanoseconds(s.from) >= from + length) continue;
    const long long x = at(s.from), width = at(s.to) - x;
    if ((width == 0 && s.to - s.from < std::chrono::microseconds{1}) || drawn++ >= kMostStretches) continue;
    const model::CpuGroup* group = model::group_of(s.culprit, named.groups);
    const model::SocketPeer* peer = model::peer_of(s.culprit, named.peers);
    render::add_bar(out, x, std::max<long long>(width, 1), model::colour_of(model::group_of(s.label)),
                    std::string(model::text_of(s.label)) + ": " + exact_text(s.to - s.from) +
                        (s.evidence == model::Evidence::measured ? "" : ", inferred") +
                        (group ? "; " + group_text(*group) : "") + (peer ? "; " + peer_text(*peer) : ""));
  }
  return out.close("svg").take();
}

render::Table lanes_table(std::uint32_t row, const model::RequestTable& table, std::span<const model::Course> courses) {
  render::Table out;
  std::vector<Lane> lanes;
  add_lanes(table.rows.id(row), 0, "", table, courses, lanes);
  add_others(table.rows.id(row), table, courses, lanes);
  if (lanes.size() < 2) return out;
  std::int64_t from = nanoseconds(table.rows.start(row)), to = from + table.rows.duration(row).count();
  for (const Lane& lane : lanes)
    if (const model::Course* c = lane.other ? nullptr : course_of(courses, lane.request); c && !c->stretches.empty()) {
      from = std::min(from, nanoseconds(c->stretches.front().from));
      to = std::max(to, nanoseconds(c->stretches.back().to));
    }
  out.bars = true;
  out.columns = {{"", render::Column::Kind::name}, {"", render::Column::Kind::picture}, {}};
  for (const Lane& lane : lanes) {
    const auto at = row_of(table, lane.request);
    const model::Course* c = course_of(courses, lane.request);
    if (!at || !c) continue;
    const model::Request request = table.all()[*at];
    render::Cell name(lane_title(request, table.texts)), bar;
    name.indent = static_cast<std::uint8_t>(lane.depth);
    name.below = {id_text(lane.request) + (request.tid == 0 ? "" : " thread " + std::to_string(request.tid)) +
                  (lane.note.empty() ? "" : " " + lane.note)};
    bar.picture = course_bar(*c, model::NamedBlockers(table.partitions), from, to - from);
    out.rows.push_back({{std::move(name), std::move(bar), duration_text(request.duration)}});
  }
  return out;
}

}  // namespace tailcap::report::tail
