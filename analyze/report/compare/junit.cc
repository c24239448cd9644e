#include "analyze/report/compare/junit.h"

#include "analyze/render/escape.h"
#include "analyze/report/compare/compare.h"
#include "analyze/report/compare/compare_words.h"
#include "analyze/report/words/escape.h"

namespace tailcap::report {

using model::gate::GateVerdict;

std::string junit_text(const std::string& suite, const std::vector<JunitCase>& cases, bool undecided_fails,
                       const JunitProperties& properties) {
  std::string body = "    <properties>\n";
  for (const auto& [name, value] : properties)
    body += "      <property name=\"" + render::html(name) + "\" value=\"" + render::html(value) + "\"/>\n";
  body += "    </properties>\n";
  std::size_t failures = 0, skipped = 0;
  for (const JunitCase& c : cases) {
    body += "    <testcase classname=\"" + render::html(c.group) + "\" name=\"" + render::html(c.name) + "\"";
    if (c.verdict == GateVerdict::pass) {
      body += "/>\n";
      continue;
    }
    const bool failure = c.verdict == GateVerdict::fail || undecided_fails;
    (failure ? failures : skipped) += 1;
    body += std::string(">\n      <") + (failure ? "failure" : "skipped") + " message=\"" + render::html(c.sentence) +
            "\"/>\n    </testcase>\n";
  }
  const std::string counts = "tests=\"" + std::to_string(cases.size()) + "\" failures=\"" + std::to_string(failures) +
                             "\" skipped=\"" + std::to_string(skipped) + "\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + counts + ">\n  <testsuite name=\"" + suite +
         "\" " + counts + ">\n" + body + "  </testsuite>\n</testsuites>\n";
}

std::string compare_junit(const model::gate::Comparison& c, bool undecided_fails, const std::string& tailcap) {
  std::vector<JunitCase> cases;
  for (const auto& g : c.gates)
    cases.push_back({g.found ? route_text(c.routes[g.route].name) : printable(g.gate.route), gate_text(g), g.verdict,
                     gate_sentence(c, g)});
  return junit_text("tailcap compare", cases, undecided_fails, {{"tailcap.version", tailcap}});
}

}  // namespace tailcap::report
