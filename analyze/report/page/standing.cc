#include "analyze/report/page/standing.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "analyze/model/label_group.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/sections/origin_lines.h"
#include "analyze/report/sections/quality_line.h"
#include "analyze/report/tail/answer_of.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/pattern_text.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::page {
namespace {

using model::Chain;
using model::Culprit;
using model::ExchangeId;
using model::Label;
using model::Verdict;
using render::Cell;
using render::Column;
using render::Row;

constexpr std::size_t kLabelsNamed = 3;
constexpr double kWorthAWord = 0.01;  // of a duration
constexpr double kLeastShortage = 0.1;
constexpr std::uint64_t kLeastRequests = 5;  // fewer have nothing typical
constexpr std::size_t kRows = 30;            // of the tree
constexpr std::size_t kStandingTitle = 60;

Duration ns(std::int64_t n) { return Duration{n}; }

// "median 2.49 ms; typical requests: sleeping 2.06 ms, waiting for a lock 340 µs"
std::string typical_text(const model::RouteStudy& route) {
  std::string text = shortened(route_title(route), kStandingTitle) + ": ";
  const model::Quantile& median = route.latency.front();
  text += median.support == model::Support::refused
              ? count_text(route.count, "request", "requests")
              : "median " + quantile_text(median).value + " of " + count_text(route.count, "request", "requests");
  if (!route.tail || !route.tail->compared()) return text;
  std::vector<const model::LabelDifference*> most;
  for (const auto& d : route.tail->labels)
    if (static_cast<double>(d.typical) >= kWorthAWord * static_cast<double>(route.tail->typical_mean))
      most.push_back(&d);
  std::stable_sort(most.begin(), most.end(), [](const auto* a, const auto* b) { return a->typical > b->typical; });
  for (std::size_t i = 0; i < std::min(kLabelsNamed, most.size()); ++i)
    text += (i == 0 ? "; typical ones: " : ", ") + std::string(model::text_of(most[i]->label)) + " " +
            duration_text(ns(most[i]->typical));
  return text;
}

std::string verdict_text(const model::Request& row, const Verdict& v, const model::Study& study,
                         const model::RequestTable& table) {
  const std::string said = tail::sentence(v, study, table);
  if (said.empty()) return {};
  if (std::ranges::find(v.examples, row.id) != v.examples.end()) return "example of this answer: " + said;
  for (const model::Burst& b : v.when)
    if (b.requests > 1 && b.from <= row.start && row.start <= b.to)
      return "one of " + count_text(b.requests, "slow request", "slow requests") + " of the burst at " +
             burst_text(b, study.begin) + ": " + said;
  return "part of this answer: " + said;
}

// While it waited for a CPU itself, the recording does not tell it from the others that were queued.
std::string machine_text(const model::Request& row, const model::RequestTable& table) {
  double own = 0, others = 0;
  for (const model::AccountPart& part : table.partitions.parts(row.id))
    if (part.label == Label::sched_runq || part.label == Label::sched_preempted)
      own += static_cast<double>(part.time);
    else
      others += part.crowded_share() * static_cast<double>(part.time);
  const auto duration = static_cast<double>(row.duration.count());
  if (!row.has_duration || duration <= 0 || own + others < kLeastShortage * duration) return {};
  const auto part = [&](double time) {
    return duration_text(ns(std::llround(time))) + " (" + share_text(time, duration) + ")";
  };
  std::string text = "short of CPU: ";
  if (own > 0) text += part(own) + " without a CPU itself" + (others > 0 ? "; " : "");
  if (others > 0)
    text += "other recorded threads were queued for one during " + part(others) + (own > 0 ? " of the rest" : " of it");
  return text;
}

// Chains that begin alike, together.
struct Node {
  Culprit step;
  std::int64_t time = 0;
  bool several = false;
  bool beyond = false;  // what was behind all of it is not recorded
  std::vector<Node> next;
};

void add(const Chain& chain, std::vector<Node>& nodes) {
  std::vector<Node>* level = &nodes;
  for (std::size_t i = 0; i < chain.steps.size(); ++i) {
    const Culprit& step = chain.steps[i];
    auto at = std::ranges::find_if(*level, [&](const Node& n) {
      return n.step.label == step.label && n.step.request == step.request && n.step.what == step.what &&
             n.step.tid == step.tid;
    });
    if (at == level->end()) at = level->insert(level->end(), {step, 0, false, false, {}});
    at->time += chain.time;
    at->several = at->several || (chain.several >> i & 1) != 0;
    if (i + 1 == chain.steps.size()) at->beyond = at->beyond || chain.beyond_capture;
    level = &at->next;
  }
}

class Tree {
 public:
  Tree(const model::Request& row, const model::RequestTable& table, std::vector<Node> nodes)
      : row_(row), table_(table), nodes_(std::move(nodes)) {
    name(nodes_);
    const model::Rows& rows = table.all();
    for (std::size_t i = 0; i < rows.size() && !titles_.empty(); ++i)
      if (const auto at = titles_.find(rows.id(i)); at != titles_.end())
        at->second = shortened(request_title(rows[i], table.texts), kStandingTitle);
  }

  render::Table table() {
    out_.columns = {{"what it waited for, and what that did meanwhile", Column::Kind::name}, {"for"}, {"share"}};
    print(nodes_, 0);
    return std::move(out_);
  }

 private:
  void name(const std::vector<Node>& nodes) {
    for (const Node& node : nodes) {
      if (node.step.request.connection != 0) titles_.emplace(node.step.request, "a request");
      name(node.next);
    }
  }

  std::string text_of(const Node& node) const {
    const Culprit& c = node.step;
    std::string text(model::text_of(c.label));
    if (const std::string where = where_text(c, table_.partitions.locks()); !where.empty()) text += " " + where;
    if (const model::SocketPeer* peer = model::peer_of(c, table_.partitions.peers())) text += ", " + peer_text(*peer);
    if (c.request.connection != 0) {
      const bool lock = model::group_of(c.label) == model::LabelGroup::lock;
      const bool another =
          lock && titles_.at(c.request) == shortened(request_title(row_, table_.texts), kStandingTitle);
      text += (lock ? ", held by " : ", ") + std::string(another ? "another " : "") + titles_.at(c.request) + " (" +
              id_text(c.request) + (node.several ? " and others)" : ")");
    }
    if (c.tid != 0 && !node.several) text += ", thread " + std::to_string(c.tid);
    return text;
  }

  void print(std::vector<Node>& nodes, std::size_t depth) {
    std::stable_sort(nodes.begin(), nodes.end(), [](const Node& a, const Node& b) { return a.time > b.time; });
    for (Node& node : nodes) {
      const auto duration = static_cast<double>(row_.duration.count());
      if (out_.rows.size() >= kRows || static_cast<double>(node.time) < kWorthAWord * duration) continue;
      Row row;
      row.cells = {text_of(node), duration_cell(ns(node.time)), share_text(static_cast<double>(node.time), duration)};
      row.cells[0].indent = static_cast<std::uint8_t>(std::min<std::size_t>(depth, 6));
      if (depth > 0) row.cells[0].text = "└ " + row.cells[0].text;
      if (node.beyond && node.next.empty())
        row.below.emplace_back(render::Tone::plain, "what was behind it was not found in this capture");
      out_.rows.push_back(std::move(row));
      print(node.next, depth + 1);
    }
  }

  const model::Request& row_;
  const model::RequestTable& table_;
  std::vector<Node> nodes_;
  std::map<ExchangeId, std::string> titles_;
  render::Table out_;
};

}  // namespace

RequestStanding standing_of(ExchangeId id, const model::Study& study, const model::RequestTable& table) {
  RequestStanding out;
  std::uint32_t at = 0;
  while (at < table.rows.size() && table.rows.id(at) != id) ++at;
  if (at == table.rows.size()) return out;
  const model::Request row = table.rows[at];
  const auto say = [&](const char* label, std::string text) {
    if (!text.empty()) out.facts.push_back({Tone::plain, label, std::move(text)});
  };
  for (const NoteOnRequest& note : notes_of(study))
    if (note.request == id_text(id) || (row.peer.connection != 0 && note.request == id_text(row.peer)))
      say("note", note.text);
  const auto route = tail::route_of(study, table, row);
  if (route && study.routes[*route].count >= kLeastRequests) say("typical", typical_text(study.routes[*route]));
  tail::AnswerOf answers(study, table, {});
  if (const auto found = answers.verdict(row); found && study.verdicts[*found].of > 1) {
    const Verdict& own = study.verdicts[*found];
    say("verdict", verdict_text(row, own, study, table));
    if (own.part_of >= 0)
      say("explained by", tail::sentence(study.verdicts[static_cast<std::size_t>(own.part_of)], study, table));
  }
  say("machine", machine_text(row, table));
  if (const auto& q = study.quality; q.part_read())
    say("read",
        part_read_text(q) + ". What is typical and the verdict are those of this part" +
            (formats::known(q.read_from)
                 ? ", and of other connections no request is known that began before it; --whole reads everything"
                 : "; --whole reads everything"));
  if (const auto chains = table.chains.find(id); chains != table.chains.end()) {
    std::vector<Node> nodes;
    for (const Chain& chain : chains->second)
      if (!chain.steps.empty()) add(chain, nodes);
    if (!nodes.empty() && row.has_duration) out.behind = Tree(row, table, std::move(nodes)).table();
  }
  return out;
}

}  // namespace tailcap::report::page
