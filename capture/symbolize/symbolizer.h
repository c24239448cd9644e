// Adds names, inlined functions and lines to the stacks of samples, from debug files.
#pragma once

#include <cstdint>

#include "capture/stacks/frame_texts.h"
#include "capture/symbolize/debug_files.h"
#include "formats/sample.h"

namespace tailcap::capture::symbolize {

// Frames of stacks, as often as they are in the capture.
struct SymbolizedFrames {
  std::uint64_t asked = 0;    // whose place is known, and whose line is not
  std::uint64_t named = 0;    // of these, with another name than before
  std::uint64_t lined = 0;    // of these, with a line now
  std::uint64_t inlined = 0;  // added: functions that the compiler has put into these
};

class Symbolizer {
 public:
  explicit Symbolizer(DebugFiles& files) : files_(files) {}

  // Views of this object, until the next call.
  formats::Sample push(const formats::Sample& sample);
  const SymbolizedFrames& frames() const { return frames_; }

 private:
  void add(std::string_view name, const stacks::CodeAddress& place);

  DebugFiles& files_;
  SymbolizedFrames frames_;
  stacks::FrameTexts text_;
};

}  // namespace tailcap::capture::symbolize
