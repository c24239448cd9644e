// Which request a file call belongs to: threads, workers, event loops, goroutines.
#include "tests/unit/partition/partition_case.h"

namespace tailcap::partition_files_test {
namespace {

using formats::FileAct;

constexpr Thread kA{10, 11}, kB{10, 12}, kLoop{10, 10};

struct FilesCase : PartitionCase {
  void open(Thread thread, Duration began, Duration ended, std::string_view path, std::int64_t result = 3,
            std::uint64_t goroutine = 0) {
    s.add(ended, thread,
          formats::FileCall{FileAct::open, synth::kStart + began, result,
                            static_cast<std::int32_t>(result < 0 ? -1 : result), s.own(path)},
          goroutine);
  }
  // "/a 1000+20 /b 1500+10! ?1 +2": offset in the request + duration, in µs; ! inferred, ? doubtful, + omitted.
  std::string files(const std::string& target) {
    model::ExchangeId id;
    for (const model::Request row : analysis().table.rows)
      if (analysis().table.texts[row.path] == target) id = row.id;
    pipeline::Options options;
    options.study = false;
    options.partition = true;
    options.follow = id;
    const pipeline::Analysis followed = pipeline::analyze(synth::plain_preamble(), s.with_end(), options);
    std::string text;
    for (const model::FileCalls& f : followed.files) {
      if (f.request != id) continue;
      for (const model::Request row : followed.table.rows) {
        if (row.id != id) continue;
        for (const model::FileCall& c : f.calls)
          text += c.path + " " + std::to_string((c.began - row.start).count() / 1000) + "+" +
                  std::to_string((c.ended - c.began).count() / 1000) + (c.inferred ? "! " : " ");
      }
      if (f.doubtful != 0) text += "?" + std::to_string(f.doubtful) + " ";
      if (f.more != 0) text += "+" + std::to_string(f.more) + " ";
    }
    return text;
  }
};

TEST(PartitionOfFiles, OfTheThreadInTheRequestsTime) {
  FilesCase c;
  Endpoint& a = c.accepted(kA);
  c.off(kA, 5ms, 10ms, 10ms, kRecvfrom);
  c.open(kA, 4ms, 4100us, "/before");
  c.open(kB, 11ms, 12ms, "/other");
  a.receive(10ms, 10010us, get("/a"));
  c.open(kA, 11ms, 11020us, "/conf");
  c.open(kA, 12ms, 12010us, "", -2);
  a.send(20ms, kOk);
  c.open(kA, 21ms, 22ms, "/after");
  EXPECT_EQ(c.files("/a"), "/conf 1000+20  2000+10 ");
  EXPECT_EQ(c.files("/nobody"), "");
}

TEST(PartitionOfFiles, TheFirstHundredAreKept) {
  FilesCase c;
  Endpoint& a = c.accepted(kA);
  c.off(kA, 5ms, 10ms, 10ms, kRecvfrom);
  a.receive(10ms, 10010us, get("/a"));
  for (int i = 0; i < 130; i++) c.open(kA, 11ms + i * 10us, 11ms + i * 10us + 5us, "/conf");
  a.send(20ms, kOk);
  const std::string text = c.files("/a");
  EXPECT_EQ(std::count(text.begin(), text.end(), '/'), 100);
  EXPECT_TRUE(text.ends_with(" +30 ")) << text;
}

TEST(PartitionOfFiles, OfTheWorkerFromWhenItTookTheRequest) {
  FilesCase c;
  Endpoint& e = c.accepted(kA);
  c.off(kA, 5ms, 10ms, 10ms, kRecvfrom);
  e.receive(10ms, 10010us, get("/job"));
  c.open(kA, 10200us, 10210us, "/by-the-reader");
  c.off(kB, 2ms, 10500us, 10600us, kFutex, 0x9000, kA.tid);
  c.open(kB, 10700us, 10710us, "/by-the-worker");
  c.open(kA, 11ms, 11010us, "/when-it-was-handed-over");
  e.by(kB).send(17ms, kOk);
  EXPECT_EQ(c.files("/job"), "/by-the-reader 200+10 /by-the-worker 700+10 ");
}

TEST(PartitionOfFiles, OfALoopWithOneRequestOnly) {
  FilesCase c;
  Endpoint& a = c.accepted(kLoop);
  Endpoint& b = c.accepted(kLoop);
  c.off(kLoop, 5ms, 10ms, 10ms, kEpollWait);
  a.receive(10ms, 10020us, get("/a"));
  c.open(kLoop, 11ms, 11010us, "/a-alone");
  c.off(kLoop, 12ms, 20ms, 20ms, kEpollWait);
  b.receive(20ms, 20020us, get("/b"));
  c.open(kLoop, 21ms, 21010us, "/of-either");
  a.send(22ms, kOk);
  c.open(kLoop, 23ms, 23010us, "/b-alone");
  b.send(24ms, kOk);
  EXPECT_EQ(c.files("/a"), "/a-alone 1000+10! ?1 ");
  EXPECT_EQ(c.files("/b"), "/b-alone 3000+10! ?1 ");
}

TEST(PartitionOfFiles, OfTheGoroutineThatAnswers) {
  FilesCase c;
  formats::GoProgram program;
  program.version = "go1.22";
  program.offsets_from = "DWARF";
  program.parts = 1;
  c.s.add(0ms, kA, program);
  Endpoint& a = c.accepted(kA).of(34);
  c.off(kA, 5ms, 10ms, 10ms, kFutex, 0xc000048150);
  a.receive(10ms, 10010us, get("/go"));
  c.open(kA, 11ms, 11020us, "/its", 3, 34);
  c.open(kB, 12ms, 12020us, "/its-on-another-thread", 3, 34);
  c.open(kA, 13ms, 13020us, "/another-goroutines", 3, 35);
  c.open(kA, 14ms, 14020us, "/nobody-knows", 3);
  a.send(20ms, kOk);
  EXPECT_EQ(c.files("/go"), "/its 1000+20 /its-on-another-thread 2000+20 ");
}

}  // namespace
}  // namespace tailcap::partition_files_test
