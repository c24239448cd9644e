#include "capture/record/tls_auto.h"

#include <iterator>
#include <string>
#include <utility>

#include "bpf/event.h"

namespace tailcap::capture {

using namespace formats;

namespace {

constexpr std::size_t kMostWays = 16;  // in the summary

}  // namespace

decrypt::Decryptor::Other TlsAuto::other() {
  return {[this](std::uint32_t pid) { finder_.unread_by_keys(pid); },
          [this](std::uint64_t session) {
            probes_.leave_to_probes(session);
            if (session & TLS_PROCESS_BIT)
              processes_.push_back({"process " + std::to_string(session & ~TLS_PROCESS_BIT),
                                    "by probes: its keys do not fit what its sockets carry"});
          },
          !probes_.settings().connections.some()};
}

void TlsAuto::take(const Event& event) {
  older_.take(event);
  // Its start was not seen, so it may have connections.
  if (told_ && std::holds_alternative<TaskInfo>(event.body)) older_.late(event.thread.pid);
}

void TlsAuto::end_list() {
  older_.end_list();
  told_ = older_.processes();
  finder_.older_connections(*told_);
}

std::vector<TlsFiles::Late> TlsAuto::take_late() {
  auto late = finder_.take_late();
  for (const auto& process : late) older_.late(process.pid, process.since);
  return late;
}

void TlsAuto::tick(Time now, Statements& statements, Tally& tally) {
  if (told_) {
    if (auto processes = older_.processes(); processes != *told_) {
      told_ = std::move(processes);
      finder_.older_connections(*told_);
    }
  }
  auto changed = finder_.take_tls_statements();
  std::move(processes_.begin(), processes_.end(), std::back_inserter(changed));
  processes_.clear();
  for (const auto& [file, way] : changed) {
    statements.note(now, "tailcap.tls.way", file + ": " + way);
    if (tally.tls_ways.size() < kMostWays || tally.tls_ways.contains(file)) tally.tls_ways[file] = way;
  }
}

}  // namespace tailcap::capture
