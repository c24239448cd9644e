#include "analyze/report/compare/functions.h"

#include <algorithm>

#include "analyze/report/compare/compare_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using model::gate::Comparison;
using model::gate::FunctionComparison;
using model::gate::FunctionRow;
using model::gate::Metric;

constexpr Metric kTime{Metric::Kind::label, 0};

std::string samples_text(const FunctionComparison& f) {
  return count_text(f.base_samples, "sample", "samples") + " inside requests of the base, " +
         count_text(f.fresh_samples) + " of the new runs";
}

}  // namespace

std::string function_sentence(const Comparison& c, const FunctionRow& row) {
  const auto& e = row.estimate;
  return route_text(c.routes[row.route].name) + ": " + change_text(kTime, e.difference) + " (" +
         interval_text(kTime, e) + ") a request on a CPU in " + printable(row.name) +
         (row.caller.empty() ? "" : ", called from " + printable(row.caller)) + ": " + value_text(kTime, e.base) +
         " → " + value_text(kTime, e.fresh) + ", " + count_text(row.base_samples) + " and " +
         count_text(row.fresh_samples, "sample", "samples");
}

std::vector<std::string> changed_functions(const Comparison& c) {
  std::vector<std::string> out;
  for (const FunctionRow& row : c.functions.rows) {
    if (!row.estimate.noticed) break;
    out.push_back(function_sentence(c, row));
  }
  return out;
}

void add_functions(const Comparison& c, render::Document& out) {
  const FunctionComparison& f = c.functions;
  if (!f.sampled) return;
  const std::vector<std::string> lines = changed_functions(c);
  out.heading(2, "Functions whose CPU time changed");
  out.list(lines);
  std::string note;
  if (!f.missing.empty())
    note = "Functions are not compared: " + printable(f.missing) + ". There are " + samples_text(f) + ".";
  else if (f.compared == 0)
    note = "No function has enough samples to be compared: there are " + samples_text(f) + ".";
  else if (lines.empty())
    note = "No change is certain in " + count_text(f.compared, "function", "functions") + ", with " + samples_text(f) +
           ".";
  else
    note = "Advisory: " + count_text(f.compared, "function was", "functions were") + " compared, with " +
           samples_text(f) + "; 5 % over all of them (Holm), without the functions that they call.";
  out.note(note);
}

}  // namespace tailcap::report
