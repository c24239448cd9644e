// A recording that is under way, read as far as it goes until it ends, a signal comes, or a limit is reached.
#pragma once

#include <optional>
#include <string>

#include "analyze/cli/options/selection.h"
#include "analyze/pipeline/following.h"
#include "formats/follow/recording.h"
#include "formats/recorder_event.h"

namespace tailcap::cli {

// Throws UsageError for a selection that only the end of the recording can decide.
void refuse_later(const Selection& selection);

class LiveReading {
 public:
  // command: for messages. file: "-" is standard input.
  LiveReading(const char* command, const std::string& file);

  // Takes the events that are there, or waits up to `patience` for some. False: no more will come, and all were taken.
  bool read(formats::Duration patience);

  pipeline::Following* following() { return following_ ? &*following_ : nullptr; }  // null: nothing was read yet
  formats::Time first() const { return file_.first(); }
  bool idle() const { return idle_ || file_.ended(); }  // the last read() took nothing
  bool ended() const { return file_.ended(); }
  // All requests so far may be taken: the recording has ended, or nothing was recorded for long enough.
  bool nothing_to_come() const;
  // For how long read() took nothing.
  formats::Duration silence() const { return silence_; }
  bool interrupted() const;
  bool stopped() const { return stopped_; }  // at a limit; it was said
  // It ended, and nothing of it is missing.
  bool whole() const;

 private:
  bool too_much() const;

  const char* const command_;
  formats::FollowedRecording file_;
  std::optional<pipeline::Following> following_;
  formats::CaptureState state_ = formats::CaptureState::recording;
  bool idle_ = false, stopped_ = false;
  formats::Duration silence_{};
};

}  // namespace tailcap::cli
