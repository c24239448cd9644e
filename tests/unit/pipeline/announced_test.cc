// The order in which exchanges are announced: analyze/pipeline/README.md.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "analyze/exchanges/exchanges.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/replay.h"
#include "analyze/protocols/protocols.h"
#include "analyze/streams/streams.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/text.h"

namespace tailcap {
namespace {

// Two connections, recorded at both ends. /long begins first and ends last; /second is pipelined behind /first.
const std::string kCapture = R"(preamble tier=a payload_limit=256
+0 task_info pid=10 tid=10 comm="shop"
+0 task_info pid=20 tid=20 comm="page"
+0.001 socket_info socket=5 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 remote=10.0.0.2:4000 next_in=1000 next_out=5000
+0.001 socket_info socket=6 family=inet type=stream origin=connected state=established local=10.0.0.2:4000 remote=10.0.0.1:80 next_in=5000 next_out=1000
+0.001 socket_info socket=7 family=inet type=stream origin=accepted state=established local=10.0.0.1:80 remote=10.0.0.2:4001 next_in=1000 next_out=5000
+0.001 socket_info socket=8 family=inet type=stream origin=connected state=established local=10.0.0.2:4001 remote=10.0.0.1:80 next_in=5000 next_out=1000
+0.010 send pid=20 tid=20 socket=6 pos=1000 data="GET /long HTTP/1.1\r\nHost: a\r\n\r\n"
+0.0105 arrival socket=5 pos=1000 len=31
+0.011 receive pid=10 tid=10 socket=5 pos=1000 data="GET /long HTTP/1.1\r\nHost: a\r\n\r\n"
+0.020 send pid=20 tid=20 socket=8 pos=1000 data="GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n"
+0.0205 arrival socket=7 pos=1000 len=65
+0.021 receive pid=10 tid=10 socket=7 pos=1000 data="GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n"
+0.030 send pid=10 tid=10 socket=7 pos=5000 data="HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
+0.031 send pid=10 tid=10 socket=7 pos=5039 data="HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"
+0.0315 arrival socket=8 pos=5000 len=78
+0.032 receive pid=20 tid=20 socket=8 pos=5000 data="HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"
+0.040 send pid=10 tid=10 socket=5 pos=5000 data="HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3"
+0.0405 arrival socket=6 pos=5000 len=39
+0.041 receive pid=20 tid=20 socket=6 pos=5000 data="HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3"
)";

std::string name(model::Role role, std::string_view path) {
  return std::string(role == model::Role::server ? "server " : "client ") + std::string(path);
}

class Announced : public testing::Test {
 protected:
  Announced() {
    const synth::TextCapture capture = synth::parse_text(kCapture);
    synth::write_capture(path_, capture.preamble, capture.events);
  }
  ~Announced() override { std::filesystem::remove(path_); }

  const std::string path_ =
      std::filesystem::temp_directory_path() / ("announced_test-" + std::to_string(getpid()) + ".tcap");
};

TEST_F(Announced, WithTheMessageThatCompletesIt) {
  pipeline::Replay replay(path_);
  streams::Streams streams;
  protocols::Parsers parsers;
  exchanges::Exchanges exchanges;
  std::vector<std::string> announced;
  replay.each([&](const formats::Event& event) {
    for (const model::ByteRun& run : streams.push(event))
      for (const model::Message& message : parsers.push(run))
        for (const model::Exchange& e : exchanges.push(message)) announced.push_back(name(e.role, e.target));
  });
  EXPECT_EQ(announced, (std::vector<std::string>{"server /first", "server /second", "client /first", "client /second",
                                                 "server /long", "client /long"}));
}

TEST_F(Announced, ProgressReachesTheEndOfEachReading) {
  std::vector<unsigned> ended;
  std::uint64_t before = 0;
  pipeline::Replay replay(path_, 0, [&](const pipeline::Progressed& p) {
    EXPECT_LE(p.events, p.of);
    if (p.events < before) {
      EXPECT_EQ(p.reading, ended.size() + 1);
    }
    before = p.events;
    if (p.events == p.of) ended.push_back(p.reading);
  });
  const auto nothing = [](const formats::Event&) {};
  replay.each(nothing);
  replay.each(nothing);
  std::erase_if(ended, [last = 0u](unsigned n) mutable { return std::exchange(last, n) == n; });  // once each
  EXPECT_EQ(ended, (std::vector<unsigned>{1, 2}));
}

TEST_F(Announced, RowsAreInTheOrderOfTheirBeginning) {
  const pipeline::Analysis analysis = pipeline::analyze(path_);
  std::vector<std::string> rows;
  for (const model::Request row : analysis.table.rows) rows.push_back(name(row.role, analysis.table.texts[row.path]));
  EXPECT_EQ(rows, (std::vector<std::string>{"client /long", "server /long", "client /first", "client /second",
                                            "server /first", "server /second"}));
}

// Only the end that was announced second could know the other one at once.
TEST_F(Announced, BothEndsKnowEachOther) {
  const pipeline::Analysis analysis = pipeline::analyze(path_);
  ASSERT_EQ(analysis.table.rows.size(), 6u);
  for (const model::Request row : analysis.table.rows) {
    bool found = false;
    for (const model::Request other : analysis.table.rows)
      if (other.id == row.peer) found = other.peer == row.id && other.path == row.path && other.role != row.role;
    EXPECT_TRUE(found) << name(row.role, analysis.table.texts[row.path]);
  }
}

}  // namespace
}  // namespace tailcap
