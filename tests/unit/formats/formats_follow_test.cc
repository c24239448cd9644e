// A capture that is read while it is written, and one that is written to a pipe.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <system_error>
#include <thread>

#include "formats/follow/follower.h"
#include "formats/follow/recording.h"
#include "formats/store/rotation.h"
#include "formats/store/stream.h"
#include "tests/unit/formats/formats_samples.h"

namespace tailcap::formats::test::formats_follow_test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kEvents = 200'000, kNoise = 50'000;

struct Pipe {
  int ends[2];
  Pipe() { EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(int i) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
  std::string path(int i) const { return "/proc/self/fd/" + std::to_string(ends[i]); }
};

struct Followed {
  std::uint64_t events = 0, damages = 0, sum = 0;
  CaptureState state = CaptureState::recording;
  void add(std::span<const Event> all) {
    for (const Event& event : all) {
      if (const auto* end = std::get_if<CaptureEnd>(&event.body)) {
        state = end->state;
      } else if (kind_of(event) == Kind::damage) {
        ++damages;
      } else {
        ++events;
        sum += static_cast<std::uint64_t>(nanoseconds(event.time)) * events;  // of the order, too
      }
    }
  }
};

Followed follow(Follower& follower) {
  Followed out;
  while (!follower.ended()) out.add(follower.next(100ms));
  return out;
}

Followed read(const std::string& path) {
  Followed out;
  Reader reader(path, {1});
  for (auto span = reader.next(); !span.empty(); span = reader.next()) out.add(span);
  return out;
}

void push_all(Writer& writer) {
  for (std::uint64_t i = 0; i < kEvents; ++i) writer.push(request_event(i, kRequest, kResponse));
}

// Incompressible, so that a pipe is full at once.
void push_noise(Writer& writer) {
  std::uint64_t n = 1;
  std::string text(400, ' ');
  for (std::uint64_t i = 0; i < kNoise; ++i) {
    for (char& c : text)
      c = static_cast<char>(' ' + ((n = n * 6364136223846793005u + 1442695040888963407u) >> 33) % 90);
    writer.push(request_event(4 * i + 1, text, text));
  }
}

Time last_time() { return request_event(kEvents - 1, kRequest, kResponse).time; }

struct Streamed {
  store::Stream* stream;
  Writer writer;
  Streamed(const Pipe& pipe, Duration patience, WriterOptions options = {})
      : Streamed(std::make_unique<store::Stream>(pipe.ends[1], sample_preamble(), patience), options) {}
  Streamed(std::unique_ptr<store::Stream> made, WriterOptions options)
      : stream(made.get()), writer(std::move(made), options) {}
  ~Streamed() { stream->end_soon(); }
  void finish() {
    stream->end_soon();
    writer.finish(last_time());
  }
};

std::string drained(int fd) {
  std::string out;
  char buffer[65536];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<std::size_t>(n));
  return out;
}

TEST(FormatsFollow, while_it_grows_and_gets_its_name) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  Writer writer(path, sample_preamble(), false);
  Follower follower(path);  // PATH.partial
  std::jthread recorder([&] {
    push_all(writer);
    writer.finish(last_time());
  });
  const Followed live = follow(follower);
  EXPECT_EQ(live.state, CaptureState::complete);
  EXPECT_EQ(follower.damaged(), 0u);
  EXPECT_EQ(follower.preamble()->capture_id, sample_preamble().capture_id);
  const Followed whole = read(path);
  EXPECT_EQ(live.events, kEvents);
  EXPECT_EQ(live.events, whole.events);
  EXPECT_EQ(live.sum, whole.sum);
  EXPECT_EQ(follower.first(), Reader(path).summary().first);
}

struct Rotated {
  const Folder folder;
  const std::string path = folder / "a.tcap";
  Writer writer;
  explicit Rotated(std::size_t keep)
      : writer(std::make_unique<store::Rotation>(path, sample_preamble(), false, 300'000, keep), {}) {}
  std::uint64_t files() const {
    std::uint64_t n = 0;
    while (std::filesystem::exists(store::Rotation::file_name(path, n + 1))) ++n;
    return n;
  }
};

Followed follow(FollowedRecording& recording) {
  Followed out;
  while (!recording.ended()) out.add(recording.next(100ms));
  return out;
}

TEST(FormatsFollow, from_file_to_file) {
  Rotated rotated(1000);
  FollowedRecording recording(rotated.path);
  std::jthread recorder([&] {
    push_noise(rotated.writer);
    rotated.writer.finish(last_time());
  });
  const Followed live = follow(recording);
  EXPECT_GT(rotated.files(), 20u);
  EXPECT_EQ(live.state, CaptureState::complete);
  EXPECT_EQ(live.events, kNoise);
  EXPECT_EQ(live.damages, 0u);
  EXPECT_EQ(recording.damaged(), 0u);
  EXPECT_EQ(recording.preamble()->capture_id, sample_preamble().capture_id);
  std::uint64_t sum = 0, n = 0;
  for (std::uint64_t file = 1; file <= rotated.files(); ++file) {
    Reader reader(store::Rotation::file_name(rotated.path, file), {1});
    for (auto span = reader.next(); !span.empty(); span = reader.next())
      for (const Event& event : span)
        if (!std::holds_alternative<CaptureEnd>(event.body))
          sum += static_cast<std::uint64_t>(nanoseconds(event.time)) * ++n;
  }
  EXPECT_EQ(live.sum, sum);
}

TEST(FormatsFollow, files_that_were_removed_before_they_were_read) {
  Rotated rotated(2);
  FollowedRecording recording(rotated.path);
  push_noise(rotated.writer);
  rotated.writer.finish(last_time());
  const Followed live = follow(recording);
  EXPECT_EQ(live.state, CaptureState::complete);
  EXPECT_GE(live.damages, 1u);
  EXPECT_GE(recording.damaged(), 1u);
  EXPECT_GT(live.events, 0u);
  EXPECT_LT(live.events, kNoise);
}

TEST(FormatsFollow, one_of_the_files_by_its_name) {
  Rotated rotated(1000);
  push_noise(rotated.writer);
  rotated.writer.finish(last_time());
  const std::string second = store::Rotation::file_name(rotated.path, 2);
  FollowedRecording recording(second);
  const Followed live = follow(recording);
  EXPECT_EQ(live.events, read(second).events);
  EXPECT_THROW(FollowedRecording(rotated.folder / "b.tcap"), std::system_error);
}

TEST(FormatsFollow, nothing_comes_for_a_while) {
  const Folder folder;
  Writer writer(folder / "a.tcap", sample_preamble(), false);
  Follower follower(folder / "a.tcap");
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(follower.next(200ms).empty());
  EXPECT_GE(std::chrono::steady_clock::now() - began, 200ms);
  EXPECT_FALSE(follower.ended());
  EXPECT_TRUE(follower.preamble().has_value());
}

TEST(FormatsFollow, a_recorder_that_died) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  {
    Writer writer(path, sample_preamble(), false);
    push_all(writer);
  }
  const std::string bytes = slurp(path + ".partial");
  spill(path + ".partial", std::string_view(bytes).substr(0, bytes.size() - 100));
  Follower follower(path);
  const Followed live = follow(follower);
  EXPECT_EQ(live.state, CaptureState::truncated);
  EXPECT_EQ(live.events, read(path + ".partial").events);
  EXPECT_EQ(follower.damaged(), 1u);
}

TEST(FormatsFollow, a_file_that_is_cut_below_what_was_read) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  Writer writer(path, sample_preamble(), false);
  push_all(writer);
  Follower follower(path);
  Followed live;
  while (live.events < kEvents / 2) live.add(follower.next(100ms));
  ASSERT_EQ(truncate((path + ".partial").c_str(), 1000), 0);
  live.add(follower.next(100ms));
  for (int i = 0; i < 100 && !follower.ended(); ++i) live.add(follower.next(100ms));
  EXPECT_TRUE(follower.ended());
  EXPECT_EQ(live.state, CaptureState::truncated);
  EXPECT_GE(follower.damaged(), 1u);
}

TEST(FormatsFollow, damage_is_skipped_as_the_reader_does) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  {  // as long as the writer exists, it has the file locked, and what lacks its end is waited for
    Writer writer(path, sample_preamble(), false);
    push_all(writer);
    writer.finish(last_time());
  }
  const std::string good = slurp(path);
  for (const std::size_t at : {good.size() / 3, good.size() / 2, good.size() - 200}) {
    std::string bad = good;
    bad[at] = static_cast<char>(~bad[at]);
    spill(path, bad);
    Follower follower(path);
    const Followed live = follow(follower), whole = read(path);
    EXPECT_EQ(live.events, whole.events) << at;
    EXPECT_EQ(live.sum, whole.sum) << at;
    EXPECT_EQ(live.state, whole.state) << at;
  }
  // One stretch is missing, or there twice.
  std::uint64_t n = 7;
  const auto dice = [&](std::size_t most) {
    return static_cast<std::size_t>((n = n * 6364136223846793005u + 1442695040888963407u) >> 33) % most;
  };
  for (int i = 0; i < 40; ++i) {
    std::string bad = good;
    const std::size_t at = 1000 + dice(good.size() - 2000), size = 1 + dice(900);
    if (i % 2 == 0)
      bad.erase(at, size);
    else
      bad.insert(at, good.substr(dice(good.size() - 1000), size));
    spill(path, bad);
    Follower follower(path);
    const Followed live = follow(follower), whole = read(path);
    EXPECT_GE(live.damages, 1u) << i;
    if (i % 2 == 0) {
      EXPECT_EQ(live.events, whole.events) << i;
      EXPECT_EQ(live.state, whole.state) << i;
    } else {
      // Where an inserted piece has a header in it, each may take another block for the wrong one, the last one, too.
      EXPECT_LT(live.events, kEvents) << i;
      EXPECT_NE(live.state, CaptureState::recording) << i;
    }
  }
  // A stretch is missing, with the beginnings of blocks in it.
  spill(path, good.substr(0, good.size() / 4) + good.substr(good.size() / 2));
  Follower follower(path);
  const Followed live = follow(follower);
  EXPECT_EQ(live.events, read(path).events);
  EXPECT_GE(live.damages, 1u);
}

TEST(FormatsFollow, what_is_no_capture) {
  const Folder folder;
  for (const std::string& bytes : {std::string("GIF89a"), std::string(3 << 20, 'x'), std::string()}) {
    spill(folder / "a.tcap", bytes);
    Follower follower(folder / "a.tcap");
    EXPECT_THROW(follow(follower), std::runtime_error);
  }
  EXPECT_THROW(Follower(folder / "absent.tcap"), std::system_error);
  EXPECT_THROW(Follower(folder / "."), std::runtime_error);
}

TEST(FormatsStream, the_bytes_of_a_file) {
  const Folder folder;
  Writer file(folder / "a.tcap", sample_preamble(), false, {.wait = true});
  push_all(file);
  file.finish(last_time());
  Pipe pipe;
  std::string got;
  std::jthread reader([&] { got = drained(pipe.ends[0]); });
  {
    Streamed stream(pipe, 10s, {.wait = true});
    push_all(stream.writer);
    stream.finish();
  }
  pipe.close_end(1);
  reader.join();
  EXPECT_TRUE(got == slurp(folder / "a.tcap")) << got.size();
}

TEST(FormatsStream, it_can_be_followed_in_pieces_of_any_size) {
  const Folder folder;
  Writer file(folder / "a.tcap", sample_preamble(), false, {.wait = true});
  for (std::uint64_t i = 0; i < 5000; ++i) file.push(request_event(i, kRequest, kResponse));
  file.finish(last_time());
  const std::string bytes = slurp(folder / "a.tcap");
  for (const std::size_t piece : {1u, 71u, 4097u}) {
    Pipe pipe;
    std::jthread sender([&] {
      for (std::size_t at = 0; at < bytes.size(); at += piece) {
        const std::size_t n = std::min(piece, bytes.size() - at);
        EXPECT_EQ(::write(pipe.ends[1], bytes.data() + at, n), static_cast<ssize_t>(n));
      }
      pipe.close_end(1);
    });
    Follower follower(pipe.path(0));
    const Followed live = follow(follower);
    EXPECT_EQ(live.events, 5000u) << piece;
    EXPECT_EQ(live.state, CaptureState::complete);
    EXPECT_EQ(live.sum, read(folder / "a.tcap").sum);
  }
}

TEST(FormatsStream, a_reader_that_stalls_costs_blocks_not_the_recorder) {
  Pipe pipe;
  const auto began = std::chrono::steady_clock::now();
  Streamed stream(pipe, 300ms, {.queue_bytes = 1 << 20});
  push_noise(stream.writer);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
  EXPECT_GT(stream.writer.totals().lost, kNoise / 4);
  EXPECT_THROW(stream.finish(), std::system_error);
}

TEST(FormatsStream, what_was_lost_while_the_reader_stalled_is_counted_in_the_stream) {
  Pipe pipe;
  Followed live;
  std::uint64_t lost = 0;
  Streamed stream(pipe, 10s, {.queue_bytes = 1 << 20});
  push_noise(stream.writer);
  const std::uint64_t counted = stream.writer.totals().lost;
  EXPECT_GT(counted, 0u);
  std::jthread reader([&] {
    Follower follower(pipe.path(0));
    while (!follower.ended()) {
      const auto events = follower.next(100ms);
      live.add(events);
      for (const Event& event : events)
        if (const auto* loss = std::get_if<Loss>(&event.body)) lost += loss->count, --live.events;
    }
  });
  stream.finish();
  pipe.close_end(1);
  reader.join();
  EXPECT_EQ(lost, counted);
  EXPECT_EQ(live.events + lost, kNoise);
}

TEST(FormatsStream, a_reader_that_has_gone) {
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  Streamed stream(pipe, 10s);
  pipe.close_end(0);
  // When it is noticed depends on the writer's thread.
  const auto record = [&] {
    push_noise(stream.writer);
    stream.finish();
  };
  EXPECT_THROW(record(), std::system_error);
}

}  // namespace
}  // namespace tailcap::formats::test::formats_follow_test
