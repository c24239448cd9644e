#include "formats/follow/recording.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "formats/follow/rotated_files.h"
#include "formats/store/rotation.h"

namespace tailcap::formats {
namespace {

using namespace std::chrono_literals;

// The recorder opens a file milliseconds after it has closed the one before.
constexpr auto kNextFile = 2s;
constexpr auto kLookForNext = 50ms;

// The newest file; with `after`, the first one behind that. 0: there is none.
std::uint64_t find_file(const std::string& path, std::uint64_t after) {
  const std::vector<RotatedFile> files = rotated_files(path);
  if (after == 0) return files.empty() ? 0 : files.back().number;
  const auto next = std::ranges::find_if(files, [&](const RotatedFile& f) { return f.number > after; });
  return next == files.end() ? 0 : next->number;
}

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) || std::filesystem::exists(path + ".partial", error);
}

}  // namespace

FollowedRecording::FollowedRecording(const std::string& path) : path_(path) {
  if (path != "-" && !exists(path)) number_ = find_file(path, 0);
  file_ = std::make_unique<Follower>(number_ == 0 ? path : store::Rotation::file_name(path, number_));
}

const std::optional<Preamble>& FollowedRecording::preamble() const { return preamble_; }

bool FollowedRecording::go_on() {
  const std::uint64_t found = find_file(path_, number_);
  if (found == 0) return false;
  std::unique_ptr<Follower> file;
  try {
    file = std::make_unique<Follower>(store::Rotation::file_name(path_, found));
  } catch (const std::system_error&) {
    return false;  // it was removed, or gets its final name in this moment
  }
  damaged_ += file_->damaged();
  file_ = std::move(file);
  missed_ = found != number_ + 1;
  number_ = found;
  end_.reset();
  return true;
}

std::span<const Event> FollowedRecording::next(Duration patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!ended_) {
    const auto now = std::chrono::steady_clock::now();
    if (end_ && !go_on()) {
      if (now - waiting_since_ >= kNextFile) {
        ended_ = true;
        made_ = *end_;
        return {&made_, 1};
      }
      if (now >= until) return {};
      std::this_thread::sleep_for(kLookForNext);
      continue;
    }
    if (std::exchange(missed_, false)) {
      ++damaged_;
      made_ = {last_, {}, Damage{last_, 0}};
      return {&made_, 1};
    }
    const auto events = file_->next(std::max<Duration>(until - now, Duration{}));
    if (!preamble_) preamble_ = file_->preamble();
    if (!known(first_)) first_ = file_->first();
    if (events.empty()) return events;
    for (const Event& event : events) last_ = std::max(last_, event.time);
    if (!file_->ended()) return events;
    const auto* end = std::get_if<CaptureEnd>(&events.front().body);
    if (number_ == 0 || !end || end->state != CaptureState::complete) {
      ended_ = true;
      return events;
    }
    end_ = events.front();
    waiting_since_ = now;
  }
  return {};
}

}  // namespace tailcap::formats
