#include "analyze/merge/ownership.h"

#include <algorithm>
#include <stdexcept>

#include "formats/event.h"
#include "formats/file_call.h"
#include "formats/go_event.h"
#include "formats/socket_event.h"
#include "formats/thread_event.h"
#include "formats/tls_event.h"

namespace tailcap::merge {

using namespace formats;

namespace {
constexpr std::size_t kMaxSubjects = 1u << 21;
}

bool Ownership::subject(const Event& event, What& what, std::uint64_t& number) {
  what = socket;
  number = 0;
  if (const auto* io = std::get_if<Io>(&event.body))
    number = io->socket;
  else if (const auto* a = std::get_if<Arrival>(&event.body))
    number = a->socket;
  else if (const auto* r = std::get_if<Retransmit>(&event.body))
    number = r->socket;
  else if (const auto* reset = std::get_if<Reset>(&event.body))
    number = reset->socket;
  else if (const auto* change = std::get_if<StateChange>(&event.body))
    number = change->socket;
  else if (const auto* accept = std::get_if<Accept>(&event.body))
    number = accept->socket;
  else if (const auto* info = std::get_if<SocketInfo>(&event.body))
    number = info->socket;
  else if (std::holds_alternative<OffCpu>(event.body) || std::holds_alternative<Stall>(event.body) ||
           std::holds_alternative<FileCall>(event.body)) {
    what = thread;
    number = event.thread.tid;
  } else if (std::holds_alternative<Sample>(event.body)) {
    what = stack;
    number = event.thread.pid;
  } else if (std::holds_alternative<TlsIo>(event.body) || std::holds_alternative<TlsStep>(event.body)) {
    what = session;
    number = event.thread.pid;
  } else if (std::holds_alternative<GoCreate>(event.body) || std::holds_alternative<GoRuntime>(event.body) ||
             std::holds_alternative<GoState>(event.body) || std::holds_alternative<GoHandler>(event.body) ||
             std::holds_alternative<GoCall>(event.body) || std::holds_alternative<GoChannel>(event.body) ||
             std::holds_alternative<GoExit>(event.body) || std::holds_alternative<GoPanic>(event.body) ||
             std::holds_alternative<GoAllocations>(event.body) || std::holds_alternative<MallocCalls>(event.body)) {
    what = runtime;
    number = event.thread.pid;
  }
  return number != 0;
}

void Ownership::push(std::uint32_t capture, const Event& event) {
  What what;
  std::uint64_t number;
  if (!subject(event, what, number)) return;
  auto& all = shares_[what];
  if (all.size() >= kMaxSubjects && !all.contains(number))
    throw std::runtime_error(
        "two captures of one machine hold more sockets than can be distinguished here. Merge shorter recordings.");
  auto& shares = all[number];
  // What only says that the socket exists is no reason to prefer a capture.
  const std::uint64_t weight = std::holds_alternative<SocketInfo>(event.body) ? 0 : 1;
  for (Share& s : shares)
    if (s.capture == capture) return void(s.events += weight);
  shares.push_back({capture, weight});
}

bool Ownership::keeps(std::uint32_t capture, const Event& event) const {
  What what;
  std::uint64_t number;
  if (!subject(event, what, number)) return true;
  const auto at = shares_[what].find(number);
  if (at == shares_[what].end()) return true;
  const auto best = std::max_element(at->second.begin(), at->second.end(), [](const Share& a, const Share& b) {
    return a.events != b.events ? a.events < b.events : a.capture > b.capture;
  });
  return best->capture == capture;
}

}  // namespace tailcap::merge
