#include "capture/budget/statistics_switch.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "capture/scan/message.h"
#include "capture/scan/sandbox.h"

namespace tailcap::capture::budget {
namespace {

using scan::Message;
using scan::Received;
using scan::Take;

constexpr std::size_t kMostAnswer = 256;
constexpr std::chrono::seconds kPatience{2};  // an answer takes less than a millisecond

// The kernel measures while the descriptor is open: it ends with this process.
void serve(int socket) {
  Descriptor measuring;
  for (Message asked; scan::receive_message(socket, Take::bytes_only, 1, asked) == Received::message;) {
    std::string problem;
    measuring.reset();
    if (asked.bytes == "1") {
      const int opened = bpf_enable_stats(BPF_STATS_RUN_TIME);
      if (opened < 0) problem = std::strerror(-opened);
      measuring = Descriptor(opened);
    }
    if (!scan::send_message(socket, problem)) return;
  }
}

}  // namespace

StatisticsSwitch::StatisticsSwitch() : launcher_({"tailcap-cost", scan::keep_measuring_privilege, serve}) {
  child_ = launcher_.start();
}

bool StatisticsSwitch::turn(bool on) {
  Message answer;
  if (!child_ || !scan::send_message(child_.get(), on ? "1" : "0") ||
      scan::receive_message(child_.get(), Take::bytes_only, kMostAnswer, answer,
                            std::chrono::steady_clock::now() + kPatience) != Received::message) {
    problem_ = "the process that asks for it does not answer";
    child_.reset();
    return false;
  }
  problem_ = std::move(answer.bytes);
  return problem_.empty();
}

}  // namespace tailcap::capture::budget
