// The writer under bad conditions: killed, disk full, name taken, another recorder at work.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <system_error>

#include "tests/unit/formats/formats_samples.h"

namespace tailcap::formats::test {
namespace {

CaptureState state_of(const std::string& path) { return Reader(path).summary().state; }

std::uint64_t events_in(const std::string& path, std::uint64_t* damages = nullptr) {
  std::uint64_t n = 0;
  for (const auto& kept : read_all(path)) {
    const Kind kind = kind_of(*kept);
    n += kind != Kind::damage && kind != Kind::capture_end;
    if (damages != nullptr) *damages += kind == Kind::damage;
  }
  return n;
}

// Incompressible text, so that the file grows.
std::string noise(std::uint64_t i) {
  std::string text(400, ' ');
  for (char& c : text) {
    i = i * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(' ' + (i >> 33) % 90);
  }
  return text;
}

TEST(FormatsWriter, a_killed_recorder_leaves_all_but_its_last_blocks) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Writer writer(path, sample_preamble(), false);
    for (std::uint64_t i = 0;; ++i) {
      writer.push(request_event(i, kRequest, kResponse));
      if (i == 500'000 && write(ready[1], "x", 1) != 1) _exit(1);
      if (i > 500'000) usleep(1000);
    }
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const auto partial = path + ".partial";
  for (int i = 0; i < 200 && events_in(partial) < 400'000; ++i) usleep(10'000);
  EXPECT_EQ(state_of(partial), CaptureState::recording);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(state_of(partial), CaptureState::truncated);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_GE(events_in(partial), 400'000u);
  EXPECT_TRUE(Reader(partial).preamble() == sample_preamble());

  // The file it left is not overwritten by accident.
  try {
    Writer writer(path, sample_preamble(), false);
    FAIL() << "a partial file was overwritten";
  } catch (const std::system_error& e) {
    EXPECT_NE(std::string(e.what()).find("is left of a recording that died; `tailcap recover` saves what is in it"),
              std::string::npos)
        << e.what();
  }
  Writer(path, sample_preamble(), true).finish(time_from(5));
  EXPECT_EQ(state_of(path), CaptureState::complete);
  EXPECT_FALSE(std::filesystem::exists(partial));
  close(ready[0]);
  close(ready[1]);
}

TEST(FormatsWriter, names_that_are_taken) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  const auto message = [&](bool force) -> std::string {
    try {
      Writer writer(path, sample_preamble(), force);
    } catch (const std::system_error& e) {
      return e.what();
    }
    return "accepted";
  };
  {
    Writer first(path, sample_preamble(), false);
    EXPECT_NE(message(false).find("is being written by another recorder"), std::string::npos);
    EXPECT_NE(message(true).find("is being written by another recorder"), std::string::npos);
    first.finish(time_from(5));
  }
  const std::string bytes = slurp(path);
  EXPECT_NE(message(false).find("exists; choose another name or give --force"), std::string::npos);
  EXPECT_EQ(slurp(path), bytes);
  std::filesystem::create_directory(folder / "folder");
  EXPECT_THROW(Writer(folder / "folder", sample_preamble(), true), std::system_error);
  EXPECT_THROW(Writer(folder / "none" + "/a.tcap", sample_preamble(), true), std::system_error);
}

TEST(FormatsWriter, a_name_taken_while_recording_is_not_overwritten) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  Writer writer(path, sample_preamble(), false);
  spill(path, "somebody else's");
  EXPECT_THROW(writer.finish(time_from(5)), std::system_error);
  EXPECT_EQ(slurp(path), "somebody else's");
  EXPECT_EQ(Reader(path + ".partial").summary().damaged_blocks, 0u);
}

TEST(FormatsWriter, a_full_disk_is_told_and_what_was_written_stays_whole) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{3'000'000, 3'000'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    int result = 1;
    try {
      Writer writer(path, sample_preamble(), false);
      for (std::uint64_t i = 0; i < 200'000; ++i) {
        const std::string text = noise(i);
        writer.push(request_event(i, text, text));
        if (i % 5000 == 0) writer.tick(request_event(i, "", "").time);
      }
      writer.finish(time_from(9'000'000'000));
    } catch (const std::system_error& e) {
      const std::string text = e.what();
      result = e.code().value() == EFBIG && text.find("cannot write " + path + ".partial") != text.npos &&
                       text.find("make room") != text.npos
                   ? 0
                   : 2;
    }
    _exit(result);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "no error, or not the one that helps";
  const auto partial = path + ".partial";
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_LE(std::filesystem::file_size(partial), 3'000'000u);
  std::uint64_t damages = 0;
  EXPECT_GT(events_in(partial, &damages), 5000u);
  EXPECT_EQ(damages, 0u) << "half a block was left";
  EXPECT_EQ(state_of(partial), CaptureState::truncated);
}

// A slow disk as the recording thread sees it: one block per event, and a queue for one.
TEST(FormatsWriter, what_the_queue_cannot_take_is_counted) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  constexpr std::uint64_t kPushed = 5000;
  WriterTotals totals;
  {
    Writer writer(path, sample_preamble(), false, {.queue_bytes = 1});
    for (std::uint64_t i = 0; i < kPushed; ++i) {
      writer.push(
          {time_from(1000) + i * kBlockAge, {1, 1}, Io{.socket = 1, .payload = Payload::captured, .head = noise(i)}});
    }
    writer.finish(kMaxTime);
    totals = writer.totals();
  }
  EXPECT_EQ(totals.events, kPushed);
  EXPECT_GT(totals.lost, 0u);
  std::uint64_t read = 0, told = 0;
  Reader reader(path, {1});
  for (auto events = reader.next(); !events.empty(); events = reader.next()) {
    for (const Event& event : events) {
      read += kind_of(event) == Kind::send;
      EXPECT_NE(kind_of(event), Kind::damage);
      if (const auto* loss = std::get_if<Loss>(&event.body)) {
        EXPECT_EQ(loss->cause, LossCause::queue_full);
        EXPECT_LE(loss->since, event.time);
        told += loss->count;
      }
    }
  }
  EXPECT_EQ(told, totals.lost);
  EXPECT_EQ(read + told, kPushed);
  EXPECT_EQ(reader.summary().lost, told);
}

TEST(FormatsWriter, losses_are_in_the_headers) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  {
    Writer writer(path, sample_preamble(), false);
    writer.push({time_from(10), {}, Loss{time_from(5), LossCause::ring_full, 255, 40}});
    writer.push({time_from(11), {}, Loss{time_from(5), LossCause::ring_full, 1, 2}});
    writer.finish(time_from(20));
    EXPECT_EQ(writer.totals().lost, 42u);
  }
  EXPECT_EQ(Reader(path).summary().lost, 42u);
}

}  // namespace
}  // namespace tailcap::formats::test
