// Merging several captures: numbers stay distinct, what one machine recorded twice appears once, hostile input does no
// harm.
#include "analyze/merge/merge.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "analyze/merge/passages.h"
#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::merge {
namespace {

using namespace std::chrono_literals;
using formats::Event;
using formats::Reader;
using formats::SocketId;
using synth::Scenario;
using synth::Thread;

const std::string kGet = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr Thread kClient{10, 10}, kServer{10, 11};

class Merging : public testing::Test {
 public:
  Merging() : folder_(std::filesystem::temp_directory_path() / ("tailcap-merge-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(folder_);
  }
  ~Merging() override { std::filesystem::remove_all(folder_); }

 protected:
  std::string write(const std::string& name, const std::string& boot, std::span<const Event> events,
                    formats::Duration later = {}) {
    formats::Preamble p = synth::plain_preamble();
    p.capture_id = name;
    p.host = "host-" + name;
    p.boot_id = boot;
    const Relabel_ moved{later};
    std::vector<Event> copies(events.begin(), events.end());
    for (Event& e : copies) moved(e);
    const std::string path = (folder_ / (name + ".tcap")).string();
    synth::write_capture(path, p, copies);
    return path;
  }
  MergeResult run(std::vector<std::string> inputs, bool wall_clock = false) {
    MergeOptions o;
    o.inputs = std::move(inputs);
    o.out = out();
    o.force = true;
    o.wall_clock = wall_clock;
    return merge(o);
  }
  std::string out() const { return (folder_ / "out.tcap").string(); }
  std::vector<Event> merged() {
    std::vector<Event> all;
    Reader reader(out());
    for (auto events = reader.next(); !events.empty(); events = reader.next())
      for (Event e : events) {
        if (auto* io = std::get_if<formats::Io>(&e.body))
          io->head = io->tail = {};
        else if (!std::holds_alternative<formats::Arrival>(e.body) && !std::holds_alternative<formats::Loss>(e.body) &&
                 !std::holds_alternative<formats::SocketInfo>(e.body))
          continue;
        if (auto* info = std::get_if<formats::SocketInfo>(&e.body)) info->path = {};
        all.push_back(e);
      }
    return all;
  }

 private:
  struct Relabel_ {
    formats::Duration by;
    void operator()(Event& e) const {
      e.time += by;
      if (auto* off = std::get_if<formats::OffCpu>(&e.body)) {
        off->left += by;
        off->runnable += formats::known(off->runnable) ? by : formats::Duration{};
      }
    }
  };
  std::filesystem::path folder_;
};

// A client here and its server there, with `requests` requests a millisecond apart.
struct Link {
  Scenario here, there;
  explicit Link(int requests, const std::string& client = "10.0.0.1:40000") {
    here.task(0ms, kClient, "shop");
    there.task(0ms, kServer, "stock");
    synth::Opening a, b;
    a.thread = kClient;
    a.origin = formats::Origin::connected;
    a.local = client;
    a.remote = "10.0.0.2:80";
    a.out = 5000;
    a.in = 1000;
    b.thread = kServer;
    b.local = "10.0.0.2:80";
    b.remote = client;
    auto& c = here.open(0ms, a);
    auto& s = there.open(0ms, b);
    for (int i = 1; i <= requests; ++i) {
      const auto t = i * 1ms;
      here.off_cpu(kClient, {t - 200us, t - 110us, t - 100us, 35});
      c.send(t, kGet);
      s.receive(t + 50us, t + 60us, kGet).send(t + 100us, kOk);
      c.receive(t + 160us, t + 170us, kOk);
    }
  }
};

TEST_F(Merging, ClocksAreLaidAndNumbersStayApart) {
  Link link(20);
  const auto a = write("a", "boot-a", link.here.events()), b = write("b", "boot-b", link.there.events(), 7s);
  const MergeResult result = run({a, b});
  ASSERT_TRUE(result.written);
  const MergeInput& s = result.sources[1];
  EXPECT_EQ(s.placing, Placing::messages);
  EXPECT_EQ(s.machine, 1u);
  EXPECT_LE(std::abs(s.clock.offset + 7'000'000'000), s.clock.error);
  EXPECT_LT(s.clock.error, 200'000);
  EXPECT_EQ(s.joined, 1u);
  EXPECT_EQ(result.sources[0].joined, 1u);
  const auto analysis = pipeline::analyze(out());
  ASSERT_EQ(analysis.table.rows.size(), 40u);
  for (const model::Request row : analysis.table.rows) {
    EXPECT_NE(row.peer.connection, 0u);
    EXPECT_EQ(formats::number_of(row.pid), 10u);
    EXPECT_EQ(formats::machine_of(row.pid), row.role == model::Role::server ? 1u : 0u);
  }
  // The same result in the other order, and every time.
  EXPECT_TRUE(run({b, a}).written);
  EXPECT_EQ(pipeline::analyze(out()).table.rows.size(), 40u);
}

TEST_F(Merging, EventsAreInOrderOfTime) {
  Link link(200);
  run({write("a", "boot-a", link.here.events()), write("b", "boot-b", link.there.events(), -3s)});
  formats::Time last = formats::kNoTime;
  for (const Event& e : merged()) {
    EXPECT_GE(e.time, last);
    last = e.time;
  }
}

TEST_F(Merging, AMachineThatWasBootedLater) {
  // The first machine booted two hours after the other's events: they still have a place on its clock.
  Link link(20);
  const auto a = write("a", "boot-a", link.here.events(), -999s), b = write("b", "boot-b", link.there.events(), 7200s);
  // An off-CPU interval of the other machine began long before the first machine's boot.
  const MergeResult result = run({a, b});
  ASSERT_TRUE(result.written);
  EXPECT_EQ(pipeline::analyze(out()).table.rows.size(), 40u);
  EXPECT_EQ(result.sources[1].refused, 0u);
}

TEST_F(Merging, ThreeMachinesInAChain) {
  Link ab(20), bc(20, "10.0.0.3:40000");
  // b is the server of both, c talks only to b, and a is the reference.
  const auto a = write("a", "boot-a", ab.here.events()), b1 = write("b1", "boot-b", ab.there.events(), 5s),
             b2 = write("b2", "boot-b", bc.there.events(), 5s), c = write("c", "boot-c", bc.here.events(), -8s);
  const MergeResult result = run({a, c, b1, b2});
  ASSERT_TRUE(result.written);
  EXPECT_EQ(result.sources[1].placing, Placing::messages);
  EXPECT_LE(std::abs(result.sources[1].clock.offset - 8'000'000'000), result.sources[1].clock.error);
  EXPECT_EQ(result.sources[2].machine, result.sources[3].machine);
  EXPECT_EQ(result.sources[3].placing, Placing::same_boot);
}

TEST_F(Merging, WithoutMessagesNothingIsWritten) {
  Link link(5), other(5, "10.9.9.9:1");
  link.here.clock(0ms, 1'700'000'000'000'000'000);
  other.there.clock(0ms, 1'700'000'000'000'000'000);
  const auto a = write("a", "boot-a", link.here.events()), b = write("b", "boot-b", other.there.events(), 1s);
  EXPECT_FALSE(run({a, b}).written);
  EXPECT_FALSE(std::filesystem::exists(out()));
  const MergeResult result = run({a, b}, true);
  ASSERT_TRUE(result.written);
  EXPECT_EQ(result.sources[1].placing, Placing::wall_clock);
  EXPECT_EQ(result.sources[1].clock.offset, -1'000'000'000);
}

TEST_F(Merging, WhatTwoRecordersOfAMachineToldIsToldOnce) {
  // The second recording began later and saw less of the socket, and one more socket.
  Link link(10);
  std::vector<Event> all = link.here.events();
  std::vector<Event> late(all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  for (Event& e : late) e.time += 300ns;  // timestamped by another program
  const MergeResult result = run({write("a", "boot", all), write("b", "boot", late)});
  ASSERT_TRUE(result.written);
  EXPECT_EQ(result.sources[1].placing, Placing::same_boot);
  EXPECT_EQ(result.sources[1].machine, 0u);
  EXPECT_GT(result.sources[1].duplicates, 0u);
  std::uint64_t sends = 0;
  for (const Event& e : merged()) sends += formats::kind_of(e) == formats::Kind::send;
  EXPECT_EQ(sends, 10u);
}

TEST_F(Merging, NumbersThatNoKernelGivesAreRefused) {
  Link link(20);
  std::vector<Event> events = link.there.events();
  Event bad = events.back();
  bad.thread = {1u << 30, 1u << 30};
  events.push_back(bad);
  bad.thread = kServer;
  bad.body = formats::Arrival{std::uint64_t{1} << 60, 0, 1, 0};
  events.push_back(bad);
  const MergeResult result = run({write("a", "boot-a", link.here.events()), write("b", "boot-b", events)});
  ASSERT_TRUE(result.written);
  EXPECT_EQ(result.sources[1].refused, 2u);
  std::uint64_t losses = 0;
  for (const Event& e : merged()) losses += std::holds_alternative<formats::Loss>(e.body);
  EXPECT_EQ(losses, 2u);
}

// One machine leaves out off-CPU intervals for a time: which one is kept.
TEST_F(Merging, TimesWithoutWaitsAreOfTheirMachine) {
  Link link(20);
  for (Scenario* s : {&link.here, &link.there}) s->add(3ms, {}, formats::Note{"tailcap.waits", "off"});
  link.here.add(5ms, {}, formats::Note{"tailcap.waits", "on"});
  ASSERT_TRUE(run({write("a", "boot-a", link.here.events()), write("b", "boot-b", link.there.events())}).written);
  std::multiset<std::string> values;
  Reader reader(out());
  for (auto events = reader.next(); !events.empty(); events = reader.next())
    for (const Event& e : events)
      if (const auto* note = std::get_if<formats::Note>(&e.body)) values.emplace(note->value);
  EXPECT_EQ(values, (std::multiset<std::string>{"off", "off machine 2", "on"}));
}

TEST_F(Merging, ACaptureCutShortSaysSo) {
  Link link(20);
  const auto a = write("a", "boot-a", link.here.events()), b = write("b", "boot-b", link.there.events());
  std::filesystem::resize_file(b, std::filesystem::file_size(b) - 40);  // no footer
  ASSERT_TRUE(run({a, b}).written);
  EXPECT_TRUE(pipeline::analyze(out()).damaged);
}

TEST_F(Merging, RefusesWhatItMade) {
  Link link(20);
  const auto a = write("a", "boot-a", link.here.events()), b = write("b", "boot-b", link.there.events());
  ASSERT_TRUE(run({a, b}).written);
  const std::string again = out() + ".again";
  std::filesystem::rename(out(), again);
  EXPECT_THROW(run({again, a}), std::runtime_error);
  EXPECT_THROW(run({a, a}), std::runtime_error);
}

TEST(Passages, HostileEventsAreBoundedAndHarmless) {
  std::mt19937_64 random(3);
  Passages passages(1000), others(1000);
  for (Passages* p : {&passages, &others}) {
    for (int i = 0; i < 200'000; ++i) {
      Event e;
      e.time = formats::time_from(static_cast<std::int64_t>(random() >> (2 + random() % 40)));
      e.thread = {static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random() % 100)};
      const SocketId socket = random() % 50;
      switch (random() % 5) {
        case 0:
          e.body = formats::SocketInfo{
              socket,  static_cast<formats::Family>(random() % 12), formats::SocketType::stream, {}, {}, {{1}, 1},
              {{2}, 2}};
          break;
        case 1:
          e.body = formats::Arrival{socket, static_cast<std::uint32_t>(random()), 1, 0};
          break;
        case 2:
          e.body = formats::OffCpu{};
          break;
        case 3:
          e.body = formats::StateChange{socket, {}, formats::TcpState::close};
          break;
        default: {
          formats::Io io;
          io.socket = socket;
          io.length = 1;
          io.position = random();
          io.direction = random() % 2 ? formats::Direction::in : formats::Direction::out;
          e.body = io;
        }
      }
      p->push(e);
    }
  }
  (void)match(passages, others);
  (void)match(others, passages);
}

}  // namespace
}  // namespace tailcap::merge
