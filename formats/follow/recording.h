// Follows a recording: one capture, or the files of a recording in several (store/rotation.h), each after the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "formats/follow/follower.h"

namespace tailcap::formats {

class FollowedRecording {
 public:
  // As Follower. Where PATH does not exist, but files of a recording with that name do: the newest of them, and those
  // that come after it.
  explicit FollowedRecording(const std::string& path);

  // As Follower::next(). Between two files there is no CaptureEnd; a Damage stands for files that were removed before
  // they could be read.
  std::span<const Event> next(Duration patience);
  bool ended() const { return ended_; }
  // The preamble and the first time of the first file.
  const std::optional<Preamble>& preamble() const;
  Time first() const { return first_; }
  std::uint64_t damaged() const { return damaged_ + file_->damaged(); }

 private:
  // Opens the file after this one. False: there is none yet.
  bool go_on();

  std::string path_;
  std::uint64_t number_ = 0;  // of the file, from 1; 0: the recording has only one
  std::unique_ptr<Follower> file_;
  std::optional<Preamble> preamble_;
  Time first_ = kNoTime, last_ = kNoTime;
  std::uint64_t damaged_ = 0;
  bool missed_ = false;  // files between the last and this one
  bool ended_ = false;
  std::optional<Event> end_;                             // of the file; given if no other comes
  std::chrono::steady_clock::time_point waiting_since_;  // where there is an end_
  Event made_;
};

}  // namespace tailcap::formats
