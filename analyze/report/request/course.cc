#include "analyze/report/request/course.h"

#include <algorithm>
#include <array>

#include "analyze/model/figure/figure.h"
#include "analyze/model/label_group.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kMaxLanes = 12;  // of requests below
constexpr std::size_t kMaxBeside = 20;

// "~": not measured but inferred.
std::string interval_name(const model::LabelledStretch& s) {
  const bool inferred = s.evidence == model::Evidence::inferred && !model::unexplained(s.label);
  return std::string(model::text_of(s.label)) + (inferred ? " ~" : "");
}

// "another GET /slow (2.152)" where the shown request is one, too.
std::string other_text(const model::Detail& detail, std::string title) {
  const model::RequestDetail& own = detail.request;
  const bool same = !own.method.empty() && own.path_known &&
                    title.starts_with(printable(own.method) + " " + printable(own.path) + " (");
  return same ? "another " + std::move(title) : std::move(title);
}

// "at 0x7f00, held by POST /restock (5.2), thread 18". Printable.
std::string interval_note(const model::Detail& detail, model::ExchangeId of, const model::LabelledStretch& s) {
  const model::Culprit& c = s.culprit;
  const bool call = s.label >= model::Label::down_dns && s.label <= model::Label::down_h2fc;
  const bool lock = s.label == model::Label::lock_futex || s.label == model::Label::lock_session ||
                    s.label == model::Label::lock_go_mutex;
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (const std::string where = where_text(c, detail.locks); !where.empty())
    add(s.label == model::Label::timer_sleep ? "in a wait " + where + " whose time limit expired" : where);
  if (const model::CpuGroup* group = model::group_of(c, detail.groups)) add(group_text(*group));
  if (const model::SocketPeer* peer = model::peer_of(c, detail.peers)) add(peer_text(*peer));
  if (c.request.connection != 0 && c.request != of && c.request != detail.request.row.id &&
      !(detail.request.row.peer == c.request && call))
    add(lock ? "held by " + other_text(detail, printable(detail.title_of(c.request)))
             : printable(detail.title_of(c.request)));
  if (c.tid != 0 && !call && (lock || c.request.connection == 0))
    add((lock && c.request.connection == 0        ? "woken by thread "
         : s.label == model::Label::sched_stopped ? "by thread "
                                                  : "thread ") +
        std::to_string(c.tid));
  return text;
}

void add_course_bars(const model::Detail& detail, const model::Course& course, Time zero, WaterfallLane& lane) {
  for (const auto& s : course.stretches)
    lane.bars.push_back({interval_name(s), std::string(model::colour_of(model::group_of(s.label))), s.from - zero,
                         s.to - s.from, interval_note(detail, course.request, s)});
}

std::string who(const model::Below& b) {
  const bool server = b.row.role == model::Role::server;
  std::string text = (server ? "served: " : "call: ") + printable(b.title) + " (" + id_text(b.row.id) + ")";
  if (server && !b.comm.empty()) text += " by " + printable(b.comm) + ", process " + std::to_string(b.row.pid);
  if (!server && !b.remote.empty()) text += " to " + printable(b.remote);
  return text;
}

}  // namespace

std::string labels_text(const model::RequestDetail& end) {
  if (!end.course || end.row.duration.count() <= 0) return {};
  constexpr std::size_t kFew = 4;
  std::array<Duration, model::kLabels> sums{};
  for (const auto& s : end.course->stretches) sums[static_cast<std::size_t>(s.label)] += s.to - s.from;
  Duration unexplained{};
  for (const auto& s : end.course->stretches)
    if (model::unexplained(s.label)) unexplained += s.to - s.from;
  if (unexplained * 2 > end.row.duration) return {};
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < sums.size(); ++i)
    if (sums[i] * 100 >= end.row.duration) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sums[a] > sums[b]; });
  std::string text;
  for (std::size_t i = 0; i < std::min(order.size(), kFew); ++i)
    text += (i == 0 ? "" : ", ") + std::string(model::text_of(static_cast<model::Label>(order[i]))) + " " +
            duration_text(sums[order[i]]) + " (" +
            share_text(static_cast<double>(sums[order[i]].count()), static_cast<double>(end.row.duration.count())) +
            ")";
  return text;
}

WaterfallLane course_lane(const model::Detail& detail, const model::RequestDetail& end, Time zero) {
  WaterfallLane lane{
      "why it took so long, at the " + std::string(model::name_of(end.row.role)) + " (~: inferred)", {}, {}, {}};
  if (end.course) add_course_bars(detail, *end.course, zero, lane);
  return lane;
}

std::vector<WaterfallLane> lanes_below(const model::Detail& detail, Time zero, std::vector<std::string>& beside) {
  std::vector<WaterfallLane> lanes;
  std::size_t left_out = 0, beside_left_out = 0;
  for (std::size_t i = 0; i < detail.below.size(); ++i) {
    const model::Below& b = detail.below[i];
    // If the other end was recorded, it is more informative than the call itself.
    const bool served = i + 1 < detail.below.size() && detail.below[i + 1].row.id == b.row.peer &&
                        !detail.below[i + 1].course.stretches.empty();
    if (!b.on_path) {
      if (b.row.role == model::Role::server) continue;
      if (beside.size() == kMaxBeside) {
        ++beside_left_out;
        continue;
      }
      std::string text = who(b) + (b.row.has_duration ? ", " + duration_text(b.row.duration) : "") + ", begun after " +
                         duration_text(b.row.start - zero);
      beside.push_back(text + (b.slack.count() > 0 ? "; could have taken " + duration_text(b.slack) + " longer" : ""));
      continue;
    }
    if (served || b.course.stretches.empty()) continue;
    if (lanes.size() == kMaxLanes) {
      ++left_out;
      continue;
    }
    WaterfallLane lane{who(b), {}, {}, {}};
    add_course_bars(detail, b.course, zero, lane);
    lanes.push_back(std::move(lane));
  }
  if (left_out + detail.below_left_out != 0 && !lanes.empty())
    lanes.back().others = count_text(left_out + detail.below_left_out, "more request below", "more requests below");
  if (beside_left_out != 0) beside.push_back("and " + count_text(beside_left_out) + " more");
  return lanes;
}

}  // namespace tailcap::report
