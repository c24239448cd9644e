#include "analyze/cli/keep/known_capture.h"

#include <algorithm>

#include "analyze/pipeline/replay.h"

namespace tailcap::cli {

KnownCapture::KnownCapture(const std::string& path) {
  const pipeline::Replay replay(path, 1);
  const formats::Preamble& preamble = replay.preamble();
  const formats::FileSummary file = replay.summary();
  id = preamble.capture_id;
  host = preamble.host;
  recording_began = preamble.started_realtime;
  const auto at = [&](formats::Time t) {
    return formats::known(t) ? recording_began + (t - preamble.started).count() : recording_began;
  };
  began = std::max(at(file.first), recording_began);
  ended = std::max(at(file.last), began);
}

}  // namespace tailcap::cli
