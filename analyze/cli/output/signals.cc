#include "analyze/cli/output/signals.h"

#include <signal.h>

#include <atomic>

#include "formats/bounds/process_bounds.h"

namespace tailcap::cli {
namespace {

std::atomic<bool> ended = false;
void end(int) { ended = true; }

}  // namespace

void end_at_signals() {
  formats::without_processor_limit();
  struct sigaction action {};
  action.sa_handler = end;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

bool ended_by_signal() { return ended; }

}  // namespace tailcap::cli
