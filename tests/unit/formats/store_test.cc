// The last part of a recording, in memory and in files of bounded size.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "formats/file/reader.h"
#include "formats/file/writer.h"
#include "formats/store/ring.h"
#include "formats/store/rotation.h"

namespace tailcap::formats {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kSecond = 1'000'000'000;

struct StoreCase : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("tailcap-store-" + std::to_string(getpid()));
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }

  static Preamble preamble() {
    Preamble p;
    p.capture_id = "store";
    p.started = time_from(kSecond);
    return p;
  }

  // Events of one second each: a keyframe with one event, then `per_second` sends with payload that does not compress.
  static void second(Writer& writer, std::int64_t n, int per_second, std::string& noise) {
    const std::int64_t at = (n + 1) * kSecond;
    writer.begin_keyframe(time_from(at));
    writer.push({time_from(at), {}, Note{"second", std::to_string(n)}});
    writer.end_keyframe();
    for (int i = 0; i < per_second; ++i) {
      for (char& c : noise) {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        c = static_cast<char>(state_ >> 40);
      }
      writer.push({time_from(at + 1000 + i), {1, 1}, Note{"noise", noise}});
    }
    writer.tick(time_from(at + kSecond - 1));
  }
  static inline std::uint64_t state_ = 1;

  struct Seconds {
    std::int64_t first = -1, last = -1;
    std::uint64_t noise = 0;
    CaptureState state = CaptureState::truncated;
    bool keyframe_first = false;
  };
  static Seconds read(const fs::path& path) {
    Seconds out;
    Reader reader(path.string());
    bool any = false;
    for (auto events = reader.next(); !events.empty(); events = reader.next())
      for (const Event& event : events) {
        if (const auto* note = std::get_if<Note>(&event.body)) {
          if (!any) out.keyframe_first = note->key == "second";
          any = true;
          if (note->key == "noise") ++out.noise;
          if (note->key != "second") continue;
          const std::int64_t n = std::stoll(std::string(note->value));
          if (out.first < 0) out.first = n;
          out.last = n;
        }
        if (const auto* end = std::get_if<CaptureEnd>(&event.body)) out.state = end->state;
      }
    return out;
  }
};

TEST_F(StoreCase, TheRingKeepsWhatItMust) {
  const fs::path file = folder / "ring.tcap";
  auto owned = std::make_unique<store::Ring>(store::RingLimits{Duration{5 * kSecond}, 0}, preamble(), file, false);
  store::Ring& ring = *owned;
  Writer writer(std::move(owned));
  std::string noise(100, 'x');
  for (int n = 0; n < 30; ++n) second(writer, n, 10, noise);
  EXPECT_FALSE(fs::exists(file));
  writer.finish(time_from(31 * kSecond));
  const Seconds kept = read(file);
  EXPECT_EQ(kept.state, CaptureState::complete);
  EXPECT_TRUE(kept.keyframe_first);
  EXPECT_EQ(kept.last, 29);
  EXPECT_LE(kept.first, 25) << "five seconds";
  EXPECT_GE(kept.first, 23) << "and at most a segment more";
  EXPECT_EQ(kept.noise, static_cast<std::uint64_t>(10 * (kept.last - kept.first + 1)));
  (void)ring;
}

TEST_F(StoreCase, ABoundInBytes) {
  auto owned =
      std::make_unique<store::Ring>(store::RingLimits{Duration{}, 200'000}, preamble(), folder / "r.tcap", false);
  store::Ring& ring = *owned;
  Writer writer(std::move(owned), WriterOptions{.wait = true});
  std::string noise(200, 'x');
  for (int n = 0; n < 100; ++n) {
    second(writer, n, 50, noise);
    EXPECT_LT(ring.file_bytes(), 200'000u + 30'000u);
  }
  writer.finish(time_from(101 * kSecond));
  EXPECT_EQ(read(folder / "r.tcap").last, 99);
  EXPECT_GT(read(folder / "r.tcap").first, 70);
}

TEST_F(StoreCase, ASnapshotWhileItGoesOn) {
  auto owned = std::make_unique<store::Ring>(store::RingLimits{Duration{5 * kSecond}, 0}, preamble(),
                                             folder / "end.tcap", false);
  store::Ring& ring = *owned;
  Writer writer(std::move(owned));
  std::string noise(100, 'x');
  std::mutex mutex;
  std::condition_variable written;
  int snapshots = 0, refused = 0;
  for (int n = 0; n < 20; ++n) {
    second(writer, n, 10, noise);
    if (n != 9) continue;
    for (const char* name : {"one.tcap", "two.tcap"})
      writer.after_blocks([&, name] {
        const bool begun =
            ring.snapshot(folder / name, Duration{}, {"why", "test"}, [&](const store::Ring::Snapshot& s) {
              const std::lock_guard lock(mutex);
              EXPECT_EQ(s.error, "");
              ++snapshots;
              written.notify_one();
            });
        const std::lock_guard lock(mutex);
        refused += !begun;
        written.notify_one();
      });
  }
  {
    std::unique_lock lock(mutex);
    written.wait(lock, [&] { return snapshots + refused == 2; });
  }
  EXPECT_GE(snapshots, 1);
  const Seconds then = read(folder / "one.tcap");
  EXPECT_EQ(then.last, 9);
  EXPECT_EQ(then.noise, static_cast<std::uint64_t>(10 * (then.last - then.first + 1))) << "open blocks are in it";
  EXPECT_EQ(Reader((folder / "one.tcap").string()).preamble().notes.back().second, "test");
  writer.finish(time_from(21 * kSecond));
  EXPECT_EQ(read(folder / "end.tcap").last, 19);
}

// Limits the files of this process to a number of bytes, as a full disk does.
class Full {
 public:
  explicit Full(rlim_t bytes) : handled_(::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit less{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &less);
  }
  ~Full() {
    setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handled_);
  }
  Full(const Full&) = delete;
  Full& operator=(const Full&) = delete;

 private:
  rlimit before_{};
  sighandler_t handled_;
};

TEST_F(StoreCase, WithoutRoomItIsSaidWhatIsLost) {
  for (const rlim_t room : {rlim_t{100}, rlim_t{20'000}}) {
    const fs::path end = folder / (std::to_string(room) + ".tcap");
    auto owned = std::make_unique<store::Ring>(store::RingLimits{Duration{50 * kSecond}, 0}, preamble(), end, false);
    store::Ring& ring = *owned;
    Writer writer(std::move(owned));
    std::string noise(100, 'x'), error;
    for (int n = 0; n < 40; ++n) second(writer, n, 10, noise);
    const Full full(room);
    std::mutex mutex;
    std::condition_variable written;
    writer.after_blocks([&] {
      ring.snapshot(folder / "x.tcap", Duration{}, {"why", "test"}, [&](const auto& s) {
        const std::lock_guard lock(mutex);
        error = s.error;
        written.notify_one();
      });
    });
    {
      std::unique_lock lock(mutex);
      written.wait(lock, [&] { return !error.empty(); });
    }
    EXPECT_NE(error.find("no part of the snapshot was kept"), error.npos) << error;
    EXPECT_FALSE(fs::exists(folder / "x.tcap.partial"));
    std::string said;
    try {
      writer.finish(time_from(41 * kSecond));
    } catch (const std::exception& e) {
      said = e.what();
    }
    if (room == 100) {
      EXPECT_NE(said.find("was in memory and is lost, all "), said.npos) << said;
      EXPECT_FALSE(fs::exists(end.string() + ".partial"));
    } else {
      EXPECT_NE(said.find("of its "), said.npos) << said;
      EXPECT_NE(said.find("tailcap recover"), said.npos) << said;
      EXPECT_TRUE(fs::exists(end.string() + ".partial"));
    }
  }
}

// Who may write the folder can put another file in the place of the one that is written.
TEST_F(StoreCase, ANameThatIsNotTheCapturesIsNoSuccess) {
  const fs::path file = folder / "x.tcap";
  Writer writer(file.string(), preamble(), false);
  std::string noise(100, 'x');
  second(writer, 0, 10, noise);
  fs::rename(file.string() + ".partial", folder / "theirs");
  fs::create_symlink("theirs", file.string() + ".partial");
  std::string said;
  try {
    writer.finish(time_from(3 * kSecond));
  } catch (const std::exception& e) {
    said = e.what();
  }
  EXPECT_NE(said.find("is not the capture that was written"), said.npos) << said;
}

TEST_F(StoreCase, ASnapshotThatCannotBeWrittenHarmsNothing) {
  auto owned = std::make_unique<store::Ring>(store::RingLimits{Duration{5 * kSecond}, 0}, preamble(),
                                             folder / "end.tcap", false);
  store::Ring& ring = *owned;
  Writer writer(std::move(owned));
  std::string noise(100, 'x');
  std::string error;
  for (int n = 0; n < 3; ++n) second(writer, n, 10, noise);
  writer.after_blocks([&] {
    ring.snapshot(folder / "none" / "x.tcap", Duration{}, {"why", "test"}, [&](const auto& s) { error = s.error; });
  });
  second(writer, 3, 10, noise);
  writer.finish(time_from(5 * kSecond));
  EXPECT_NE(error, "");
  EXPECT_EQ(read(folder / "end.tcap").last, 3);
}

TEST_F(StoreCase, FilesOfBoundedSize) {
  constexpr std::uint64_t kBytes = 100'000;
  auto owned = std::make_unique<store::Rotation>((folder / "f.tcap").string(), preamble(), false, kBytes, 3);
  store::Rotation& rotation = *owned;
  Writer writer(std::move(owned), WriterOptions{.wait = true});
  std::string noise(200, 'x');
  bool wanted = false;
  for (int n = 0; n < 60; ++n) {
    second(writer, n, 50, noise);
    wanted = wanted || rotation.wants_keyframe();
  }
  writer.finish(time_from(61 * kSecond));
  EXPECT_TRUE(wanted);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  ASSERT_EQ(files.size(), 3u);
  std::int64_t next = read(files.front()).first;
  for (const fs::path& file : files) {
    EXPECT_LE(fs::file_size(file), kBytes) << file;
    const Seconds part = read(file);
    EXPECT_EQ(part.state, CaptureState::complete);
    EXPECT_TRUE(part.keyframe_first);
    EXPECT_EQ(part.first, next) << "no second is missing between two files";
    next = part.last + 1;
  }
  EXPECT_EQ(next, 60);
}

}  // namespace
}  // namespace tailcap::formats
