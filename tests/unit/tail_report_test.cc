#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "analyze/report/html.h"
#include "analyze/report/json.h"
#include "analyze/report/tail/difference_table.h"
#include "analyze/report/tail/sections.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/text.h"
#include "tests/unit/tail_case.h"

namespace tailcap::tests {
namespace {

// A cart that is throttled and waits for a lock, a page without a fault, one with too few requests, one that always waits for a worker.
TailCase shop() {
  TailCase c;
  Ordinary service(7);
  double at = 0;
  std::vector<flow::ExchangeId> restocks;
  for (int i = 0; i < 12'000; ++i) {
    const double gap = service.exponential(1.0 / 400);
    at += gap;
    const auto start = std::llround(at * 1e9);
    auto times = service.next(gap);
    if (i % 40 == 0) {
      auto& row = c.add("/restock", start, {{Label::cpu_user, 2'000'000}, {Label::io_disk, 4'000'000}});
      row.method = c.table.texts.intern("POST");
      restocks.push_back(row.id);
      c.keep();
    } else if (i % 3 == 0) {
      c.add("/page", start, times);
      c.keep();
    } else if (i % 7 == 0) {
      times.emplace_back(Label::q_pool, std::llround(60e6 * std::exp(0.05 * service.normal())));
      c.add("/pooled", start, times);
      c.keep();
    } else {
      std::vector<flow::Culprit> culprits;
      if (service.uniform() < 0.01) times.emplace_back(Label::sched_throttled, std::llround(20e6 + 50e6 * service.uniform()));
      if (service.uniform() < 0.03) {
        const auto ns = std::llround(service.exponential(9e6));
        times.emplace_back(Label::lock_futex, ns);
        culprits.push_back({Label::lock_futex, ns, 0x7f001234, restocks.back(), 77});
      }
      if (service.uniform() < 0.004) times.emplace_back(Label::unexplained_nocarrier, 9'000'000);
      c.add("/cart", start, times, culprits);
      c.keep();
    }
  }
  return c;
}

void write(const std::string& name, const std::string& text) {
  if (const char* const folder = std::getenv("TAILCAP_TEST_OUT")) std::ofstream(std::string(folder) + "/" + name) << text;
}

TEST(TailReport, SaysItInASentence) {
  TailCase c = shop();
  const auto& study = c.run();
  c.study.quality.requests = c.study.quality.complete = c.table.rows.size();
  const auto lines = report::tail::sentences(study, c.table.texts, 8);
  for (const auto& l : lines) std::printf("%s\n", l.text.c_str());
  report::ReportOptions options;
  options.file = "shop.tcap";
  write("shop.txt", report::text_report(study, c.table, options));
  write("shop.md", report::markdown_report(study, c.table, options));
  write("shop.json", report::json_report(study, c.table));
  write("shop.html", report::html_report(study, c.table, {}, options));
}

}  // namespace
}  // namespace tailcap::tests
