// What a recording says once, or when it changes. Where its beginning is dropped, every keyframe says it again.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "capture/log/event_log.h"
#include "formats/masking.h"

namespace tailcap::capture {

class Statements {
 public:
  // drops_beginning: the destination keeps only the last part of the recording, or files that are read alone.
  Statements(EventLog& log, bool drops_beginning) : log_(log), repeated_(drops_beginning) {}

  // A note of the recorder's own. A later one with the same key replaces it, except where every value counts.
  void note(formats::Time now, std::string_view key, std::string_view value);
  // In a keyframe. masking: since the recording began.
  void repeat(formats::Time now, const formats::Masking& masking);
  bool repeated() const { return repeated_; }

 private:
  EventLog& log_;
  const bool repeated_;
  std::map<std::pair<std::string, std::string>, std::string> notes_;  // by key, and by value where each counts
};

}  // namespace tailcap::capture
