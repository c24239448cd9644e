#include "analyze/render/escape.h"
#include "analyze/report/compare/compare.h"
#include "analyze/report/compare/compare_words.h"
#include "analyze/report/words/escape.h"

namespace tailcap::report {

using model::gate::Comparison;
using model::gate::GateResult;
using model::gate::Verdict;

std::string compare_junit(const Comparison& c, bool undecided_fails) {
  std::string cases;
  std::size_t failures = 0, skipped = 0;
  for (const GateResult& g : c.gates) {
    const std::string route = g.found ? route_text(c.routes[g.route].name) : printable(g.gate.route);
    cases += "    <testcase classname=\"" + render::html(route) + "\" name=\"" + render::html(gate_text(g)) + "\"";
    if (g.verdict == Verdict::pass) {
      cases += "/>\n";
      continue;
    }
    const bool failure = g.verdict == Verdict::fail || undecided_fails;
    (failure ? failures : skipped) += 1;
    cases += std::string(">\n      <") + (failure ? "failure" : "skipped") + " message=\"" +
             render::html(gate_sentence(c, g)) + "\"/>\n    </testcase>\n";
  }
  const std::string counts = "tests=\"" + std::to_string(c.gates.size()) + "\" failures=\"" + std::to_string(failures) +
                             "\" skipped=\"" + std::to_string(skipped) + "\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + counts +
         ">\n  <testsuite name=\"tailcap compare\" " + counts + ">\n" + cases + "  </testsuite>\n</testsuites>\n";
}

}  // namespace tailcap::report
