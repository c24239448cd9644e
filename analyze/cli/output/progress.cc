#include "analyze/cli/output/progress.h"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>

namespace tailcap::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kShownAfter{2};
constexpr std::chrono::milliseconds kEvery{200};

class Line {
 public:
  ~Line() { clear(); }
  void show(const pipeline::Progressed& p) {
    if (p.events >= p.of) return clear();
    const auto now = Clock::now();
    if (now < next_) return;
    next_ = now + kEvery;
    std::cerr << "\r\033[K" << (p.reading > 1 ? "reading the capture again: " : "reading the capture: ")
              << 100 * p.events / p.of << " %" << std::flush;
    shown_ = true;
  }

 private:
  void clear() {
    if (shown_) std::cerr << "\r\033[K" << std::flush;
    shown_ = false;
  }
  Clock::time_point next_ = Clock::now() + kShownAfter;
  bool shown_ = false;
};

}  // namespace

pipeline::Progress progress_on_terminal() {
  if (isatty(STDERR_FILENO) != 1) return {};
  return [line = std::make_shared<Line>()](const pipeline::Progressed& p) { line->show(p); };
}

}  // namespace tailcap::cli
