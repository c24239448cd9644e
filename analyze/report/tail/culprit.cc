#include "analyze/report/tail/culprit.h"

#include "analyze/model/study/pool.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

constexpr double kMostly = 0.5;

// "vda"; where the name was not recorded, major and minor number as the kernel prints them.
std::string device_text(const model::CulpritStudy& c) {
  if (!c.device.empty()) return shortened(printable(c.device), 40);
  const std::uint64_t device = c.what;
  return "device " + std::to_string(device >> 20) + ":" + std::to_string(device & 0xfffff);
}

}  // namespace

std::string culprit_text(const model::CulpritStudy& c, const model::TextPool& texts) {
  const std::string_view label = model::name_of(c.label);
  const auto starts = [&](std::string_view prefix) { return label.substr(0, prefix.size()) == prefix; };
  std::string request;
  if (c.method != 0) request = shortened(printable(texts[c.method]), 20);
  if (c.route != 0) request += (request.empty() ? "" : " ") + shortened(printable(texts[c.route]), 80);
  if (c.route != 0 && c.authority != 0) request += " at " + shortened(printable(texts[c.authority]), 60);
  if (!c.peer.address.empty() && request.empty()) return "(" + peer_text(c.peer) + ")";
  const std::string place = c.what == 0 ? "" : address_text(c.what);
  if (starts("lock.")) {
    // No goroutine holds a channel or a WaitGroup; another one ends the wait.
    const bool held = c.label == model::Label::lock_futex || c.label == model::Label::lock_file ||
                      c.label == model::Label::lock_session || c.label == model::Label::lock_go_mutex ||
                      c.label == model::Label::lock_kernel;
    if (c.label == model::Label::lock_session && c.comm != 0) request += " (" + printable(texts[c.comm]) + ")";
    const std::string holder = !request.empty() ? (held ? "held by " : "ended by ") + request
                               : c.tid != 0     ? "released by thread " + std::to_string(c.tid)
                                                : "";
    return (place.empty() ? "" : "at " + place) + (place.empty() || holder.empty() ? "" : " ") + holder;
  }
  if (starts("down.")) {
    // Mentioned only if it is most of the wait: then it is the next place to look.
    const bool most = static_cast<double>(c.inside_time) >= kMostly * static_cast<double>(c.time) && c.inside_time > 0;
    return request.empty()
               ? ""
               : "(" + request + (most ? ", there mostly " + std::string(model::text_of(c.inside)) : "") + ")";
  }
  if (c.label == model::Label::q_loop) return request.empty() ? "" : "(" + request + ")";
  if (c.label == model::Label::q_pool && c.what != 0) {
    const auto pool = model::PoolOfConnections::of(c.what);
    const std::string all =
        pool.connections == 1 ? "the only connection" : "all " + std::to_string(pool.connections) + " connections";
    return (request.empty() ? "" : "behind " + request + "; ") + all + " to " + printable(texts[pool.remote]) +
           (pool.connections == 1 ? " was in use" : " were in use");
  }
  if (starts("q.")) return request.empty() ? "" : "behind " + request;
  if (!c.group.path.empty()) return "of " + group_text(c.group);
  if (c.label == model::Label::runtime_stw) return c.tid == 0 ? "" : "by the JVM's VM Thread";
  if (c.label == model::Label::sched_stopped) return c.tid == 0 ? "" : "by thread " + std::to_string(c.tid);
  if (starts("io.") || starts("mem.")) return c.what == 0 ? "" : "(" + device_text(c) + ")";
  if (c.label == model::Label::timer_sleep && !place.empty())
    return "in a wait at " + place + " whose time limit expired";
  return request.empty() ? "" : "(" + request + ")";
}

}  // namespace tailcap::report::tail
