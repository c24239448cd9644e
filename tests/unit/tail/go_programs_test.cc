// Totals of Go's runtime: collections, stop-the-world phases, and the requests that they hit.
#include "analyze/tail/go/go_programs.h"

#include <gtest/gtest.h>

#include "analyze/pipeline/pipeline.h"
#include "analyze/report/go/go_lines.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::go_programs_test {
namespace {

using namespace std::chrono_literals;
using formats::GoPhase;
using synth::Duration;

constexpr formats::Thread kA{100, 101};

struct Program {
  synth::Scenario s;
  std::uint16_t ports = 0;

  void phase(Duration at, GoPhase phase) { s.add(at, kA, formats::GoRuntime{phase, {}}, 1); }
  void stop(Duration at, Duration took) {
    phase(at, GoPhase::stop_begin);
    phase(at + took / 2, GoPhase::stopped);
    phase(at + took, GoPhase::started);
  }
  void serve(Duration from, Duration to) {
    synth::Opening o;
    o.thread = kA;
    o.remote = "10.0.0.2:" + std::to_string(40000 + ports++);
    s.open(0ms, o)
        .receive(from, from, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        .send(to, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
  model::Study study() { return pipeline::analyze(synth::plain_preamble(), s.with_end()).study; }
};

TEST(GoPrograms, StopsAndTheRequestsThatTheyHit) {
  Program p;
  p.s.add(0ms, kA, formats::GoProgram{"/bin/shop", "go1.22.3", "DWARF", "", 160, 31});
  p.serve(1ms, 5ms);    // before all stops
  p.serve(9ms, 11ms);   // over the first
  p.serve(10ms, 40ms);  // over three
  p.serve(12ms, 13ms);  // between two stops
  for (int n = 0; n < 3; ++n) {
    p.phase(10ms + n * 10ms, GoPhase::gc_begin);
    p.stop(10ms + n * 10ms, 100us * (n + 1));
    p.phase(15ms + n * 10ms, GoPhase::gc_end);
  }
  p.phase(16ms, GoPhase::assist);
  p.s.add(1ms, kA, formats::GoCreate{7}, 1);
  p.phase(50ms, GoPhase::stop_begin);  // end not seen
  const model::Study study = p.study();
  ASSERT_EQ(study.go.size(), 1u);
  const model::GoStudy& g = study.go[0];
  EXPECT_EQ(g.pid, 100u);
  EXPECT_EQ(g.version, "go1.22.3");
  EXPECT_EQ(g.collections, 3u);
  EXPECT_EQ(g.assists, 1u);
  EXPECT_EQ(g.goroutines_made, 1u);
  EXPECT_EQ(g.stops, 3u);
  EXPECT_EQ(g.stop_median, 200us);
  EXPECT_EQ(g.stop_p99, 300us);
  EXPECT_EQ(g.stop_longest, 300us);
  EXPECT_EQ(g.stop_total, 600us);
  EXPECT_EQ(g.requests, 4u);
  EXPECT_EQ(g.requests_stopped, 2u);
  ASSERT_EQ(report::go_lines(study).size(), 1u);
  EXPECT_NE(report::go_lines(study)[0].find("go1.22.3: 1 goroutine made, 3 collections; the world stopped 3 times"),
            std::string::npos)
      << report::go_lines(study)[0];
  EXPECT_EQ(report::go_lines(study)[0].find("p99"), std::string::npos) << "of three";
}

TEST(GoPrograms, NothingWhereNoGoIs) {
  Program p;
  p.serve(1ms, 5ms);
  EXPECT_TRUE(p.study().go.empty());
}

// An end of a stop without its beginning is not counted, nor is a stop that goes back in time.
TEST(GoPrograms, HalvesAreNotCounted) {
  Program p;
  p.phase(2ms, GoPhase::started);
  p.phase(3ms, GoPhase::stop_begin);
  p.phase(4ms, GoPhase::stop_begin);
  p.phase(5ms, GoPhase::started);
  p.phase(6ms, GoPhase::started);
  const model::Study study = p.study();
  ASSERT_EQ(study.go.size(), 1u);
  EXPECT_EQ(study.go[0].stops, 1u);
  EXPECT_EQ(study.go[0].stop_longest, 1ms);
}

}  // namespace
}  // namespace tailcap::go_programs_test
