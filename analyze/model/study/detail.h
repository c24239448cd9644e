// One request with everything that was recorded around it: what `tailcap show` shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/logs/log_line.h"
#include "analyze/model/partition.h"
#include "analyze/model/request.h"
#include "analyze/model/study/file_calls.h"
#include "analyze/model/study/flame.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/trace_binding.h"
#include "formats/thread_event.h"

namespace tailcap::model {

// The thread was off the CPU in [left, back); formats/event.h says what the fields mean.
struct ThreadWait {
  Time left = kNoTime, runnable = kNoTime, back = kNoTime;
  std::uint32_t waker = 0, state = 0;
  int syscall = -1;
  std::uint64_t argument0 = 0, argument1 = 0;
  std::uint16_t missed = 0;
  formats::WokenIn woken_in = formats::WokenIn::unknown;
  bool timed = false;
  std::string function{}, caller{};  // of the application, in which it waited; empty: not known
};

// Something on the request's connection while it was under way.
struct ConnectionEvent {
  enum class Kind : std::uint8_t { retransmit, reset_sent, reset_received, state_error, loss };
  Kind kind = Kind::retransmit;
  Time time = kNoTime;
  std::uint32_t length = 0;  // retransmit: bytes; loss: events
  int error = 0;             // state_error: errno
};

struct RequestDetail {
  Request row;
  Exchange exchange;
  Connection connection;
  std::string method, path, route, authority, comm, request_id, handler;  // of the row, resolved
  bool path_known = false;
  std::optional<Setup> setup;           // it was the first on its connection
  std::string dns_name, server_name;    // of the set-up, resolved
  TextId local = 0, remote = 0;         // endpoints, in the table's texts
  std::vector<ThreadWait> waits;        // of the serving thread, overlapping the request, by time
  std::uint64_t waits_left_out = 0;     // beyond what is kept
  std::vector<ConnectionEvent> events;  // by time
  std::uint64_t events_left_out = 0;
  FileCalls files;
  std::string trace;                  // the row's trace context, resolved; empty: none
  std::optional<TraceBinding> bound;  // where that was seen, if known
  std::optional<RequestSamples>
      samples;  // unset: none were taken while it was recorded, or whose they are is not known
  std::optional<RequestSamples> preempted;  // where Go's scheduler preempted its goroutine; unset: no preemption
                                            // was recorded, or whose it was is not known
  std::optional<Course> course;             // its labels over time; unset: not all of its milestones are known
};

// A call made on behalf of the shown request, directly or not, or the server-side request of such a call.
struct Below {
  Request row;
  std::string title;  // "GET /stock"
  std::string remote, comm;
  std::uint32_t depth = 1;
  bool on_path = false;  // of all those above it, too
  Duration slack{};
  Course course;  // empty: not known
};

// Both ends on the clock of one machine; peer only where it was recorded.
struct Detail {
  RequestDetail request;
  std::optional<RequestDetail> peer;
  std::vector<Below> below;  // calls by their beginning, each before its own server and that one's calls
  std::uint64_t below_left_out = 0;
  std::vector<std::pair<ExchangeId, std::string>> titles;  // of culprits in the courses; ascending
  std::vector<CpuGroup> groups;                            // that culprits in the courses speak of
  std::vector<SocketPeer> peers;                           // likewise
  LockNames locks;                                         // likewise
  std::optional<LogBook> logs{};                           // where log files were given
  // "GET /stock (5.1)", or only the number.
  std::string title_of(ExchangeId id) const;
};

}  // namespace tailcap::model
