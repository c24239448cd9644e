// A part of a capture: which events are left, and what it says about itself.
#include "analyze/cut/copy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "formats/file/marker.h"
#include "formats/file/reader.h"
#include "formats/file/writer.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"
#include "tests/synth/text.h"

namespace tailcap::cut {
namespace {

using namespace std::chrono_literals;
using formats::CaptureState;
using formats::Event;
using formats::Time;

// Two connections, each with a request at its second second, waits of a thread, and what describes the machine.
constexpr const char* kText = R"(+0 task_info pid=10 tid=10 comm="shop"
+0.1 socket_info socket=1 family=inet type=stream origin=accepted state=established local=10.0.0.1:80
+0.2 socket_info socket=2 family=inet type=stream origin=accepted state=established local=10.0.0.1:80
+1 receive pid=10 tid=11 socket=1 pos=0 data="GET /first HTTP/1.1\r\n\r\n"
+1.5 send pid=10 tid=11 socket=1 pos=0 data="HTTP/1.1 204 No Content\r\n\r\n"
+2 receive pid=10 tid=12 socket=2 pos=0 data="GET /second HTTP/1.1\r\n\r\n"
+2.1 off_cpu pid=10 tid=12 left=+2.05
+2.5 send pid=10 tid=12 socket=2 pos=0 data="HTTP/1.1 204 No Content\r\n\r\n"
+2.6 receive pid=10 tid=11 socket=3 pos=0 data="GET /third HTTP/1.1\r\n\r\n"
+3 off_cpu pid=10 tid=11 left=+2.9
+3.1 tls_receive pid=10 tid=11 session=9 pos=0 data="GET /fourth HTTP/1.1\r\n\r\n"
+4 mapping pid=10 tid=10 start=4096 end=8192 path="/usr/bin/shop"
)";

class Cutting : public testing::Test {
 protected:
  Cutting() : folder_(std::filesystem::temp_directory_path() / ("tailcap-cut-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(folder_);
    capture_ = synth::parse_text(kText);
    formats::Preamble preamble = synth::plain_preamble();
    preamble.notes = {{"run", "7"}};
    synth::write_capture(in(), preamble, capture_.events);
  }
  ~Cutting() override { std::filesystem::remove_all(folder_); }

  std::string in() const { return (folder_ / "in.tcap").string(); }
  std::string out() const { return (folder_ / "out.tcap").string(); }
  static Time at(formats::Duration d) { return synth::kStart + d; }

  // The events of the copy as text, but for those of the reader.
  std::string copied(const KeptPart& part, const Notes& notes = {}) {
    written_ = copy(in(), out(), part, notes, true);
    formats::Reader reader(out());
    preamble_ = reader.preamble();
    state_ = reader.summary().state;
    std::string all;
    for (auto events = reader.next(); !events.empty(); events = reader.next())
      for (const Event& event : events)
        if (!std::holds_alternative<formats::CaptureEnd>(event.body)) all += synth::print_text(event) + "\n";
    return all;
  }

  std::filesystem::path folder_;
  synth::TextCapture capture_;
  Written written_;
  formats::Preamble preamble_;
  CaptureState state_ = CaptureState::complete;
};

bool has(const std::string& text, std::string_view word) { return text.find(word) != text.npos; }

TEST_F(Cutting, AConnectionUntilItsEndAndEverythingElseInTheWindow) {
  KeptPart part;
  part.windows = {{at(2s), at(2200ms)}};
  part.connections = {{2, at(10s)}};
  const std::string got = copied(part, {{"tailcap.cut.requests", "3"}});
  EXPECT_TRUE(has(got, "/second")) << got;
  EXPECT_TRUE(has(got, "HTTP/1.1 204")) << got;
  EXPECT_TRUE(has(got, "left=+2.05")) << got;
  EXPECT_FALSE(has(got, "left=+2.9")) << got << "outside the window";
  EXPECT_TRUE(has(got, "comm=\"shop\"") && has(got, "/usr/bin/shop")) << got << "what describes the machine";
  EXPECT_EQ(preamble_.notes, (Notes{{"run", "7"}, {"tailcap.cut.requests", "3"}}));
  EXPECT_EQ(state_, CaptureState::complete);
}

// Connections are numbered in the order in which they appear: the first event of each stays, without payload.
TEST_F(Cutting, OfOtherConnectionsTheFirstEventStaysWithoutPayload) {
  KeptPart part;
  part.windows = {{at(2s), at(2200ms)}};
  part.connections = {{2, at(10s)}};
  const std::string got = copied(part);
  EXPECT_TRUE(has(got, "socket_info socket=1 ")) << got;
  EXPECT_TRUE(has(got, "socket=3")) << got;
  EXPECT_TRUE(has(got, "session=9")) << got;
  for (const char* gone : {"/first", "/third", "/fourth"}) EXPECT_FALSE(has(got, gone)) << got;
}

TEST_F(Cutting, AConnectionIsKeptUntilThen) {
  KeptPart part;
  part.windows = {{at(2s), at(2200ms)}};
  part.connections = {{2, at(2200ms)}};
  const std::string got = copied(part);
  EXPECT_TRUE(has(got, "/second")) << got;
  EXPECT_FALSE(has(got, "HTTP/1.1 204")) << got << "2.5 s is later";
}

TEST_F(Cutting, AllOfAKindUntilTheLastWindowEnds) {
  KeptPart part;
  part.windows = {{at(1s), at(1100ms)}, {at(2700ms), at(2950ms)}};
  part.all_connections = true;
  std::string got = copied(part);
  EXPECT_TRUE(has(got, "/first") && has(got, "/second") && has(got, "/third")) << got;
  EXPECT_FALSE(has(got, "/fourth")) << got;
  EXPECT_FALSE(has(got, "left=+2.05")) << got << "between the windows";
  EXPECT_TRUE(has(got, "left=+2.9")) << got << "it began in the window";
  part.all_others = true;
  got = copied(part);
  EXPECT_TRUE(has(got, "left=+2.05")) << got;
  part = {};
  part.windows = {{at(1s), at(4s)}};
  part.all_sessions = true;
  got = copied(part);
  EXPECT_TRUE(has(got, "/fourth")) << got;
  EXPECT_FALSE(has(got, "/first")) << got;
}

TEST_F(Cutting, NothingIsAskedFor) {
  const std::string got = copied({});
  for (const char* gone : {"/first", "/second", "/third", "/fourth", "left="}) EXPECT_FALSE(has(got, gone)) << got;
  EXPECT_GT(written_.events, 0u);
  EXPECT_EQ(written_.file_bytes, std::filesystem::file_size(out()));
}

TEST_F(Cutting, WhatWasCutShortSaysSo) {
  const std::uint64_t footer = formats::Reader(in()).check().back().offset;
  std::filesystem::resize_file(in(), footer);
  KeptPart part;
  part.windows = {{at(0s), at(10s)}};
  part.all_connections = true;
  const std::string got = copied(part);
  EXPECT_TRUE(has(got, "/first")) << got;
  EXPECT_FALSE(has(got, "loss")) << got << "the end is no loss";
  EXPECT_EQ(state_, CaptureState::recovered);
}

TEST_F(Cutting, APartOfARedactedCaptureIsMarked) {
  formats::Writer writer(in(), synth::plain_preamble(), true, {.flags = formats::kBlockRedacted});
  for (const Event& event : capture_.events) writer.push(event);
  writer.finish(capture_.events.back().time);
  copied({});
  EXPECT_TRUE(formats::marker_of(out()).preamble && formats::marker_of(out()).footer);
  EXPECT_FALSE(formats::marker_of(out()).strict);
}

// Any byte may be damaged: the copy is whole, or there is an error.
TEST_F(Cutting, HostileFiles) {
  std::string bytes;
  {
    std::ifstream file(in(), std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  KeptPart part;
  part.windows = {{at(1s), at(3s)}};
  part.all_sessions = true;
  unsigned whole = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 47) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x5a);
    std::ofstream(in(), std::ios::binary | std::ios::trunc) << changed;
    try {
      copied(part);
      ++whole;
    } catch (const std::runtime_error&) {
    }
  }
  EXPECT_GT(whole, 0u);
}

}  // namespace
}  // namespace tailcap::cut
