#include "analyze/plot/plot.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "analyze/plot/script.h"
#include "tests/unit/tail/sample_study.h"

namespace tailcap::plot {
namespace {

bool contains(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

// The exit code of a program with `input` on its standard input.
int exit_of(const std::string& command, const std::string& input) {
  FILE* pipe = popen(command.c_str(), "w");
  fwrite(input.data(), 1, input.size(), pipe);
  return pclose(pipe);
}

TEST(Script, TextStaysText) {
  EXPECT_EQ(quoted("GET /users/{}"), "'GET /users/{}'");
  EXPECT_EQ(quoted("a'b"), "'a''b'");
  EXPECT_EQ(quoted("'; system('x'); '"), "'''; system(''x''); '''");
  EXPECT_EQ(quoted("a\nb\rc\x1b\x7f"),
            "'a?b?c?"
            "?'");
  EXPECT_EQ(quoted("`id`"), "'ˋidˋ'");
  EXPECT_EQ(quoted("\xff\xc0\xaf\xed\xa0\x80"), "'" + std::string(6, '?') + "'");
  EXPECT_EQ(quoted("\xc2\x9b"), "'?'");
  EXPECT_EQ(quoted("a\u202eb\u2028c"), "'a?b?c'");
  EXPECT_EQ(quoted("µ漢"), "'µ漢'");
  EXPECT_EQ(quoted(""), "''");
}

TEST(Script, LongTextLosesItsMiddle) {
  EXPECT_EQ(quoted("abcdefghij", 10), "'abcdefghij'");
  EXPECT_EQ(quoted("abcdefghijk", 10), "'abcde…hijk'");
  EXPECT_EQ(quoted(std::string(100, '\''), 5), "'''''…'''''");
}

TEST(Script, NumbersAreNumbers) {
  EXPECT_EQ(number(0.00125), "0.00125");
  EXPECT_EQ(number(1e-7), "1e-07");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "NaN");
  Data data("$d");
  data.row({1, 2.5});
  data.gap();
  EXPECT_EQ(data.text(), "$d << EOD\n1 2.5\n\nEOD\n");
}

TEST(Script, TicksOfDurations) {
  EXPECT_EQ(duration_ticks(0.00005, 2), "('100 µs' 0.0001, '1 ms' 0.001, '10 ms' 0.01, '100 ms' 0.1, '1 s' 1)");
  EXPECT_EQ(duration_ticks(0.9e-3, 15e-3), "('1 ms' 0.001, '2 ms' 0.002, '5 ms' 0.005, '10 ms' 0.01)");
  EXPECT_EQ(duration_ticks(0.9e-3, 6e-3),
            "('1 ms' 0.001, '1.5 ms' 0.0015, '2 ms' 0.002, '3 ms' 0.003, '4 ms' 0.004, '5 ms' 0.005)");
  EXPECT_EQ(duration_ticks(14e-6, 26e-6), "('15 µs' 1.5e-05, '20 µs' 2e-05, '25 µs' 2.5e-05)");
  EXPECT_EQ(duration_ticks(110e-3, 260e-3), "('120 ms' 0.12, '150 ms' 0.15, '200 ms' 0.2, '250 ms' 0.25)");
  EXPECT_EQ(duration_ticks(50, 2000),
            "('50 s' 50, '100 s' 100, '200 s' 200, '500 s' 500, '1000 s' 1000, '2000 s' 2000)");
}

class Draw : public testing::Test {
 protected:
  void SetUp() override {
    if (system("command -v gnuplot >/dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
  }
};

TEST_F(Draw, ThreeChartsForEachRouteAndOneForAll) {
  const auto s = tests::sample_study();
  const auto figures = draw(s.study, {});
  ASSERT_EQ(figures.trouble, "");
  ASSERT_EQ(figures.drawn.size(), 1 + 3 * s.study.routes.size());
  EXPECT_EQ(figures.drawn[0].name, "latency");
  EXPECT_FALSE(figures.drawn[0].route);
  EXPECT_EQ(figures.drawn[2].name, "route-01-time");
  EXPECT_EQ(figures.drawn[2].route, 0u);
}

TEST_F(Draw, SameStudySameBytes) {
  const auto s = tests::hostile_study();
  const auto a = draw(s.study, {}), b = draw(s.study, {});
  ASSERT_EQ(a.trouble, "");
  for (std::size_t i = 0; i < a.drawn.size(); ++i) EXPECT_EQ(a.drawn[i].image, b.drawn[i].image) << a.drawn[i].name;
}

TEST_F(Draw, EmbeddedImagesAreWellFormedAndKeepOutOfEachOthersWay) {
  const auto s = tests::hostile_study();
  std::string all = "<page>";
  for (const auto& figure : draw(s.study, {}).drawn) {
    EXPECT_TRUE(figure.image.starts_with("<svg"));
    EXPECT_FALSE(contains(figure.image, " id=")) << figure.name;
    EXPECT_FALSE(contains(figure.image, "<script"));
    EXPECT_FALSE(contains(figure.image, "href"));
    all += figure.image;
  }
  EXPECT_EQ(exit_of("python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.buffer.read())'",
                    all + "</page>"),
            0);
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
    for (const bool background : {false, true}) {
      const auto figures = draw(s.study, {Format::svg, background, 12});
      EXPECT_EQ(figures.trouble, "") << evil;
      EXPECT_FALSE(std::filesystem::exists(owned)) << evil;
    }
  }
  std::filesystem::remove_all(place);
}

TEST_F(Draw, PngFiles) {
  const auto s = tests::sample_study();
  const auto figures = draw(s.study, {Format::png, false, 1});
  ASSERT_EQ(figures.trouble, "");
  ASSERT_EQ(figures.drawn.size(), 4u);
  for (const auto& figure : figures.drawn) EXPECT_TRUE(figure.image.starts_with("\x89PNG")) << figure.name;
}

TEST_F(Draw, ALossOfAMicrosecondIsSeen) {
  auto s = tests::sample_study();
  const auto before = draw(s.study, {}).drawn[2];
  EXPECT_FALSE(contains(before.image, "events lost"));
  s.study.quality.losses = {{tests::at(3), tests::at(3) + formats::Duration{1000}, 1, "ring full: send"}};
  const auto after = draw(s.study, {}).drawn[2];
  EXPECT_TRUE(contains(after.image, "events lost"));
  EXPECT_TRUE(contains(after.caption, "events were lost"));
}

TEST_F(Draw, NoP99OfAHandful) {
  auto s = tests::sample_study();
  EXPECT_TRUE(contains(draw(s.study, {}).drawn[2].image, ">p99<"));
  for (auto& p : s.study.routes[0].over_time) p.count = 99;
  EXPECT_FALSE(contains(draw(s.study, {}).drawn[2].image, ">p99<"));
}

TEST_F(Draw, OddStudiesDoNotFail) {
  auto s = tests::sample_study();
  s.study.routes.resize(1);
  auto& route = s.study.routes[0];
  route.ccdf = {{tests::ms(1), 1}};  // one request
  route.over_time.resize(1);
  for (auto& band : route.bands) band.count = 0;
  route.bands[0].phases = {};
  EXPECT_EQ(draw(s.study, {}).trouble, "");
  route.ccdf = {{{}, 1}, {tests::ms(-1), 0.5}, {tests::ms(1e9), 1e-12}};
  route.over_time[0].p50 = route.over_time[0].p99 = {};
  EXPECT_EQ(draw(s.study, {}).trouble, "");
  for (int i = 0; i < 5000; ++i) s.study.quality.losses.push_back({tests::at(i * 0.006), tests::at(i * 0.006), 1, "x"});
  EXPECT_EQ(draw(s.study, {}).trouble, "");
  s.study.end = s.study.begin;
  EXPECT_EQ(draw(s.study, {}).trouble, "");
}

TEST(WithoutGnuplot, TheTroubleIsSaidAndNothingIsDrawn) {
  const auto s = tests::sample_study();
  const std::string path = getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const auto missing = draw(s.study, {});
  EXPECT_TRUE(missing.drawn.empty());
  EXPECT_TRUE(contains(missing.trouble, "gnuplot is not installed")) << missing.trouble;

  char place[] = "/tmp/tailcap-plot-test-XXXXXX";
  ASSERT_NE(mkdtemp(place), nullptr);
  const std::string fake = std::string(place) + "/gnuplot";
  std::ofstream(fake) << "#!/bin/sh\necho no terminal for you >&2\nexit 1\n";
  std::filesystem::permissions(fake, std::filesystem::perms::owner_all);
  setenv("PATH", (std::string(place) + ":" + path).c_str(), 1);
  const auto failing = draw(s.study, {});
  EXPECT_TRUE(failing.drawn.empty());
  EXPECT_TRUE(contains(failing.trouble, "gnuplot failed: no terminal for you")) << failing.trouble;
  setenv("PATH", path.c_str(), 1);
  std::filesystem::remove_all(place);
}

TEST(WithoutGnuplot, NothingToDrawIsSaid) { EXPECT_TRUE(contains(draw({}, {}).trouble, "nothing to draw")); }

}  // namespace
}  // namespace tailcap::plot
