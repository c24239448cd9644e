#include "analyze/plot/plot.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "analyze/plot/script.h"
#include "analyze/report/plots/study_charts.h"
#include "tests/unit/tail/sample_study.h"

namespace tailcap::plot {
namespace {

bool contains(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

model::PlotSet drawn(const model::Study& study, Format format = Format::svg, std::size_t routes = 12) {
  return draw(report::plots::charts_of(study, routes), format);
}

// The exit code of a program with `input` on its standard input.
int exit_of(const std::string& command, const std::string& input) {
  FILE* pipe = popen(command.c_str(), "w");
  fwrite(input.data(), 1, input.size(), pipe);
  return pclose(pipe);
}

TEST(Script, TextStaysText) {
  EXPECT_EQ(gnuplot_string("GET /users/{}"), "'GET /users/{}'");
  EXPECT_EQ(gnuplot_string("a'b"), "'a''b'");
  EXPECT_EQ(gnuplot_string("'; system('x'); '"), "'’; system(''x''); '''");
  EXPECT_EQ(gnuplot_string("a\nb\rc\x1b\x7f"),
            "'a?b?c?"
            "?'");
  EXPECT_EQ(gnuplot_string("`id`"), "'ˋidˋ'");
  EXPECT_EQ(gnuplot_string("\xff\xc0\xaf\xed\xa0\x80"), "'" + std::string(6, '?') + "'");
  EXPECT_EQ(gnuplot_string("\xc2\x9b"), "'?'");
  EXPECT_EQ(gnuplot_string("a\u202eb\u2028c"), "'a?b?c'");
  EXPECT_EQ(gnuplot_string("µ漢"), "'µ漢'");
  EXPECT_EQ(gnuplot_string(""), "''");
}

TEST(Script, LongTextLosesItsMiddle) {
  EXPECT_EQ(gnuplot_string("abcdefghij", 10), "'abcdefghij'");
  EXPECT_EQ(gnuplot_string("abcdefghijk", 10), "'abcde…hijk'");
  EXPECT_EQ(gnuplot_string(std::string(100, '\''), 5), "'’''…'''''");
}

class Draw : public testing::Test {
 protected:
  void SetUp() override {
    if (system("command -v gnuplot >/dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
  }
};

TEST_F(Draw, ThreeChartsForEachRouteAndOneForAll) {
  const auto s = tests::sample_study();
  const auto figures = drawn(s.study);
  ASSERT_EQ(figures.trouble, "");
  ASSERT_EQ(figures.drawn.size(), 1 + 3 * s.study.routes.size());
  EXPECT_EQ(figures.drawn[0].name, "latency");
  EXPECT_FALSE(figures.drawn[0].route);
  EXPECT_EQ(figures.drawn[2].name, "route-01-time");
  EXPECT_EQ(figures.drawn[2].route, 0u);
}

TEST_F(Draw, SameStudySameBytes) {
  const auto s = tests::hostile_study();
  const auto a = drawn(s.study), b = drawn(s.study);
  ASSERT_EQ(a.trouble, "");
  for (std::size_t i = 0; i < a.drawn.size(); ++i) EXPECT_EQ(a.drawn[i].image, b.drawn[i].image) << a.drawn[i].name;
}

TEST_F(Draw, ImagesAreWellFormed) {
  const auto s = tests::hostile_study();
  for (const auto& figure : drawn(s.study).drawn) {
    EXPECT_FALSE(contains(figure.image, "<script")) << figure.name;
    EXPECT_EQ(exit_of("python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.buffer.read())'",
                      figure.image),
              0)
        << figure.name;
  }
}

TEST_F(Draw, NamesFromACaptureRunNothing) {
  char place[] = "/tmp/tailcap-plot-test-XXXXXX";
  ASSERT_NE(mkdtemp(place), nullptr);
  const std::string owned = std::string(place) + "/owned";
  for (const std::string& evil :
       {"`touch " + owned + "`", "'; system('touch " + owned + "'); x='", "\n!touch " + owned + "\n",
        "$(touch " + owned + ")", "\"; system(\"touch " + owned + "\")", "\nEOD\nsystem('touch " + owned + "')\n",
        std::string("%s%n%d")}) {
    auto s = tests::sample_study();
    for (auto& route : s.study.routes) {
      route.route = evil;
      route.method = evil;
      route.comm = evil;
    }
    EXPECT_EQ(drawn(s.study).trouble, "") << evil;
    EXPECT_FALSE(std::filesystem::exists(owned)) << evil;
  }
  std::filesystem::remove_all(place);
}

TEST_F(Draw, PngFiles) {
  const auto s = tests::sample_study();
  const auto figures = drawn(s.study, Format::png, 1);
  ASSERT_EQ(figures.trouble, "");
  ASSERT_EQ(figures.drawn.size(), 4u);
  for (const auto& figure : figures.drawn) EXPECT_TRUE(figure.image.starts_with("\x89PNG")) << figure.name;
}

TEST_F(Draw, ALossOfAMicrosecondIsSeen) {
  auto s = tests::sample_study();
  const auto before = drawn(s.study).drawn[2];
  EXPECT_FALSE(contains(before.image, "events lost"));
  s.study.quality.losses = {{tests::at(3), tests::at(3) + formats::Duration{1000}, 1, "ring full: send"}};
  const auto after = drawn(s.study).drawn[2];
  EXPECT_TRUE(contains(after.image, "events lost"));
}

TEST_F(Draw, NoP99OfAHandful) {
  auto s = tests::sample_study();
  EXPECT_TRUE(contains(drawn(s.study).drawn[2].image, ">p99, where"));
  for (auto& p : s.study.routes[0].over_time) p.count = 99;
  EXPECT_FALSE(contains(drawn(s.study).drawn[2].image, ">p99, where"));
}

TEST_F(Draw, OddStudiesDoNotFail) {
  auto s = tests::sample_study();
  s.study.routes.resize(1);
  auto& route = s.study.routes[0];
  route.ccdf = {{tests::ms(1), 1}};  // one request
  route.over_time.resize(1);
  for (auto& band : route.bands) band.count = 0;
  route.bands[0].phases = {};
  EXPECT_EQ(drawn(s.study).trouble, "");
  route.ccdf = {{{}, 1}, {tests::ms(-1), 0.5}, {tests::ms(1e9), 1e-12}};
  route.over_time[0].p50 = route.over_time[0].p99 = {};
  EXPECT_EQ(drawn(s.study).trouble, "");
  for (int i = 0; i < 5000; ++i) s.study.quality.losses.push_back({tests::at(i * 0.006), tests::at(i * 0.006), 1, "x"});
  EXPECT_EQ(drawn(s.study).trouble, "");
  s.study.end = s.study.begin;
  EXPECT_EQ(drawn(s.study).trouble, "");
}

TEST(WithoutGnuplot, TheTroubleIsSaidAndNothingIsDrawn) {
  const auto s = tests::sample_study();
  const std::string path = getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const auto missing = drawn(s.study);
  EXPECT_TRUE(missing.drawn.empty());
  EXPECT_TRUE(contains(missing.trouble, "gnuplot is not installed")) << missing.trouble;

  char place[] = "/tmp/tailcap-plot-test-XXXXXX";
  ASSERT_NE(mkdtemp(place), nullptr);
  const std::string fake = std::string(place) + "/gnuplot";
  std::ofstream(fake) << "#!/bin/sh\necho no terminal for you >&2\nexit 1\n";
  std::filesystem::permissions(fake, std::filesystem::perms::owner_all);
  setenv("PATH", (std::string(place) + ":" + path).c_str(), 1);
  const auto failing = drawn(s.study);
  EXPECT_TRUE(failing.drawn.empty());
  EXPECT_TRUE(contains(failing.trouble, "gnuplot failed: no terminal for you")) << failing.trouble;
  setenv("PATH", path.c_str(), 1);
  std::filesystem::remove_all(place);
}

TEST(WithoutGnuplot, NothingToDrawIsSaid) { EXPECT_TRUE(contains(drawn({}).trouble, "nothing to draw")); }

}  // namespace
}  // namespace tailcap::plot
