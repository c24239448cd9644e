#include "analyze/report/tail/verdicts.h"

#include <algorithm>
#include <set>

#include "analyze/model/label_group.h"
#include "analyze/report/charts/timed.h"
#include "analyze/report/sections/mishaps.h"
#include "analyze/report/tail/routes.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/request_id.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

using model::Verdict;
using model::VerdictLevel;
using render::Document;
using render::List;
using render::Text;

List::Accent accent_of(const Verdict& verdict) {
  switch (verdict.level) {
    case VerdictLevel::severe:
      return List::Accent::severe;
    case VerdictLevel::notable:
      return List::Accent::notable;
    default:
      return List::Accent::note;
  }
}

// The subject is a link to the route's section; what is waited for is emphasised.
Text linked(const std::string& text, const Verdict& verdict, const model::Study& study, std::size_t routes) {
  const std::string about = subject(verdict, study);
  Text out;
  std::string rest = text;
  if (verdict.scope == model::VerdictScope::route && text.starts_with(about) && verdict.routes.front() < routes) {
    out.runs.push_back({about, route_anchor(verdict.routes.front()), false});
    rest = text.substr(about.size());
  }
  for (const model::VerdictPart& part : verdict.parts) {
    const std::string_view label = model::text_of(part.label);
    const std::size_t at = rest.find(label);
    if (at == rest.npos) continue;
    out.runs.push_back({rest.substr(0, at)});
    out.runs.push_back({std::string(label), {}, true});
    rest = rest.substr(at + label.size());
  }
  out.runs.push_back({rest});
  return out;
}

constexpr std::size_t kExamples = 2;

// Requests of a service wait for each other: it may be how it works, or the beginning of worse.
bool queues(const Verdict& v) {
  const bool slow = v.kind == model::VerdictKind::usual || v.kind == model::VerdictKind::tail;
  if (!slow || v.scope == model::VerdictScope::machine || v.level == VerdictLevel::nothing || v.parts.empty() ||
      v.part_of >= 0)
    return false;
  const model::LabelGroup group = model::group_of(v.parts.front().label);
  return group == model::LabelGroup::lock || group == model::LabelGroup::queue;
}

// What a card on a page has beside the sentence.
void add_card(const Verdict& v, const model::Study& study, const ReportOptions& options, List::Item& item) {
  item.marks = {std::string(model::name_of(v.level))};
  if (!v.parts.empty()) {
    std::string origin = "origin: " + std::string(model::name_of(v.parts.front().origin));
    std::ranges::replace(origin, '_', ' ');
    item.marks.push_back(std::move(origin));
  }
  item.picture = charts::strip(v.when, study.begin, study.end);
  for (std::size_t i = 0; i < std::min(kExamples, v.routes.size()); ++i)
    if (!options.brief && v.routes[i] < options.routes)
      item.links.push_back({shortened(route_title(study.routes[v.routes[i]]), 40), route_anchor(v.routes[i])});
  std::size_t examples = 0;
  for (const model::ExchangeId id : v.examples)
    if (examples < kExamples && shown_in_time(options, id)) {
      item.links.push_back({id_text(id) + " in time", request_anchor(id)});
      ++examples;
    }
}

// A few are far slower than their cohort: the answer says nothing about them, so the report does not call all of them
// fine.
bool hides_the_slowest(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
  constexpr model::Duration kLong = std::chrono::milliseconds{20};
  constexpr std::int64_t kFar = 10;  // times the typical one
  if (v.kind != model::VerdictKind::tail || v.level == VerdictLevel::nothing || v.part_of >= 0 || v.routes.size() != 1)
    return false;
  const std::vector<std::uint32_t>& slowest = study.routes[v.routes.front()].slowest;
  if (slowest.empty()) return false;
  const model::Duration longest = table.rows.duration(slowest.front());
  return longest >= kLong && longest.count() >= kFar * v.typical;
}

}  // namespace

std::string answers_title(const model::Study& study) {
  const bool failing = std::ranges::any_of(study.verdicts, [](const Verdict& v) {
    return v.kind == model::VerdictKind::failing && v.level > VerdictLevel::nothing;
  });
  return failing ? "What failed or was slow, and why" : "What was slow, and why";
}

std::string verdict_anchor(std::size_t number) { return "answer-" + std::to_string(number); }

std::vector<model::Burst> episodes(const model::Study& study, std::optional<std::size_t> route) {
  std::vector<model::Burst> out;
  for (const Verdict& v : study.verdicts) {
    const bool every = v.pattern == model::Pattern::always || v.kind == model::VerdictKind::usual;
    const bool again = v.pattern == model::Pattern::recurring && v.scope != model::VerdictScope::machine;
    const bool about = v.scope == model::VerdictScope::machine ||
                       (route && std::ranges::find(v.routes, static_cast<std::uint32_t>(*route)) != v.routes.end());
    if (v.level == VerdictLevel::nothing || every || (route ? !about : again)) continue;
    out.insert(out.end(), v.when.begin(), v.when.end());
  }
  return out;
}

Answers answers(const model::Study& study, const model::RequestTable& table, const ReportOptions& options) {
  Answers out;
  out.list.boxed = out.list.numbered = true;
  std::size_t hidden = 0;
  std::set<std::uint32_t> part_of_others;  // routes
  for (std::size_t i = 0; i < study.verdicts.size(); ++i) {
    const Verdict& v = study.verdicts[i];
    if (v.level == VerdictLevel::nothing) continue;
    if (v.part_of >= 0 && v.level <= VerdictLevel::note) {
      part_of_others.insert(v.routes.begin(), v.routes.end());
      continue;
    }
    if (out.list.items.size() == options.sentences) {
      ++hidden;
      continue;
    }
    List::Item item{linked(sentence(v, study, table), v, study, options.brief ? 0 : options.routes), accent_of(v)};
    if (!v.examples.empty()) item.commands.push_back(show_command(options, v.examples.front()));
    item.anchor = verdict_anchor(out.list.items.size() + 1);
    if (options.page) add_card(v, study, options, item);
    out.list.items.push_back(std::move(item));
    out.verdicts.push_back(i);
    for (const auto route : v.routes)
      if (std::ranges::find(out.routes, route) == out.routes.end()) out.routes.push_back(route);
  }
  for (List::Item& item : mishaps(study, options)) {
    item.anchor = verdict_anchor(out.list.items.size() + 1);
    out.list.items.push_back(std::move(item));
  }
  const bool said = !out.list.items.empty();
  const bool notes =
      std::ranges::all_of(out.list.items, [](const List::Item& i) { return i.accent == List::Accent::note; });
  const bool open = std::ranges::any_of(
      study.verdicts, [&](const Verdict& v) { return queues(v) || hides_the_slowest(v, study, table); });
  if (said && notes && !open)
    out.calm = "Nothing is wrong, as far as recorded: no request failed or was slow enough to matter. Worth knowing:";
  std::size_t quiet = 0;
  for (const model::RouteStudy& route : study.routes)
    quiet += route.tail && route.tail->verdict.level == VerdictLevel::nothing;
  for (const std::uint32_t route : out.routes) part_of_others.erase(route);
  if (!part_of_others.empty())
    out.rest +=
        count_text(part_of_others.size(), "further route is", "further routes are") + " explained by the above. ";
  if (hidden > 0) out.rest += count_text(hidden, "more answer", "more answers") + " in the routes' sections. ";
  if (quiet > 0)
    out.rest += "Nothing unusual in " +
                count_text(quiet, said ? "other route" : "route", said ? "other routes" : "routes") + ". ";
  if (!out.rest.empty()) out.rest.pop_back();
  return out;
}

Document verdicts(const model::Study& study, const model::RequestTable& table, const ReportOptions& options) {
  Document out;
  Answers all = answers(study, table, options);
  if (all.empty()) return out;
  out.heading(2, answers_title(study));
  if (!all.calm.empty()) out.paragraph(all.calm);
  if (!all.list.items.empty()) out.add(std::move(all.list));
  if (!all.rest.empty()) out.note(all.rest);
  return out;
}

}  // namespace tailcap::report::tail
