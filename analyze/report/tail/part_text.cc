#include "analyze/report/tail/part_text.h"

#include <optional>

#include "analyze/model/label_group.h"
#include "analyze/report/tail/culprit.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

using model::Label;
using model::Verdict;
using model::VerdictPart;

std::string mean_text(std::int64_t ns) { return duration_text(Duration{ns}); }

// "waiting for a lock at 0x1234 held by GET /a"
std::string blocked_text(model::Label label, const std::optional<model::CulpritStudy>& who,
                         const model::RequestTable& table, std::string_view own) {
  std::string out(state_text(label));
  if (who)
    if (const std::string by = culprit_text(*who, table.texts, own); !by.empty())
      out += (by.starts_with("ended by ") ? ", " : " ") + by;
  return out;
}

// The blocker's text ends with its name. That of a pool of connections may end with the place.
bool names(const std::optional<model::CulpritStudy>& who, const model::RequestTable& table) {
  const bool pool = who && who->label == Label::q_pool && who->what != 0;
  return who && !(pool && who->route == 0 && who->method == 0) && !culprit_text(*who, table.texts).empty();
}

// Empty: the answer is about several routes, or services share the name of its route.
std::string own_route(const Verdict& v, const model::Study& study) {
  if (v.routes.size() != 1 || study.routes[v.routes.front()].name_shared) return {};
  const model::RouteStudy& route = study.routes[v.routes.front()];
  return route_name(route.method, route.route);
}

// Between a wait and what was behind it: the relative pronoun needs a name before it.
std::string join_text(Label before, bool named, Label behind) {
  if (model::unexplained(behind)) return ", and that time is ";
  const model::LabelGroup group = model::group_of(before);
  const bool pronoun = named && (group == model::LabelGroup::lock || group == model::LabelGroup::downstream ||
                                 before == Label::send_sndbuf || before == Label::q_loop || before == Label::q_hol_h1 ||
                                 before == Label::q_pool);
  return pronoun ? ", which was " : "; meanwhile, what it waited for was ";
}

}  // namespace

std::string part_text(const VerdictPart& part, const model::RequestTable& table, std::string_view own) {
  std::optional<model::CulpritStudy> who = part.who;
  if (who && !part.chain.empty()) who->inside_time = 0;  // the chain says it
  std::string out = blocked_text(part.label, who, table, own);
  Label before = part.label;
  bool named = names(who, table);
  for (const model::VerdictStep& step : part.chain) {
    out += join_text(before, named, step.label) + blocked_text(step.label, step.who, table, {});
    before = step.label;
    named = names(step.who, table);
  }
  if (part.inferred) out += " (inferred)";
  return out;
}

std::string_view spent_text(model::Label label) { return model::unexplained(label) ? "is " : "is spent "; }

std::string parts_text(const Verdict& v, const model::Study& study, const model::RequestTable& table,
                       std::string_view of) {
  std::string out;
  for (const VerdictPart& part : v.parts) {
    out += out.empty() ? mean_text(part.slow) + std::string(of) + " " : ", and " + mean_text(part.slow) + " ";
    out += std::string(spent_text(part.label)) + part_text(part, table, own_route(v, study));
  }
  return out;
}

std::string causes_text(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
  std::string out, besides;
  std::uint64_t named = 0;
  for (const model::SlowCause& cause : v.by_cause) {
    const std::string what = mean_text(cause.part.slow) + " " + part_text(cause.part, table, own_route(v, study));
    if (cause.besides) {
      besides += " Besides, " + count_text(cause.requests) + " of the others take " + mean_text(cause.slow) +
                 " on average, " + what + ".";
      continue;
    }
    named += cause.requests;
    out += (out.empty() ? "" : "; ") + count_text(cause.requests) + " × " + what;
  }
  if (v.requests > named) out += "; " + count_text(v.requests - named) + " for other reasons";
  return out + "." + besides;
}

}  // namespace tailcap::report::tail
