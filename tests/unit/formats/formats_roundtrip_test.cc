// Reading gives what was pushed: every kind, extreme values, many blocks, several streams, keyframes, any threads.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/formats/formats_samples.h"

namespace tailcap::formats::test {
namespace {

TEST(FormatsRoundtrip, every_kind_with_extreme_values) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  const auto events = extreme_events();
  {
    Writer writer(path, sample_preamble(), false);
    for (const Event& event : events) writer.push(event);
    writer.finish(kMaxTime);
  }
  const auto read = read_all(path);
  ASSERT_EQ(read.size(), events.size() + 1);
  for (std::size_t i = 0; i < events.size(); ++i)
    EXPECT_TRUE(*read[i] == events[i]) << i << " " << name_of(kind_of(events[i]));
  const auto* end = std::get_if<CaptureEnd>(&(*read.back()).body);
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(end->state, CaptureState::complete);
}

TEST(FormatsRoundtrip, preamble) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  { Writer(path, sample_preamble(), false).finish(time_from(1)); }
  Reader reader(path);
  EXPECT_TRUE(reader.preamble() == sample_preamble());
  const auto only = reader.next();
  ASSERT_EQ(only.size(), 1u);
  EXPECT_EQ(kind_of(only[0]), Kind::capture_end);
  EXPECT_TRUE(reader.next().empty());
  EXPECT_TRUE(reader.next().empty());
}

TEST(FormatsRoundtrip, many_blocks_and_any_number_of_threads) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  constexpr std::uint64_t kEvents = 300'000;
  WriterTotals totals;
  {
    Writer writer(path, sample_preamble(), false);
    for (std::uint64_t i = 0; i < kEvents; ++i) writer.push(request_event(i, kRequest, kResponse));
    writer.finish(time_from(9'000'000'000));
    totals = writer.totals();
  }
  EXPECT_EQ(totals.events, kEvents);
  EXPECT_EQ(totals.lost, 0u);
  EXPECT_GT(totals.blocks, 5u);
  EXPECT_EQ(totals.file_bytes, std::filesystem::file_size(path));
  EXPECT_LT(totals.file_bytes, kEvents * 10) << "the file must not take more than 10 bytes per event";
  for (const unsigned threads : {1u, 2u, 4u, 0u}) {
    Reader reader(path, {threads});
    std::uint64_t i = 0;
    for (auto span = reader.next(); !span.empty(); span = reader.next()) {
      for (const Event& event : span) {
        ASSERT_LE(i, kEvents);
        const bool same =
            i == kEvents ? kind_of(event) == Kind::capture_end : event == request_event(i, kRequest, kResponse);
        ASSERT_TRUE(same) << i << " with " << threads << " threads";
        ++i;
      }
    }
    EXPECT_EQ(i, kEvents + 1);
  }
  Reader reader(path);
  const auto summary = reader.summary();
  EXPECT_EQ(summary.events, kEvents);
  EXPECT_EQ(summary.state, CaptureState::complete);
  EXPECT_EQ(summary.damaged_blocks, 0u);
  EXPECT_EQ(nanoseconds(summary.first), nanoseconds(request_event(0, kRequest, kResponse).time));
}

TEST(FormatsRoundtrip, keyframes_stand_between_what_was_before_and_after) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  {
    Writer writer(path, sample_preamble(), false);
    writer.push({time_from(10), {}, TaskExit{1}});
    writer.begin_keyframe(time_from(20));
    for (int i = 0; i < 100'000; ++i)
      writer.push({time_from(20), {}, SocketInfo{.socket = static_cast<SocketId>(i), .path = "p"}});
    writer.end_keyframe();
    writer.begin_keyframe(time_from(21));
    writer.end_keyframe();  // an empty keyframe leaves no trace
    writer.push({time_from(30), {}, TaskExit{2}});
    writer.finish(time_from(40));
  }
  const auto read = read_all(path);
  ASSERT_EQ(read.size(), 100'003u);
  EXPECT_EQ(std::get<TaskExit>((*read[0]).body).code, 1);
  EXPECT_EQ(std::get<SocketInfo>((*read[100'000]).body).socket, 99'999u);
  EXPECT_EQ(std::get<TaskExit>((*read[100'001]).body).code, 2);
  int keyframes = 0, events = 0;
  for (const auto& block : Reader(path).check()) {
    EXPECT_EQ(block.damage, "");
    keyframes += block.type == "keyframe";
    events += block.type == "events";
  }
  EXPECT_GE(keyframes, 2);
  EXPECT_EQ(events, 2);
}

TEST(FormatsRoundtrip, streams_keep_their_order_and_are_merged_by_time) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  constexpr std::int64_t kEvents = 2000;
  {
    Writer writer(path, sample_preamble(), false);
    // Three streams, one of them up to a block late.
    for (std::int64_t i = 0; i < kEvents; ++i) {
      for (std::uint16_t s = 0; s < 3; ++s)
        writer.push({time_from(1'000'000'000 + i * 1'000'000 + s), {s, 1}, TaskExit{static_cast<std::int32_t>(i)}}, s);
      if (i % 50 == 0) writer.tick(time_from(1'000'000'000 + i * 1'000'000));
    }
    writer.finish(time_from(9'000'000'000));
  }
  int next[3] = {0, 0, 0};
  Time latest = kNoTime;
  for (const auto& kept : read_all(path)) {
    const Event& event = *kept;
    if (kind_of(event) != Kind::task_exit) continue;
    const auto s = event.thread.pid;
    EXPECT_EQ(std::get<TaskExit>(event.body).code, next[s]++);
    EXPECT_LT(latest - event.time, std::chrono::milliseconds{400});
    latest = std::max(latest, event.time);
  }
  for (const int n : next) EXPECT_EQ(n, kEvents);
}

TEST(FormatsRoundtrip, blocks_are_closed_by_age) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  Writer writer(path, sample_preamble(), false);
  writer.push({time_from(1'000'000'000), {}, TaskExit{1}});
  writer.tick(time_from(1'000'000'000 + kBlockAge.count() - 1));
  usleep(20'000);
  EXPECT_EQ(writer.totals().blocks, 1u);  // the preamble
  writer.tick(time_from(1'000'000'000 + kBlockAge.count()));
  for (int i = 0; i < 200 && writer.totals().blocks < 2; ++i) usleep(10'000);
  EXPECT_EQ(writer.totals().blocks, 2u);
}

TEST(FormatsRoundtrip, times_that_cannot_be_are_refused_and_counted) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  {
    Writer writer(path, sample_preamble(), false);
    writer.push({time_from(100), {}, TaskExit{1}});
    writer.push({time_from(-5), {}, TaskExit{2}});
    writer.push({time_from(200), {}, OffCpu{.left = kMaxTime + Duration{1}}});
    writer.finish(time_from(300));
    EXPECT_EQ(writer.totals().lost, 2u);
  }
  const auto read = read_all(path);
  ASSERT_EQ(read.size(), 3u);
  const auto loss = std::get<Loss>((*read[1]).body);
  EXPECT_EQ(loss.cause, LossCause::bad_record);
  EXPECT_EQ(loss.count, 2u);
  EXPECT_EQ(Reader(path).summary().lost, 2u);
}

}  // namespace
}  // namespace tailcap::formats::test
