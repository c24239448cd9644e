#include "analyze/report/tail/part_text.h"

#include <optional>

#include "analyze/report/tail/culprit.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

using model::Verdict;
using model::VerdictPart;

std::string mean_text(std::int64_t ns) { return duration_text(Duration{ns}); }

// "waiting for a lock at 0x1234 held by GET /a"
std::string blocked_text(model::Label label, const std::optional<model::CulpritStudy>& who,
                         const model::RequestTable& table) {
  std::string out(model::text_of(label));
  if (who)
    if (const std::string by = culprit_text(*who, table.texts); !by.empty()) out += " " + by;
  return out;
}

}  // namespace

std::string part_text(const VerdictPart& part, const model::RequestTable& table) {
  std::optional<model::CulpritStudy> who = part.who;
  if (who && !part.chain.empty()) who->inside_time = 0;  // the chain says it
  std::string out = blocked_text(part.label, who, table);
  for (const model::VerdictStep& step : part.chain) out += ", there " + blocked_text(step.label, step.who, table);
  if (part.inferred) out += " (inferred)";
  return out;
}

std::string parts_text(const Verdict& v, const model::RequestTable& table) {
  std::string out;
  for (const VerdictPart& part : v.parts) {
    out += out.empty() ? mean_text(part.slow) + " of it " : ", and " + mean_text(part.slow) + " ";
    out += part_text(part, table);
  }
  return out;
}

std::string causes_text(const Verdict& v, const model::RequestTable& table) {
  std::string out, besides;
  std::uint64_t named = 0;
  for (const model::SlowCause& cause : v.by_cause) {
    const std::string what = mean_text(cause.part.slow) + " " + part_text(cause.part, table);
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
