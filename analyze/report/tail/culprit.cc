#include "analyze/report/tail/culprit.h"

#include "analyze/model/partition.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

constexpr double kMostly = 0.5;
constexpr std::size_t kName = 40, kUsers = 3;

// "vda"; where the name was not recorded, major and minor number as the kernel prints them.
std::string device_text(const model::CulpritStudy& c) {
  if (!c.device.empty()) return shortened(printable(c.device), 40);
  const std::uint64_t device = c.what;
  return "device " + std::to_string(device >> 20) + ":" + std::to_string(device & 0xfffff);
}

// "thread 4711 of gunicorn app:app"
std::string thread_text(const model::CulpritStudy& c) {
  std::string out = "thread " + pid_text(c.tid);
  const std::string thread = shortened(printable(c.thread), kName), process = shortened(printable(c.process), kName);
  if (!thread.empty() && c.tid != c.pid && !process.starts_with(thread)) out += " (" + thread + ")";
  return out + (process.empty() ? "" : " of " + process);
}

// "avscand (process 4711)"; without its number where it ran several times.
std::string process_text(const model::CulpritStudy& c) {
  if (c.pid == 0 && !c.process.empty()) return shortened(printable(c.process), kName);
  if (c.pid == 0 || c.process.empty()) return c.tid == 0 ? "" : "thread " + pid_text(c.tid);
  return shortened(printable(c.process), kName) + " (process " + pid_text(c.pid) + ")";
}

// "(mirror.py, process 4711, at 10.0.0.9)", "(10.0.0.9)"; empty: not known.
std::string client_text(const model::CulpritStudy& c) {
  std::string out = shortened(printable(c.process), kName);
  if (!out.empty() && c.pid != 0) out += ", process " + pid_text(c.pid);
  model::SocketPeer peer = c.peer;
  if (!out.empty()) peer.process.clear();
  if (!peer.address.empty()) out += (out.empty() ? "" : ", at ") + peer_text(peer);
  return out.empty() ? out : "(" + out + ")";
}

// ", used by logship.py (0.45 of a CPU), node (0.05)"
std::string users_text(const std::vector<model::CpuTaker>& users) {
  std::string out;
  for (std::size_t i = 0; i < std::min(kUsers, users.size()); ++i) {
    char cpus[24];
    std::snprintf(cpus, sizeof cpus, "%.2f", users[i].cpus);
    out += (i == 0 ? ", used by " : ", ") + shortened(printable(users[i].comm), kName) +
           (users[i].processes > 1 ? " (" + count_text(users[i].processes) + " processes, " : " (") + cpus +
           (i == 0 ? " of a CPU)" : ")");
  }
  return out;
}

// The program itself moves bytes of files meanwhile.
bool ended_by_process(model::Label label) {
  using model::Label;
  return label == Label::io_blocked || label == Label::io_fs || label == Label::io_pipe || label == Label::io_log ||
         label == Label::blocked_unknown || label == Label::blocked_kernel || label == Label::net_unknown_socket;
}

}  // namespace

std::string route_name(std::string_view method, std::string_view route) {
  std::string out;
  if (!method.empty()) out = shortened(printable(method), 20);
  if (!route.empty()) out += (out.empty() ? "" : " ") + shortened(printable(route), 80);
  return out;
}

std::string culprit_text(const model::CulpritStudy& c, const model::TextPool& texts, std::string_view of) {
  const std::string_view label = model::name_of(c.label);
  const auto starts = [&](std::string_view prefix) { return label.substr(0, prefix.size()) == prefix; };
  std::string request = route_name(texts[c.method], texts[c.route]);
  if (c.route != 0 && c.authority != 0) request += " at " + shortened(printable(texts[c.authority]), 60);
  if (starts("down.") && !request.empty() && c.authority == 0 && c.at != 0)
    request += " at " + shortened(printable(texts[c.at]), 60);
  const bool client =
      c.label == model::Label::net_idle || c.label == model::Label::net_upload || c.label == model::Label::send_sndbuf;
  if (client && request.empty()) return client_text(c);
  if (!c.peer.address.empty() && request.empty()) return "(" + peer_text(c.peer) + ")";
  const std::string place = c.what == 0 ? "" : place_text(c.lock, c.what);
  if (starts("lock.")) {
    // No goroutine holds a channel or a WaitGroup; another one ends the wait.
    const bool held = c.label == model::Label::lock_futex || c.label == model::Label::lock_file ||
                      c.label == model::Label::lock_session || c.label == model::Label::lock_go_mutex ||
                      c.label == model::Label::lock_kernel;
    if (c.label == model::Label::lock_session && c.comm != 0) request += " (" + printable(texts[c.comm]) + ")";
    if (c.label == model::Label::lock_session && c.at != 0 && !request.empty())
      request += " of its client " + shortened(printable(texts[c.at]), 60);
    if (!of.empty() && request == of) request = "another " + request;
    // A lock on a file belongs to a process.
    const std::string who = c.label == model::Label::lock_file ? process_text(c) : c.tid != 0 ? thread_text(c) : "";
    const std::string holder =
        request.empty() && who.empty() ? "" : (held ? "held by " : "ended by ") + (request.empty() ? who : request);
    return place + (place.empty() || holder.empty() ? "" : " ") + holder;
  }
  if (starts("down.")) {
    // Mentioned only if it is most of the wait: then it is the next place to look.
    const bool most = static_cast<double>(c.inside_time) >= kMostly * static_cast<double>(c.time) && c.inside_time > 0;
    return request.empty() ? "" : "(" + request + (most ? ", mostly " + std::string(state_text(c.inside)) : "") + ")";
  }
  if (c.label == model::Label::q_loop)
    return request.empty()
               ? ""
               : "(" + request + (c.process.empty() ? "" : " in " + shortened(printable(c.process), kName)) + ")";
  if (c.label == model::Label::q_pool && c.what != 0) {
    const auto pool = model::PoolOfConnections::of(c.what);
    if (pool.remote == 0)
      return (pool.connections == 1 ? "(the only thread of its pool was busy)"
                                    : "(all " + std::to_string(pool.connections) + " threads of its pool were busy)") +
             (request.empty() ? "" : " behind " + request);
    const std::string all = pool.connections == 1 ? "the only connection to "
                                                  : "all " + std::to_string(pool.connections) + " connections to ";
    return "(" + all + printable(texts[pool.remote]) + (pool.connections == 1 ? " was in use)" : " were in use)") +
           (request.empty() ? "" : " held by " + request);
  }
  // The worker belongs to a process whose requests are not read: PHP-FPM.
  const bool other = c.label == model::Label::q_pool && !c.process.empty() && c.process != texts[c.comm] && c.comm != 0;
  if (starts("q."))
    return (other ? "of " + shortened(printable(c.process), kName) + (request.empty() ? "" : " ") : "") +
           (request.empty() ? "" : "behind " + request);
  if (c.label == model::Label::sched_stopped && !c.group.path.empty())
    return "by the freezer of its " + group_text(c.group) +
           (process_text(c).empty() ? "" : ", frozen by " + process_text(c));
  if (!c.group.path.empty()) return "of " + group_text(c.group) + users_text(c.users);
  if (c.label == model::Label::runtime_stw) return c.tid == 0 ? "" : "by the JVM's VM Thread";
  if (c.label == model::Label::sched_stopped) return c.tid == 0 && c.process.empty() ? "" : "by " + process_text(c);
  if (ended_by_process(c.label) && c.what == 0) {
    const std::string who = process_text(c);
    return who.empty() ? "" : "until " + who + " ended it";
  }
  if (starts("io.") || starts("mem.")) return c.what == 0 ? "" : "(" + device_text(c) + ")";
  if (c.label == model::Label::timer_sleep && !place.empty()) return "in a wait " + place + " whose time limit expired";
  return request.empty() ? "" : "(" + request + ")";
}

}  // namespace tailcap::report::tail
