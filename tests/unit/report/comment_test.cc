// The comment on a change: it fits on a screen, and says each thing once.
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "analyze/render/document.h"
#include "analyze/report/compare/compare.h"

namespace tailcap::report {
namespace {

using model::gate::Comparison;
using model::gate::Count;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::Metric;

Metric count(Count which) { return {Metric::Kind::count, static_cast<std::uint8_t>(which)}; }

model::gate::GateEstimate one_more() {
  model::gate::GateEstimate out;
  out.known = out.levels = out.exact = out.noticed = true;
  out.base = out.difference = out.low = out.high = 1;
  out.fresh = 2;
  out.p_two = 0;
  return out;
}

GateResult gate(Metric metric, std::size_t route, GateVerdict verdict) {
  GateResult out;
  out.gate.metric = metric;
  out.route = route;
  out.found = true;
  out.verdict = verdict;
  out.estimate = one_more();
  return out;
}

// One more call in each of some routes.
Comparison with_routes(std::size_t routes) {
  Comparison out;
  out.verdict = GateVerdict::fail;
  out.base_runs = out.fresh_runs = 4;
  for (std::size_t i = 0; i < routes; ++i) {
    auto& route = out.routes.emplace_back();
    route.name.method = "GET";
    route.name.route = "/r" + std::to_string(i);
    route.callees.push_back({"GET /stock" + std::to_string(i), 1, 2});
    for (const Count which : {Count::calls, Count::same_calls}) route.metrics.push_back({count(which), one_more()});
    out.gates.push_back(gate(count(Count::calls), i, GateVerdict::fail));
  }
  return out;
}

std::vector<std::string> lines_of(const Comparison& c) {
  std::istringstream text(render::to_markdown(comment_document(c)));
  std::vector<std::string> out;
  for (std::string line; std::getline(text, line);)
    if (!line.empty()) out.push_back(line);
  return out;
}

std::size_t lines_with(const std::vector<std::string>& lines, const std::string& words) {
  return static_cast<std::size_t>(
      std::ranges::count_if(lines, [&](const std::string& line) { return line.find(words) != line.npos; }));
}

TEST(Comment, BeginsWithWhatAReviewerHasToKnow) {
  const auto lines = lines_of(with_routes(1));
  EXPECT_EQ(lines.front(),
            "### ❌ tailcap: calls of GET /r0 +1 (exact); 2 calls of \\`GET /stock0\\` a request, 1 before");
  EXPECT_EQ(lines_with(lines, "/stock0"), 1U) << "calls and same_calls say the same";
  EXPECT_EQ(lines_with(lines, "| **fail** | calls"), 1U);
}

TEST(Comment, HasNoMoreLinesThanItPromises) {
  for (const std::size_t routes : {1U, 4U, 8U, 40U}) {
    Comparison c = with_routes(routes);
    for (std::size_t i = 0; i < routes; ++i) {
      c.not_gated.push_back("p99 of GET /r" + std::to_string(i) + ": 40 requests in a run: needs 500");
      c.remarks.push_back("remark " + std::to_string(i));
      c.uneven.push_back("rates differ " + std::to_string(i));
      c.gates.push_back(gate({Metric::Kind::p99}, i, GateVerdict::undecided));
    }
    const auto lines = lines_of(c);
    EXPECT_LE(lines.size(), kCommentLines);
    EXPECT_EQ(lines.back(), "</details>");
    EXPECT_EQ(lines_with(lines, "more: on the page."), routes > 1 ? 1U : 0U);
    EXPECT_EQ(lines_with(lines, "| **fail** |"), std::min<std::size_t>(routes, 7));
  }
}

TEST(Comment, OfAPassNamesWhatWasNotJudged) {
  Comparison c = with_routes(1);
  c.verdict = c.gates.front().verdict = GateVerdict::pass;
  c.not_gated = {"p99 of GET /r0: 40 requests in a run: needs 500"};
  const auto lines = lines_of(c);
  EXPECT_EQ(lines.front(), "### ✅ tailcap: no regression, by 1 gate; not judged: p99 of GET /r0");
  EXPECT_EQ(lines_with(lines, "needs 500"), 1U);
}

TEST(Comment, OfUndecidedGatesSaysWhatIsMissingOnce) {
  Comparison c = with_routes(1);
  c.verdict = c.gates.front().verdict = GateVerdict::undecided;
  c.gates.front().missing = {"needs 3 more runs"};
  const auto lines = lines_of(c);
  EXPECT_TRUE(lines.front().starts_with("### ⚠️ tailcap: not decided: calls of GET /r0")) << lines.front();
  EXPECT_EQ(lines_with(lines, "needs 3 more runs"), 1U);
}

}  // namespace
}  // namespace tailcap::report
