// Ends of processes that served requests, and panics of Go programs: when, why, which requests were under way, and how
// long no request was answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/incident.h"
#include "formats/event_names.h"
#include "formats/go_event.h"
#include "formats/time.h"

namespace tailcap::tail {

class Incidents {
 public:
  static constexpr std::size_t kMaxKept = 65536;  // of each kind of fact; later ones are left out
  static constexpr std::size_t kMaxUnanswered = 1u << 20;

  void push(const formats::Event& event);
  // An exchange that is over. closed: when its connection was closed; kNoTime: not known, then after the last event
  // pushed.
  void push(const model::Exchange& exchange, formats::Time closed);
  // local: the local address of a connection, in table.texts.
  std::vector<model::Incident> list(const model::RequestTable& table,
                                    const std::function<model::TextId(model::ConnectionId)>& local) const;

 private:
  void keep_thread(formats::Thread thread);
  void end_thread(formats::Thread thread, formats::Time at, bool leader, std::int32_t code);
  struct Panic {
    formats::Time at = formats::kNoTime;
    std::uint64_t goroutine = 0;
    formats::GoPanicStep step = formats::GoPanicStep::began;
    std::string stack;
  };
  struct End {
    formats::Time at = formats::kNoTime;
    std::uint32_t pid = 0;
    std::int32_t code = 0;
    std::string comm;
  };
  struct Unanswered {
    model::ExchangeId id;
    formats::Time from = formats::kNoTime, until = formats::kNoTime;
  };
  struct Listener {
    formats::Time at = formats::kNoTime;
    formats::SocketId socket = 0;
    std::uint16_t port = 0;  // 0: not known yet
  };
  void explain(model::Incident& incident, const std::vector<Panic>& panics) const;
  static void fill_under_way(model::Incident& incident, const std::vector<Unanswered>& by_begin,
                             const std::vector<formats::Time>& ends);
  void fill_next(model::Incident& incident) const;

  formats::Time now_ = formats::kNoTime;
  std::map<std::uint32_t, std::string> comms_;
  std::map<std::uint32_t, formats::Time> started_, oom_;
  std::map<std::uint32_t, std::vector<Panic>> panics_;
  std::vector<End> ends_;
  std::map<std::uint32_t, std::set<std::uint32_t>> others_;  // threads beside the main one that have not ended
  std::map<std::uint32_t, std::int32_t> main_ended_;         // with the exit code; others go on
  std::map<std::uint32_t, std::vector<Unanswered>> unanswered_;
  std::map<std::uint32_t, std::vector<Listener>> listeners_;  // a few of each process
  std::uint32_t last_listener_ = 0;                           // the process with the most recent listener
  std::size_t unanswered_kept_ = 0;
  std::size_t panics_kept_ = 0;
};

}  // namespace tailcap::tail
