#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "analyze/render/page.h"
#include "analyze/report/report.h"
#include "analyze/report/sections/quality_line.h"
#include "analyze/report/tail/bands.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/words.h"
#include "formats/event.h"
#include "tests/unit/tail/sample_study.h"

namespace tailcap::report::report_text_test {
namespace {

using tests::hostile_study;
using tests::sample_study;

ReportOptions options(std::size_t width = 100) {
  ReportOptions o;
  o.file = "slow.tcap";
  o.width = width;
  return o;
}

bool contains(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    most = std::max(most, columns(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  return most;
}

TEST(TextReport, FitsItsWidth) {
  const auto s = sample_study();
  for (const std::size_t width : {80, 100, 120})
    EXPECT_LE(widest(text_report(s.study, s.table, options(width))), width);
}

TEST(TextReport, SameStudySameBytes) {
  for (const bool hostile : {false, true}) {
    const auto a = hostile ? hostile_study() : sample_study(), b = hostile ? hostile_study() : sample_study();
    EXPECT_EQ(text_report(a.study, a.table, options()), text_report(b.study, b.table, options()));
    EXPECT_EQ(markdown_report(a.study, a.table, options()), markdown_report(b.study, b.table, options()));
    EXPECT_EQ(html_report(a.study, a.table, {}, options()), html_report(b.study, b.table, {}, options()));
  }
}

TEST(TextReport, BeginsWithWhetherToBelieveIt) {
  const auto good = sample_study();
  const std::string text = text_report(good.study, good.table, options());
  EXPECT_LT(text.find("no events lost"), text.find("Incoming requests"));
  EXPECT_LT(text.find("Incoming requests"), text.find("About this recording"));
  const auto bad = hostile_study();
  const std::string loud = text_report(bad.study, bad.table, options());
  EXPECT_LT(loud.find("events lost ("), loud.find("Incoming requests"));
  EXPECT_LT(loud.find("HEADERS WERE RECORDED AS SENT"), loud.find("recorded   "));
  EXPECT_TRUE(contains(loud, "1,204 LOST"));
  EXPECT_TRUE(contains(loud, "ring full: receive 172 between +3.200 s and"));
  EXPECT_TRUE(contains(loud, "DEFECT"));
}

TEST(TextReport, NoRequestsIsNoGoodNews) {
  model::Study study;
  model::RequestTable table;
  const std::string text = text_report(study, table, options());
  EXPECT_TRUE(contains(text, "No HTTP request was seen"));
  EXPECT_FALSE(contains(text, "Slowest"));
  EXPECT_FALSE(html_report(study, table, {}, options()).empty());
  EXPECT_FALSE(markdown_report(study, table, options()).empty());
}

// For the same routes all formats have the same sections in the same order, and every fact of the text.
TEST(Report, AllFormatsHaveTheSameSections) {
  for (const auto& s : {sample_study(), hostile_study()}) {
    auto o = options();
    o.routes = kRoutesInPage;
    o.details = kSectionsInPage;
    o.slowest = kSlowestInPage;
    const std::string text = text_report(s.study, s.table, o), md = markdown_report(s.study, s.table, o),
                      page = html_report(s.study, s.table, {}, o);
    std::size_t in_text = 0, in_md = 0, in_page = page.find("<body>");
    for (const std::string& title : render::headings(report_document(s.study, s.table, o))) {
      in_text = text.find(title.substr(0, 30), in_text);
      in_md = md.find(markdown(title), in_md);
      in_page = page.find(">" + html(title) + "<", in_page);
      EXPECT_NE(in_text, text.npos) << title;
      EXPECT_NE(in_md, md.npos) << title;
      EXPECT_NE(in_page, page.npos) << title;
    }
  }
}

TEST(TextReport, SaysWhatItLeavesOut) {
  const auto s = sample_study();
  auto o = options();
  o.routes = 2;
  EXPECT_TRUE(contains(text_report(s.study, s.table, o), "2 more routes with 4,345 requests not shown"));
}

TEST(Quantiles, RefusedAndLowerBoundsShowTheirReason) {
  model::Quantile refused{0.99, model::Support::refused, tests::ms(5), tests::ms(4), tests::ms(6),
                          100,  "too much was lost"};
  const QuantileText r = quantile_text(refused);
  EXPECT_EQ(r.value, "refused");
  EXPECT_TRUE(r.interval.empty());
  EXPECT_EQ(r.note, "too much was lost");
  model::Quantile lower{0.999, model::Support::lower_only, tests::ms(5), tests::ms(4), {}, 100, "too few"};
  const QuantileText l = quantile_text(lower);
  EXPECT_EQ(l.value, "≥ 4.00 ms");
  EXPECT_TRUE(l.interval.empty());
  EXPECT_EQ(l.note, "");  // the sign says it; signs_text explains it once
  model::Quantile silent{0.99, model::Support::refused, {}, {}, {}, 0, ""};
  EXPECT_NE(quantile_text(silent).note, "");  // never without a reason
  model::Quantile no_interval{0.99,       model::Support::no_interval, tests::ms(5), tests::ms(4), tests::ms(6), 100,
                              "one burst"};
  const QuantileText n = quantile_text(no_interval);
  EXPECT_EQ(n.value, "~5.00 ms");
  EXPECT_TRUE(n.interval.empty());
  EXPECT_EQ(n.note, "one burst");
  model::Quantile full{0.5, model::Support::full, tests::ms(5), tests::ms(4.8), tests::ms(5.1), 100, ""};
  const QuantileText f = quantile_text(full);
  EXPECT_EQ(f.value + " " + f.interval, "5.00 ms 4.80–5.10");
  EXPECT_EQ(f.note, "");
  EXPECT_EQ(quantile_name(0.999), "p99.9");
  EXPECT_EQ(quantile_name(0.5), "p50");
}

TEST(Quantiles, SignsAreExplainedWhereTheyOccur) {
  const auto s = sample_study();
  EXPECT_TRUE(contains(signs_text(s.study, model::Role::server), "≥ lower bound (too few"));
  EXPECT_TRUE(contains(signs_text(s.study, model::Role::server), "~ rough estimate ("));
  EXPECT_EQ(signs_text(s.study, model::Role::client), "");
  EXPECT_TRUE(contains(text_report(s.study, s.table, options()), "≥ lower"));
}

TEST(Bands, PartsAddUpToTheMean) {
  const auto s = sample_study();
  for (const auto& route : s.study.routes) {
    const BandTable table = band_table(route);
    for (std::size_t i = 0; i < table.names.size(); ++i) {
      double phases = 0, labels = 0, shares = 0;
      for (const auto& row : table.phases) {
        phases += row.cells[i].mean;
        shares += row.cells[i].share;
      }
      for (const auto& row : table.labels) labels += row.cells[i].mean;
      EXPECT_NEAR(phases, static_cast<double>(table.means[i].count()), 1);
      EXPECT_NEAR(labels, static_cast<double>(table.labelled_means[i].count()), 1);
      EXPECT_NEAR(shares, 1, 1e-9);
    }
  }
}

TEST(Bands, TheDifferenceNamesWhatGrewMost) {
  const auto s = sample_study();
  const std::string text = difference_text(s.study.routes[0]);
  EXPECT_TRUE(contains(text, "slowest 1 % take 35.0 ms longer than the fastest 50 %")) << text;
  EXPECT_TRUE(contains(text, "in the service")) << text;
  model::RouteStudy few;
  EXPECT_EQ(difference_text(few), "");
}

TEST(Bands, LabelsOfRequestsWithAnAccount) {
  auto route = sample_study().study.routes[0];
  const BandTable table = band_table(route);
  ASSERT_EQ(table.labels.size(), 2u);
  EXPECT_EQ(table.labels[0].name, "waiting for a lock");
  EXPECT_EQ(table.labelled_counts, table.counts);
  route.tail.reset();
  EXPECT_TRUE(band_table(route).labels.empty());
}

TEST(Bands, SlowestOfThoseInNoDoubtAreNotTheSlowest) {
  auto s = sample_study();
  auto& route = s.study.routes[0];
  EXPECT_EQ(doubt_text(route), "");
  route.latency_tainted = 500;
  for (auto& band : route.bands) band.count /= 2;
  route.latency[3].support = model::Support::refused;
  EXPECT_EQ(difference_text(route), "");
  EXPECT_TRUE(contains(doubt_text(route), "Only the 6,171 requests whose duration is in no doubt: 6,174 more may be"));
  EXPECT_TRUE(contains(text_report(s.study, s.table, options()), "whose duration is in no doubt"));
  EXPECT_TRUE(contains(html_report(s.study, s.table, {}, options()), "whose duration is in no doubt"));
  EXPECT_TRUE(contains(markdown_report(s.study, s.table, options()), "whose duration is in no doubt"));
}

TEST(Quality, EveryDamageTakesTheVerdict) {
  const auto good = sample_study();
  EXPECT_EQ(quality_line(good.study).tone, Tone::plain);
  auto s = good.study;
  s.quality.tainted = 1;
  EXPECT_EQ(quality_line(s).tone, Tone::care);
  s = good.study;
  s.quality.lost = 1;
  EXPECT_EQ(quality_line(s).tone, Tone::alarm);
  s = good.study;
  s.quality.losses.push_back({tests::at(1), tests::at(2), 0, "damaged block"});
  EXPECT_EQ(quality_line(s).tone, Tone::alarm);
  for (const auto state :
       {formats::CaptureState::truncated, formats::CaptureState::recovered, formats::CaptureState::recording}) {
    s = good.study;
    s.quality.file.state = state;
    EXPECT_EQ(quality_line(s).tone, Tone::alarm);
  }
  s = good.study;
  s.quality.findings.add(model::Finding::partition_mismatch);
  EXPECT_EQ(quality_line(s).tone, Tone::alarm);
}

TEST(Words, OutcomesThatAreNoSuccessSaySo) {
  model::Request row;
  row.status = 200;
  row.outcome = model::Outcome::ok;
  EXPECT_EQ(outcome_text(row), "200");
  row.outcome = model::Outcome::truncated;
  EXPECT_EQ(outcome_text(row), "200, truncated");
  row.status = 0;
  row.outcome = model::Outcome::no_response;
  EXPECT_EQ(outcome_text(row), "no response");
  row.outcome = model::Outcome::unknown;
  EXPECT_EQ(outcome_text(row), "outcome unknown");
}

TEST(HtmlReport, NothingFromACaptureBecomesMarkup) {
  const auto s = hostile_study();
  const std::string page = html_report(s.study, s.table, {}, options());
  EXPECT_FALSE(contains(page, "<script>alert"));
  EXPECT_FALSE(contains(page, "<b>"));
  EXPECT_FALSE(contains(page, "\x1b"));
  EXPECT_TRUE(contains(page, "&lt;script&gt;alert(1)"));
}

TEST(HtmlReport, RefersToNothingOutside) {
  const auto s = sample_study();
  const std::string page = html_report(s.study, s.table, {}, options());
  for (const auto* outside : {"http:", "https:", "//cdn", "src=", "<link", "@import", "url("})
    EXPECT_FALSE(contains(page, outside)) << outside;
  EXPECT_TRUE(contains(page, "default-src 'none'"));
}

// As a policy names a script.
std::string hash_by_python(std::string_view script) {
  char path[] = "/tmp/tailcap-script-XXXXXX";
  const int file = mkstemp(path);
  if (file < 0 || write(file, script.data(), script.size()) != static_cast<ssize_t>(script.size())) return "no file";
  close(file);
  // Other tests run python3, too.
  FILE* pipe = popen(("python3 -c 'import base64, hashlib, sys; "
                      "print(base64.b64encode(hashlib.sha256(open(sys.argv[1], \"rb\").read()).digest()).decode())' " +
                      std::string(path))
                         .c_str(),
                     "r");
  char line[128] = "";
  const bool read = fgets(line, sizeof line, pipe) != nullptr;
  pclose(pipe);
  unlink(path);
  return read ? "sha256-" + std::string(line).substr(0, 44) : "no answer";
}

// The page's policy allows only this script: with a wrong hash, nothing could be sorted.
TEST(HtmlReport, ThePolicyNamesTheScript) {
  EXPECT_EQ(hash_by_python(render::page_script()), render::page_script_hash());
  EXPECT_TRUE(contains(render::page("x", "y"), render::page_script_hash()));
  EXPECT_EQ(hash_by_python(render::instrument_script()), render::instrument_script_hash());
  const std::string page = render::page("x", "y", {"AAAA", {}});
  EXPECT_TRUE(contains(page, render::instrument_script_hash()));
  EXPECT_TRUE(contains(page, render::instrument_script()));
  EXPECT_FALSE(contains(page, render::page_script_hash()));
}

TEST(HtmlReport, ManyRoutesStayBounded) {
  auto s = sample_study();
  for (int i = 0; i < 1000; ++i) s.study.routes.push_back(tests::sample_route("GET", "/r" + std::to_string(i), 1, 100));
  const std::string page = html_report(s.study, s.table, {}, options());
  EXPECT_LT(page.size(), 600'000u);
  EXPECT_TRUE(contains(page, "954 more routes with 95,400 requests not shown here."));
}

TEST(HtmlReport, FiguresStandInTheirRoute) {
  const auto s = sample_study();
  model::PlotSet figures;
  figures.drawn.push_back({"latency", "all <together>", std::nullopt, "<svg>ALL</svg>"});
  figures.drawn.push_back({"route-02-time", "one", 1, "<svg>ONE</svg>"});
  PageParts parts;
  parts.figures = figures;
  const std::string page = html_report(s.study, s.table, parts, options());
  EXPECT_LT(page.find("<svg>ALL</svg>"), page.find("id=\"route-1\""));
  EXPECT_GT(page.find("<svg>ONE</svg>"), page.find("id=\"route-2\""));
  EXPECT_LT(page.find("<svg>ONE</svg>"), page.find("id=\"route-3\""));
  EXPECT_TRUE(contains(page, "all &lt;together&gt;"));
}

}  // namespace
}  // namespace tailcap::report::report_text_test
