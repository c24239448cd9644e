#include "analyze/cli/keep/keep_summaries.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "analyze/cli/keep/known_capture.h"
#include "analyze/cli/output/child.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/recorder_program.h"
#include "analyze/cli/output/scratch.h"
#include "analyze/cli/output/signals.h"
#include "analyze/model/request.h"
#include "analyze/report/summaries/words.h"
#include "analyze/views/summaries/summarise.h"
#include "formats/follow/rotated_files.h"
#include "formats/summary/summary_file.h"

namespace tailcap::cli {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::size_t kMostSaid = 1 << 12;
constexpr auto kStep = 200ms;
constexpr auto kForFile = 30s;
// A recording in memory: at a look, three times what has passed since the last one is read, so that requests are
// whole. What is so late that it is not there yet comes at the next look.
constexpr int kOverlap = 3;
constexpr std::int64_t kLate = 2'000'000'000;      // ns
constexpr std::int64_t kLeastGap = 1'000'000'000;  // ns: files of one recording meet within that
constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

std::string shown(const std::string& path) { return report::printable(fs::path(path).filename().string()); }

std::int64_t realtime_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Whole recordings have ids of this kind; others have no name.
bool is_id(const std::string& id) { return !id.empty() && id.size() <= 100 && id.find_first_of(" \n\r\t") == id.npos; }

// A program has this socket. A killed one leaves it behind; asked for a socket of another type, a program that lives
// notices nothing.
bool listens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::error_code error;
  if (path.size() >= sizeof address.sun_path) return fs::exists(path, error);
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fs::exists(path, error);
  const bool refused = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
  const bool lives = !refused || errno == EPROTOTYPE;
  close(fd);
  return lives;
}

// Device, inode, size, and when it was modified: the inode of a file that was removed is soon another file's.
using FileIdentity = std::tuple<dev_t, ino_t, off_t, time_t, long>;

class SummaryKeeper {
 public:
  explicit SummaryKeeper(const KeptSummaries& kept) : kept_(kept), days_(kept.folder, kept.bounds) {}

  // Takes what has come since the last look. False: there is nothing of a recording with this name.
  bool look() {
    const bool runs = recorder_runs();
    const std::vector<formats::RotatedFile> files = files_now();
    for (const formats::RotatedFile& file : files)
      if (!file.partial || (!formats::is_being_written(file.path) && !ended_by_signal())) take_file(file);
    const bool in_memory = runs && files.empty();
    if (in_memory) take_from_memory();
    from_memory_ = from_memory_ || in_memory;
    for (const std::string& day : days_.remove_oldest())
      say(day + " was removed: --keep and --keep-size are the bounds of the folder");
    if (!runs && files.empty() && from_memory_)
      complain_of_loss("the recorder has ended, and what it had in memory since the last check is not there");
    return runs || !files.empty();
  }

  bool recorder_runs() const {
    if (listens(kept_.file + ".control")) return true;
    for (const formats::RotatedFile& file : files_now())
      if (file.partial && formats::is_being_written(file.path)) return true;
    return false;
  }
  // After a recording in memory, FILE comes when it is whole.
  void wait_for_file() const {
    const auto until = std::chrono::steady_clock::now() + kForFile;
    std::error_code error;
    while (from_memory_ && !ended_by_signal() && !fs::exists(kept_.file, error) &&
           std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(kStep);
  }
  bool saw_one() const { return from_memory_; }
  int code() const { return complete_ ? kDone : kIncomplete; }

 private:
  std::vector<formats::RotatedFile> files_now() const {
    std::vector<formats::RotatedFile> files = formats::rotated_files(kept_.file);
    std::error_code error;
    if (files.empty() && fs::is_regular_file(kept_.file, error)) files.push_back({0, kept_.file, false});
    if (files.empty() && fs::is_regular_file(kept_.file + ".partial", error))
      files.push_back({0, kept_.file + ".partial", true});
    return files;
  }

  static void say(const std::string& what) {
    std::printf("%s  %s\n", report::utc_text(realtime_now(), 0).c_str(), what.c_str());
    std::fflush(stdout);
  }
  void complain_of_loss(const std::string& what) {
    complete_ = false;
    complain("watch", what);
  }

  void take_file(const formats::RotatedFile& file) {
    struct stat status {};
    if (stat(file.path.c_str(), &status) != 0) return;
    const FileIdentity identity{status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                                status.st_mtim.tv_nsec};
    if (taken_.contains(identity)) return;
    std::optional<KnownCapture> capture;
    try {
      capture.emplace(file.path);
    } catch (const std::exception& e) {
      std::error_code error;
      if (!fs::exists(file.path, error)) return;  // it was removed in this moment: the next one shows what is missing
      complain_of_loss(shown(file.path) + " is not added: " + e.what());
      taken_.insert(identity);
      return;
    }
    taken_.insert(identity);
    if (!is_id(capture->id)) return complain_of_loss(shown(file.path) + " is not added: it has no id");
    const std::uint64_t number = std::max<std::uint64_t>(file.number, 1), before = days_.files_of(capture->id);
    if (number <= before) return;
    // After a recording in memory, FILE has what came last: the beginning of it may have been added.
    const auto since = file.number == 0 ? days_.added_until(capture->id, kForever) : std::nullopt;
    if (!add(file.path, shown(file.path), *capture, since, std::nullopt, number > before + 1)) return;
    days_.set_files_of(capture->id, number);
  }

  // False: the file is not there any more.
  bool add(const std::string& path, const std::string& name, const KnownCapture& capture,
           std::optional<std::int64_t> since, std::optional<std::int64_t> until, bool missed) {
    std::string why;
    std::optional<formats::Summary> part = summary_of(path, since, until, why);
    std::error_code error;
    if (!part && !fs::exists(path, error)) return false;
    if (part && part->captures.empty()) return true;
    if (part) trim(*part, capture.id);
    const formats::SummarisedCapture whole =
        part ? *part->captures.begin()
             : formats::SummarisedCapture{capture.id, capture.host, capture.began, capture.ended, 0, false};
    if (missed || since)
      add_gap(capture, since ? *since : days_.added_until(capture.id, whole.began).value_or(capture.recording_began),
              since ? capture.began : whole.began, path);
    if (!part) {
      complain_of_loss(name + " is not added: " + why);
      add_nothing(whole, path);
      return true;
    }
    complete_ = complete_ && whole.whole;
    const std::string what =
        report::count_text(served(*part), "request", "requests") + " until " + report::minute_text(whole.ended);
    say(what + (days_.add(std::move(*part), path) ? " added from " : " were added before from ") + name);
    return true;
  }

  // Files of one recording follow each other: what one says of the time before its beginning was seen late.
  void trim(formats::Summary& part, const std::string& id) const {
    formats::SummarisedCapture whole = *part.captures.begin();
    const auto before = days_.added_until(id, whole.began);
    if (!before || *before - whole.began < kLeastGap) return;
    whole.began = std::min(*before, whole.ended);
    part.captures = {std::move(whole)};
  }

  // Nothing is known of this time: a capture without windows says so.
  void add_gap(const KnownCapture& capture, std::int64_t from, std::int64_t to, const std::string& file) {
    if (to - from <= kLeastGap) return;
    complain_of_loss("from " + report::utc_text(from, 0) + " to " + report::utc_text(to, 0) +
                     " nothing is added: the recorder removed it before it was read");
    add_nothing({capture.id, capture.host, from, to, 0, false}, file);
  }
  void add_nothing(const formats::SummarisedCapture& missing, const std::string& file) {
    formats::Summary nothing;
    nothing.window = views::kDefaultWindow;
    nothing.captures.insert(missing);
    days_.add(std::move(nothing), file);
  }

  static std::uint64_t served(const formats::Summary& part) {
    std::uint64_t out = 0;
    for (const auto& [start, window] : part.windows)
      for (const auto& [route, cell] : window.routes)
        if (route.role == model::name_of(model::Role::server)) out += cell.requests;
    return out;
  }

  // What `tailcap summarise` makes of it, in a process of its own, which is held to the limits of that command.
  std::optional<formats::Summary> summary_of(const std::string& path, std::optional<std::int64_t> since,
                                             std::optional<std::int64_t> until, std::string& why) {
    const std::string out = scratch_.file("part.tcs");
    std::error_code error;
    fs::remove(out, error);
    std::vector<std::string> words = {"tailcap", "summarise", path, "-o", out};
    if (since) words.insert(words.end(), {"--ended-from", std::to_string(*since)});
    if (until) words.insert(words.end(), {"--ended-to", std::to_string(*until)});
    const ChildAnswer answer = run_child(
        [&words] {
          std::vector<char*> arguments;
          for (std::string& word : words) arguments.push_back(word.data());
          arguments.push_back(nullptr);
          execv("/proc/self/exe", arguments.data());
          return kFailed;
        },
        kMostSaid);
    why = answer.messages;
    while (why.ends_with('\n')) why.pop_back();
    if (answer.code != kDone && answer.code != kIncomplete) return std::nullopt;
    if (!why.empty()) complain("watch", why);
    return formats::read_summary(out);
  }

  void take_from_memory() {
    const std::string piece = kept_.file + ".summaries";
    std::error_code error;
    fs::remove(piece, error);
    const formats::Duration last = kOverlap * kept_.every;
    const std::int64_t asked = realtime_now();
    const RecorderAnswer said =
        ask_recorder({"control", kept_.file, "snapshot", piece + "\nlast=" + std::to_string(last.count())});
    if (said.code != 0) {
      if (recorder_runs()) complain_of_loss(said.text);
      return;
    }
    const std::int64_t until = realtime_now() - kLate;
    try {
      KnownCapture capture(piece);
      // Its first event may be a wait that began long before.
      capture.began = std::max(capture.began, asked - last.count());
      const auto since = days_.added_until(capture.id, until);
      if (!since || *since < until) (void)add(piece, "memory", capture, since, until, false);
    } catch (...) {
      fs::remove(piece, error);
      throw;
    }
    fs::remove(piece, error);
  }

  const KeptSummaries& kept_;
  const DayFiles days_;
  Scratch scratch_;
  std::set<FileIdentity> taken_;
  bool complete_ = true, from_memory_ = false;
};

}  // namespace

int keep_summaries(const KeptSummaries& kept) {
  SummaryKeeper keeper(kept);
  const auto begins = std::chrono::steady_clock::now() + kept.patience;
  while (!ended_by_signal() && !keeper.recorder_runs() && std::chrono::steady_clock::now() < begins)
    std::this_thread::sleep_for(kStep);
  while (true) {
    const bool last = !keeper.recorder_runs() || ended_by_signal();
    if (last) keeper.wait_for_file();
    if (!keeper.look() && !keeper.saw_one())
      throw std::runtime_error("no recorder is writing " + report::printable(kept.file));
    if (last) return keeper.code();
    const auto until = std::chrono::steady_clock::now() + kept.every;
    while (!ended_by_signal() && keeper.recorder_runs() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(kStep);
  }
}

}  // namespace tailcap::cli
