#include "analyze/report/sections/name_lines.h"

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

std::string lookup_line(const model::NameStudy& n) {
  std::string text =
      (n.name.empty() ? "(the root)" : printable(n.name)) + ": " + count_text(n.lookups, "lookup", "lookups");
  if (!n.server.empty()) text += " at " + printable(n.server);
  if (n.timed == 1)
    text += ", " + duration_text(n.longest);
  else if (n.timed > 1)
    text += ", median " + duration_text(n.median) + ", longest " + duration_text(n.longest);
  if (n.repeated != 0)
    text += "; " + count_text(n.repeated) + " asked again, " + count_text(n.attempts, "time", "times") + " at most";
  for (const auto& [result, count] : n.failures) text += "; " + count_text(count) + " × " + printable(result);
  return text;
}

}  // namespace

std::vector<std::string> name_lines(const model::Study& study) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < study.names.size() && i < kNamesShown; ++i) out.push_back(lookup_line(study.names[i]));
  if (study.names.size() > kNamesShown)
    out.push_back("and " + count_text(study.names.size() - kNamesShown) + " more names; --json has them all");
  return out;
}

}  // namespace tailcap::report
