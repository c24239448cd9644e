#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "analyze/report/report.h"
#include "analyze/report/study/report_json.h"
#include "analyze/report/tail/difference_table.h"
#include "analyze/report/tail/routes.h"
#include "analyze/report/tail/sections.h"
#include "analyze/report/tail/sentence.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests {
namespace {

// A cart that is throttled and waits for a lock, a page without a fault, one with too few requests, and one that always
// waits for a worker.
TailCase shop() {
  TailCase c;
  c.table.partitions.set_groups({{"/kube/shop\x1b", 30'000'000, 100'000'000}});
  Ordinary service(7);
  double at = 0;
  std::vector<model::ExchangeId> restocks;
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
      std::vector<model::Culprit> culprits;
      if (service.uniform() < 0.01) {
        times.emplace_back(Label::sched_throttled, std::llround(20e6 + 50e6 * service.uniform()));
        culprits.push_back({Label::sched_throttled, times.back().second, 1, {}, 0});
      }
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
  if (const char* const folder = std::getenv("TAILCAP_TEST_OUT"))
    std::ofstream(std::string(folder) + "/" + name) << text;
}

TEST(TailReport, SaysItInASentence) {
  TailCase c = shop();
  const auto& study = c.run();
  c.study.quality.requests = c.study.quality.complete = c.table.rows.size();
  // What matters most comes first, with its size and who did it.
  ASSERT_FALSE(study.verdicts.empty());
  const std::string first = report::tail::sentence(study.verdicts.front(), study, c.table);
  EXPECT_EQ(first.rfind("GET /cart: the slowest 66 of 6,685 average ", 0), 0u) << first;
  EXPECT_NE(
      first.find(" ms of this is spent throttled by a CPU quota of cgroup /kube/shop\\x1b, 30.0 ms of every 100 ms"),
      std::string::npos)
      << first;
  std::string all;
  for (const auto& verdict : study.verdicts) all += report::tail::sentence(verdict, study, c.table) + "\n";
  EXPECT_NE(all.find("GET /pooled: every request takes about 7"), std::string::npos) << all;
  EXPECT_NE(all.find("waiting for a worker or a free connection."), std::string::npos) << all;
  report::ReportOptions options;
  options.file = "shop.tcap";
  const std::string text = report::text_report(study, c.table, options),
                    page = report::html_report(study, c.table, {}, options);
  EXPECT_NE(text.find("waiting for a lock at 0x7f001234 held by POST /restock"), std::string::npos);
  EXPECT_NE(page.find("held by POST /restock"), std::string::npos);
  EXPECT_NE(page.find("<strong>throttled by a CPU quota</strong>"), std::string::npos);
  write("shop.txt", text);
  write("shop.md", report::markdown_report(study, c.table, options));
  write("shop.json", report::json_report(study, c.table));
  write("shop.html", page);
}

// Digits only, so that "12.34" is 1234.
std::int64_t steps(const std::string& text) {
  std::string digits;
  for (const char ch : text)
    if (ch == '-' || (ch >= '0' && ch <= '9')) digits += ch;
  return std::stoll(digits);
}

TEST(TailReport, ColumnsAddUpToTheirLastDigit) {
  TailCase c = shop();
  const auto& study = c.run();
  for (const auto& route : study.routes) {
    if (!route.tail->compared()) continue;
    const auto table = report::tail::difference_table(*route.tail);
    std::int64_t slow = 0, typical = 0, more = 0;
    for (const auto& row : table.rows) {
      slow += steps(row.slow);
      typical += steps(row.typical);
      more += steps(row.more);
      EXPECT_EQ(steps(row.more), steps(row.slow) - steps(row.typical));
    }
    EXPECT_EQ(slow, steps(table.total.slow));
    EXPECT_EQ(typical, steps(table.total.typical));
    EXPECT_EQ(more, steps(table.total.more));
  }
}

TEST(TailReport, TextFromTheWireIsHarmless) {
  const std::string evil = "/<script>alert(1)</script>'\"\x1b[2J|`x`\n: the";
  TailCase c;
  Ordinary service(31);
  model::ExchangeId first;
  for (int i = 0; i < 3000; ++i) {
    auto times = service.next(0.005);
    std::vector<model::Culprit> culprits;
    if (i % 80 == 1) {
      times.emplace_back(Label::lock_futex, 60'000'000 + i);
      culprits.push_back({Label::lock_futex, 60'000'000 + i, 0x1234, first, 5});
    }
    const auto& row = c.add(evil, i * 5'000'000LL, times, culprits);
    if (i == 0) first = row.id;
    c.keep();
  }
  const auto& study = c.run();
  ASSERT_EQ(tail_of(study).verdict.parts.at(0).origin, model::Origin::service);
  ASSERT_FALSE(tail_of(study).culprits.empty());
  report::ReportOptions options;
  const std::string text = report::text_report(study, c.table, options),
                    page = report::html_report(study, c.table, {}, options),
                    md = report::markdown_report(study, c.table, options);
  for (const std::string* out : {&text, &page, &md}) EXPECT_EQ(out->find('\x1b'), std::string::npos);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(md.find("<script>alert"), std::string::npos);
  EXPECT_NE(page.find("held by GET /&lt;script&gt;"), std::string::npos);
}

}  // namespace
}  // namespace tailcap::tests
