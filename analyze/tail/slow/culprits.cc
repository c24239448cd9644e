#include "analyze/tail/slow/culprits.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "analyze/model/label_group.h"
#include "analyze/model/statistics/most_by_label.h"

namespace tailcap::tail::slow {
namespace {

using model::CulpritStudy;

constexpr std::size_t kPerLabel = 5;  // more are a list, not an answer

// A call's connection says nothing that its route does not; a lock is its address; a device, a CPU group and the other
// end of a socket are their numbers.
std::uint64_t place_of(const model::Culprit& c) {
  const std::string_view name = model::name_of(c.label);
  if (model::names_peer(c.label)) return c.request.connection == 0 ? c.what : 0;
  return c.label == model::Label::sched_throttled || c.label == model::Label::q_pool || name.substr(0, 5) == "lock." ||
                 name.substr(0, 3) == "io." || name.substr(0, 4) == "mem."
             ? c.what
             : 0;
}

// Processes of one name are one program, run several times: a job of cron, a debugger that somebody starts again.
std::uint32_t program_of(const CulpritStudy& who) {
  constexpr std::uint32_t kName = 1u << 31;  // no process has such a number
  if (who.process.empty()) return who.pid;
  return kName | static_cast<std::uint32_t>(std::hash<std::string>{}(who.process));
}

bool lock(model::Label label) { return model::group_of(label) == model::LabelGroup::lock; }

// Devices are numbered as in the kernel: the minor number has 20 bits.
std::string device_name(const CulpritStudy& c, const formats::Preamble& preamble) {
  const std::string_view label = model::name_of(c.label);
  if (c.what == 0 || (!label.starts_with("io.") && !label.starts_with("mem."))) return {};
  const std::string key = "tailcap.device." + std::to_string(c.what >> 20) + ":" + std::to_string(c.what & 0xfffff);
  for (const auto& [name, value] : preamble.notes)
    if (name == key) return value;
  return {};
}

}  // namespace

CulpritStudy culprit_study(const model::Culprit& c, const model::RequestTable& table, const Links& links,
                           const formats::Preamble& preamble) {
  CulpritStudy out;
  out.label = c.label;
  out.what = place_of(c);
  out.tid = c.tid;
  out.device = device_name(out, preamble);
  out.example = c.request;
  if (const model::CpuGroup* group = model::group_of(c, table.partitions.groups())) out.group = *group;
  if (const model::SocketPeer* peer = model::peer_of(c, table.partitions.peers())) out.peer = *peer;
  if (out.what != 0) out.lock = model::lock_of(c, table.partitions.locks());
  if (const model::Processes::Thread* thread = table.processes.thread(c.tid)) {
    out.pid = thread->pid;
    out.thread = thread->name;
    out.process = table.processes.name(thread->pid);
  }
  // Calls of a store have no authority; of another session, only its client is somebody.
  const std::string_view label = model::name_of(c.label);
  if ((label.starts_with("down.") || c.label == model::Label::lock_session || c.label == model::Label::net_nagle) &&
      c.request.connection != 0 && c.request.connection < table.remotes.size())
    out.at = table.remotes[c.request.connection];
  if (const auto row = links.row_of(c.request)) {
    const model::Request other = table.all()[*row];
    out.method = other.method;
    out.route = other.route;
    out.authority = other.role == model::Role::client ? other.authority : 0;
    out.comm = other.comm;
  }
  return out;
}

CulpritKey key_of(const CulpritStudy& who, Unnamed unnamed) {
  const bool named = who.route != 0 || who.method != 0;
  // A program may make a lock for each waiter (Python's conditions and queues).
  if (named) return {lock(who.label) ? 0 : who.what, who.method, who.route, who.authority, 0};
  const std::uint32_t thread = lock(who.label) || who.pid == 0 ? who.tid : program_of(who);
  if (unnamed == Unnamed::by_thread && thread != 0) return {lock(who.label) ? 0 : who.what, 0, 0, 0, thread};
  return {who.what, 0, 0, 0, who.what == 0 ? thread : 0};
}

void join(CulpritStudy& into, const CulpritStudy& other) {
  if (into.what != other.what) {
    into.what = 0;
    into.lock.clear();
  }
  if (into.tid != other.tid) {
    into.tid = 0;
    into.thread.clear();
  }
  if (into.pid != other.pid) into.pid = 0;
  if (into.process != other.process) into.process.clear();
  if (into.group.path != other.group.path) into.group = {};
  if (into.at != other.at) into.at = 0;
}

std::vector<CulpritStudy> culprits_of(const model::RequestTable& table, const std::vector<Item>& items,
                                      const Cohorts& cohorts, const Links& links, const formats::Preamble& preamble) {
  using Key = std::pair<model::Label, CulpritKey>;
  struct Entry {
    CulpritStudy study;
    std::int64_t longest = 0;  // of a slow request, in all
    std::int64_t of_last = 0, most_of_last = 0;
    model::ExchangeId behind;                           // most_of_last
    std::uint32_t last = UINT32_MAX;                    // the slow request counted last
    std::array<std::int64_t, model::kLabels> inside{};  // of a call: the time of who served it
  };
  std::map<Key, Entry> found;
  for (std::size_t i = 0; i < cohorts.slow; ++i) {
    const std::uint32_t at = cohorts.nth_slowest(i);
    const model::ExchangeId self = table.rows.id(items[at].row);
    for (const model::Culprit& c : table.partitions.culprits(self)) {
      const CulpritStudy who = culprit_study(c, table, links, preamble);
      if (who.what == 0 && c.what == 0 && who.route == 0 && c.tid == 0 && c.request.connection == 0) continue;
      model::AccountParts served;
      if (const auto row = links.row_of(c.request); row && table.all().role(*row) == model::Role::client)
        if (const model::ExchangeId peer = table.all().peer(*row); peer.connection != 0)
          served = table.partitions.parts(peer);
      const auto [entry, added] = found.try_emplace({c.label, key_of(who, Unnamed::by_place)});
      Entry& e = entry->second;
      if (added) {
        e.study = who;
        e.study.example = {};
      }
      join(e.study, who);
      if (e.last != at) {
        ++e.study.slow;
        e.last = at;
        e.of_last = e.most_of_last = 0;
        e.behind = {};
      }
      e.of_last += c.time;
      if (c.time > e.most_of_last) {
        e.most_of_last = c.time;
        e.behind = c.request;
      }
      e.study.time += c.time;
      for (const model::AccountPart& p : served) e.inside[static_cast<std::size_t>(p.label)] += p.time;
      if (e.of_last <= e.longest) continue;
      e.longest = e.of_last;
      e.study.example = e.behind;
      e.study.held_up = self;
    }
  }
  std::vector<CulpritStudy> out;
  for (auto& [key, entry] : found) {
    const auto most = std::max_element(entry.inside.begin(), entry.inside.end());
    entry.study.inside = static_cast<model::Label>(most - entry.inside.begin());
    entry.study.inside_time = *most;
    out.push_back(entry.study);
  }
  model::keep_most_by_label(out, kPerLabel);
  return out;
}

}  // namespace tailcap::tail::slow
