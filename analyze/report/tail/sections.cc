#include "analyze/report/tail/sections.h"

#include "analyze/report/escape.h"
#include "analyze/report/number.h"
#include "analyze/report/table.h"
#include "analyze/report/tail/difference_table.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words.h"

namespace tailcap::report::tail {
namespace {

using flow::RouteStudy;
using flow::TailStudy;
using flow::TailVerdict;

constexpr std::size_t kShortTitle = 60;
constexpr double kWorthALine = 0.01;  // of the time of the slow requests

bool compared(const RouteStudy& route) { return route.tail && route.tail->compared(); }

std::string_view text_of(flow::Exemplar::Why why) {
  constexpr std::string_view texts[] = {"the slowest", "the most like all of them", "the slowest for another reason"};
  return texts[static_cast<std::size_t>(why)];
}

}  // namespace

std::vector<Said> sentences(const flow::Study& study, const flow::TextPool& texts, std::size_t routes) {
  std::vector<Said> causes, others;
  std::string few;
  std::uint64_t needed = 0;
  std::size_t left = routes;
  for (const auto role : {flow::Role::server, flow::Role::client})
    for (const auto& route : study.routes) {
      if (route.role != role || left == 0) continue;
      --left;
      if (!route.tail) continue;
      if (route.tail->requests_needed > 0) {
        needed = route.tail->requests_needed;
        few += (few.empty() ? "" : ", ") + shortened(route_title(route), kShortTitle) + " (" +
               count_text(route.tail->requests) + ")";
        continue;
      }
      (route.tail->verdict == TailVerdict::cause ? causes : others).push_back({&route, sentence(route, texts)});
    }
  causes.insert(causes.end(), others.begin(), others.end());
  if (!few.empty())
    causes.push_back({nullptr, "Too few requests could be followed to compare slow ones with typical ones, " +
                                   count_text(needed) + " are needed: " + few + "."});
  return causes;
}

std::vector<std::string> notes(const TailStudy& tail, const flow::Study& study) {
  std::vector<std::string> out;
  out.push_back(
      "Means of the " + slow_name(tail) + " (" + bursts_text(tail, study.begin) + ") and of " +
      count_text(tail.typical) +
      " typical requests (40th to 60th percentile), weighted so that both are alike in method, status, sizes, "
      "connection and retries" +
      (tail.matched_loosely == 0
           ? ""
           : "; " + count_text(tail.matched_loosely, "slow request was", "slow requests were") +
                 " compared with less alike ones" +
                 (tail.matched_by_route == 0 ? ""
                                             : ", " + count_text(tail.matched_by_route) + " with any of the route")) +
      ".");
  out.push_back(
      "\"had it\": slow requests with more of it than 99 % of the typical ones have; chance alone makes that 1 % and "
      "more. \"mainly\": slow requests that it slowed down most." +
      std::string(tail.intervals
                      ? " Intervals: 95 %, within this recording, from " + count_text(tail.blocks) + " blocks of time."
                      : ""));
  out.push_back(honesty_text(tail));
  if (tail.slow_lossy != 0)
    out.push_back("Lost events cover parts of " + count_text(tail.slow_lossy, "slow request", "slow requests") +
                  " and of " + count_text(tail.typical_lossy, "typical one", "typical ones") + ".");
  return out;
}

std::vector<std::string> exemplar_lines(const TailStudy& tail, const flow::RequestTable& table) {
  std::vector<std::string> out;
  for (const auto& e : tail.exemplars)
    out.push_back(id_text(table.rows.id(e.row)) + " (" + duration_text(table.rows.duration(e.row)) + ", " +
                  std::string(text_of(e.why)) + "); typical of its kind: " + id_text(table.rows.id(e.typical)) + " (" +
                  duration_text(table.rows.duration(e.typical)) + ")");
  return out;
}

std::vector<std::string> culprit_lines(const TailStudy& tail, const flow::TextPool& texts) {
  std::vector<std::string> out;
  for (const auto& d : tail.labels)
    for (const auto& c : tail.culprits) {
      const std::string who = c.label == d.label ? culprit_text(c, texts) : "";
      if (who.empty() || static_cast<double>(c.time) <
                             kWorthALine * static_cast<double>(tail.slow_mean) * static_cast<double>(tail.slow))
        continue;
      std::string line = std::string(flow::text_of(c.label)) + " " + who + ": " + duration_text(Duration{c.time}) +
                         " in " + count_text(c.slow, "slow request", "slow requests");
      if (c.example.connection != 0)
        line += "; the longest, of " + id_text(c.held_up) + ", by " + id_text(c.example);
      else if (c.held_up.connection != 0)
        line += "; the longest of " + id_text(c.held_up);
      out.push_back(std::move(line));
    }
  return out;
}

std::string text_section(const RouteStudy& route, const flow::Study& study, const flow::RequestTable& requests,
                         std::size_t width) {
  if (!compared(route)) return {};
  const TailStudy& tail = *route.tail;
  const DifferenceTable differences = difference_table(tail);
  Table table({{Align::left, 30},
               {Align::right, 7},
               {Align::right, 7},
               {Align::right, 7},
               {Align::right, 12},
               {Align::right, 6},
               {Align::right, 6},
               {Align::right, 6},
               {}},
              "  ", 1);
  const std::string unit = ", " + differences.unit;
  table.row({"mean of a request" + unit, "slow", "typical", "more", "interval", "share", "had it", "mainly", ""});
  const auto add = [&](const DifferenceRow& r) {
    table.row({r.text, r.slow, r.typical, r.more, r.interval, r.share, r.with, r.dominant, r.notes});
  };
  for (const auto& r : differences.rows) add(r);
  add(differences.total);
  std::string out = table.text();
  for (const auto& line : culprit_lines(tail, requests.texts)) out += wrapped("  · ", line, width);
  for (const auto& line : exemplar_lines(tail, requests)) out += wrapped("  → ", line, width);
  for (const auto& line : notes(tail, study)) out += wrapped("  ", line, width);
  return out;
}

std::string markdown_section(const RouteStudy& route, const flow::Study& study, const flow::RequestTable& requests) {
  if (!compared(route)) return {};
  const TailStudy& tail = *route.tail;
  const DifferenceTable differences = difference_table(tail);
  std::string out = "| mean of a request, " + differences.unit +
                    " | slow | typical | more | 95 % interval | share | had it | mainly | |\n"
                    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n";
  const auto add = [&](const DifferenceRow& r, bool strong) {
    const std::string mark = strong ? "**" : "";
    out += "| " + mark + markdown(r.text) + mark;
    for (const auto* cell : {&r.slow, &r.typical, &r.more, &r.interval, &r.share, &r.with, &r.dominant, &r.notes})
      out += " | " + markdown(*cell);
    out += " |\n";
  };
  for (const auto& r : differences.rows) add(r, r.notes.substr(0, 5) == "cause");
  add(differences.total, true);
  out += "\n";
  for (const auto& line : culprit_lines(tail, requests.texts)) out += "- " + markdown(line) + "\n";
  for (const auto& line : exemplar_lines(tail, requests)) out += "- to look at: " + markdown(line) + "\n";
  for (const auto& line : notes(tail, study)) out += "\n" + markdown(line) + "\n";
  return out;
}

}  // namespace tailcap::report::tail
