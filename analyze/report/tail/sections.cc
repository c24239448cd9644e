#include "analyze/report/tail/sections.h"

#include "analyze/report/tail/culprit.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

using model::TailStudy;

constexpr double kWorthALine = 0.01;  // of the time of the slow requests

}  // namespace

std::vector<std::string> notes(const TailStudy& tail, const model::Study& study) {
  std::vector<std::string> out;
  out.push_back(
      "Compares the " + (tail.slow == 1 ? std::string("slowest request") : slow_name(tail)) + " (" +
      bursts_text(tail, study.begin) + ") with " + count_text(tail.typical, "typical request", "typical requests") +
      " (40th to 60th percentile), weighted so that both are alike in method, status, sizes, connection and retries" +
      (tail.matched_loosely == 0
           ? ""
           : "; " + count_text(tail.matched_loosely, "slow request was", "slow requests were") +
                 " compared with less similar ones" +
                 (tail.matched_by_route == 0 ? ""
                                             : ", " + count_text(tail.matched_by_route) + " with any of the route")) +
      ".");
  out.push_back(
      "\"in % of slow\": share of slow requests with more of it than 99 % of the typical ones have; chance alone gives "
      "1 % or more. \"main reason in\": share of slow requests in which this is the largest delay." +
      std::string(tail.intervals ? " Intervals: 95 % confidence within this recording, from " +
                                       count_text(tail.blocks) + " blocks of time."
                                 : ""));
  out.push_back(honesty_text(tail));
  if (tail.slow_lossy != 0)
    out.push_back(
        (study.quality.lost == 0 ? "The kernel did not report all that happened in " : "Lost events cover parts of ") +
        count_text(tail.slow_lossy, "slow request", "slow requests") + " and of " +
        count_text(tail.typical_lossy, "typical one", "typical ones") + ".");
  return out;
}

std::vector<std::string> culprit_lines(const TailStudy& tail, const model::TextPool& texts) {
  std::vector<std::string> out;
  for (const auto& d : tail.labels)
    for (const auto& c : tail.culprits) {
      const std::string who = c.label == d.label ? culprit_text(c, texts) : "";
      if (who.empty() || static_cast<double>(c.time) <
                             kWorthALine * static_cast<double>(tail.slow_mean) * static_cast<double>(tail.slow))
        continue;
      std::string line = std::string(model::text_of(c.label)) + " " + who + ": " +
                         duration_text(Duration{std::int64_t{c.time}}) + " in " +
                         count_text(c.slow, "slow request", "slow requests");
      if (c.example.connection != 0)
        line += "; the longest delayed " + id_text(c.held_up) + ", because of " + id_text(c.example);
      else if (c.held_up.connection != 0)
        line += "; the longest delayed " + id_text(c.held_up);
      out.push_back(std::move(line));
    }
  return out;
}

}  // namespace tailcap::report::tail
