#include "analyze/views/export/perfetto.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "analyze/export/perfetto.h"
#include "analyze/model/label_group.h"
#include "analyze/model/machine/container.h"
#include "analyze/model/trace/trace_identity.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/spans/identities.h"
#include "analyze/tasks/goroutine_states.h"
#include "analyze/tasks/tasks.h"
#include "analyze/tasks/thread_states.h"
#include "analyze/views/export/busy_goroutines.h"
#include "formats/machine.h"

namespace tailcap::views {
namespace {

using exports::PerfettoTrace;
using model::Request;
using Track = PerfettoTrace::Track;
using Note = PerfettoTrace::Note;

// Which container and pod it is in, as OpenTelemetry's conventions name them.
std::vector<std::string> labels_of(const model::ProcessFacts& process, const model::Containers& containers) {
  const model::Container container = containers.of(process.cgroup);
  std::vector<std::string> out;
  if (!container.id.empty()) out.push_back("container.id=" + container.id);
  if (!container.pod_uid.empty()) out.push_back("k8s.pod.uid=" + container.pod_uid);
  if (!container.name_space.empty()) out.push_back("k8s.namespace.name=" + container.name_space);
  if (!container.pod.empty()) out.push_back("k8s.pod.name=" + container.pod);
  if (!container.name.empty()) out.push_back("k8s.container.name=" + container.name);
  return out;
}

class Tracks {
 public:
  Tracks(PerfettoTrace& trace, const tasks::Tasks& tasks) : trace_(trace), tasks_(tasks) {
    for (const model::ProcessFacts& p : tasks.processes())
      processes_.push_back(
          trace.process(formats::number_of(p.pid), p.name, p.command_line, labels_of(p, tasks.containers())));
    for (const model::ThreadFacts& t : tasks.threads()) {
      const std::uint32_t pid = t.process == 0 ? 0 : tasks.processes()[t.process - 1].pid;
      threads_.push_back(t.process == 0 ? 0
                                        : trace.thread(formats::number_of(pid), formats::number_of(t.tid), t.name,
                                                       processes_[t.process - 1]));
    }
  }
  Track process(std::uint32_t pid, formats::Time at) const {
    const model::Upid upid = tasks_.process_at(pid, at);
    return upid == 0 ? 0 : processes_[upid - 1];
  }
  Track thread(model::Utid utid) const { return utid == 0 || utid > threads_.size() ? 0 : threads_[utid - 1]; }
  Track goroutine(std::uint32_t pid, std::uint64_t number, formats::Time at) {
    Track& track = goroutines_[{pid, number}];
    if (track == 0) track = trace_.track("goroutine " + std::to_string(number), process(pid, at));
    return track;
  }

 private:
  PerfettoTrace& trace_;
  const tasks::Tasks& tasks_;
  std::vector<Track> processes_, threads_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, Track> goroutines_;
};

std::string slice_name(const model::ThreadInterval& i) {
  if (i.state == "Running") return "on CPU";
  if (i.state == "R") return "runnable";
  if (i.state == "R+") return i.throttled ? "throttled" : "preempted";
  return i.function.empty() ? "blocked" : std::string(i.function);
}

// Returns the changes of goroutines that were left out.
std::uint64_t write_events(const std::string& file, const pipeline::Options& options, PerfettoTrace& trace,
                           tasks::Tasks& tasks, const BusyGoroutines& busy, Tracks& tracks) {
  pipeline::Replay replay(file, options.threads, options.progress);
  tasks::ThreadStates states(tasks);
  tasks::GoroutineStates goroutines;
  replay.each([&](const formats::Event& event) {
    for (const model::ThreadInterval& i : states.push(event)) {
      const Track track = tracks.thread(i.utid);
      if (track == 0) continue;
      std::vector<Note> notes = {{"state", std::string(i.state)}};
      if (!i.wait.empty()) notes.emplace_back("label", std::string(i.wait));
      if (i.waker != 0)
        notes.emplace_back("waker_tid", std::int64_t{formats::number_of(tasks.threads()[i.waker - 1].tid)});
      if (i.irq >= 0) notes.emplace_back("woken_in_interrupt", i.irq == 1);
      if (i.goroutine != 0) notes.emplace_back("goroutine", static_cast<std::int64_t>(i.goroutine));
      if (!i.runnable_known) notes.emplace_back("wake_up_seen", false);
      if (i.ongoing) notes.emplace_back("ongoing", true);
      trace.begin(track, i.from, slice_name(i), "thread", notes);
      trace.end(track, i.to);
    }
    for (const tasks::GoroutineInterval& i : goroutines.push(event)) {
      if (!busy.contains(i.pid, i.goroutine)) continue;
      const Track track = tracks.goroutine(i.pid, i.goroutine, formats::time_from(i.from));
      const std::string name = i.state == formats::GoRunState::running ? "running"
                               : i.state == formats::GoRunState::ready ? "runnable"
                               : i.reason.empty()                      ? "parked"
                                                                       : i.reason;
      std::vector<Note> notes;
      if (i.ongoing) notes.emplace_back("ongoing", true);
      trace.begin(track, i.from, name, "goroutine", notes);
      trace.end(track, i.to);
    }
    if (const auto* clock = std::get_if<formats::ClockSnapshot>(&event.body);
        clock && formats::machine_of(event.thread.pid) == 0)
      trace.clocks(event.time, clock->realtime, clock->boottime);
  });
  return goroutines.beyond();
}

// Requests beside each other in tracks of one process: a track holds one at a time.
class RequestLanes {
 public:
  RequestLanes(PerfettoTrace& trace) : trace_(trace) {}
  Track lane(Track process, model::Role role, std::int64_t from, std::int64_t to) {
    auto& lanes = lanes_[{process, role}];
    auto at = std::find_if(lanes.begin(), lanes.end(), [&](const Lane& l) { return l.until <= from; });
    if (at == lanes.end()) {
      const char* const what = role == model::Role::server ? "requests served" : "requests made";
      at = lanes.insert(at, {trace_.track(what, process), 0});
    }
    at->until = to;
    return at->track;
  }

 private:
  struct Lane {
    Track track;
    std::int64_t until;
  };
  PerfettoTrace& trace_;
  std::map<std::pair<Track, model::Role>, std::vector<Lane>> lanes_;
};

std::uint64_t flow_of(model::ExchangeId from, model::ExchangeId to) {
  std::uint64_t h = 1469598103934665603u;
  for (const std::uint64_t part : {std::uint64_t{from.connection}, std::uint64_t{from.index},
                                   std::uint64_t{to.connection}, std::uint64_t{to.index}}) {
    h = (h ^ part) * 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
  }
  return h | 1;
}

struct Flows {
  std::vector<std::uint64_t> from, to;
};

// From cause to effect: a call from its parent, the server's end from the client's.
std::unordered_map<std::uint32_t, Flows> flows_of(const model::RequestTable& table, const spans::Identities& ids) {
  std::unordered_map<std::uint32_t, Flows> out;
  const auto join = [&](model::ExchangeId from, std::uint32_t to) {
    const std::uint32_t cause = ids.row_of(from);
    if (cause == spans::Identity::kNone || !table.rows.has_duration(cause) || !table.rows.has_duration(to)) return;
    const std::uint64_t flow = flow_of(from, table.rows.id(to));
    out[cause].from.push_back(flow);
    out[to].to.push_back(flow);
  };
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    if (table.rows.role(i) == model::Role::server && table.rows.peer(i).connection != 0) join(table.rows.peer(i), i);
    if (const model::Cause* cause = table.causes.find(table.rows.id(i)); cause && cause->parent.connection != 0)
      join(cause->parent, i);
  }
  return out;
}

class RequestWriter {
 public:
  RequestWriter(PerfettoTrace& trace, const Tracks& tracks, const pipeline::Analysis& analysis)
      : trace_(trace), tracks_(tracks), analysis_(analysis), lanes_(trace) {
    std::vector<spans::ForeignSpan> none;
    ids_ = spans::identities_of(analysis.table, none);
    flows_ = flows_of(analysis.table, ids_);
  }

  void write(std::uint32_t i, Exported& out) {
    const Request row = analysis_.table.rows[i];
    const Track process = formats::known(row.start) ? tracks_.process(row.pid, row.start) : 0;
    if (process == 0) {
      ++out.left_out;
      return;
    }
    ++out.requests;
    const std::int64_t from = formats::nanoseconds(row.start), to = from + row.duration.count();
    const std::string name = report::request_title(row, analysis_.table.texts);
    const std::vector<Note> notes = notes_of(i, row);
    if (!row.has_duration) return trace_.instant(process, from, name + " (end unknown)", "request", notes);
    const Track lane = lanes_.lane(process, row.role, from, to);
    const Flows& flows = flows_[i];
    trace_.begin(lane, from, name, "request", notes, flows.from, flows.to);
    const auto course = std::lower_bound(analysis_.courses.begin(), analysis_.courses.end(), row.id,
                                         [](const model::Course& c, model::ExchangeId id) { return c.request < id; });
    if (course != analysis_.courses.end() && course->request == row.id)
      for (const model::LabelledStretch& s : course->stretches) write(lane, s);
    else if (!analysis_.table.partitions.parts(row.id).empty())
      ++without_course_;
    trace_.end(lane, to);
    under_way_[process].emplace_back(from, 1);
    under_way_[process].emplace_back(to, -1);
  }

  std::uint64_t without_course() const { return without_course_; }

  void write_counters() {
    for (auto& [process, changes] : under_way_) {
      const Track counter = trace_.counter("requests under way", process);
      std::sort(changes.begin(), changes.end());
      std::int64_t value = 0;
      for (std::size_t i = 0; i < changes.size(); ++i) {
        value += changes[i].second;
        if (i + 1 == changes.size() || changes[i + 1].first != changes[i].first)
          trace_.count(counter, changes[i].first, value);
      }
    }
  }

 private:
  void write(Track lane, const model::LabelledStretch& s) {
    std::vector<Note> notes = {{"label", std::string(model::name_of(s.label))},
                               {"evidence", std::string(model::name_of(s.evidence))}};
    if (s.culprit.request.connection != 0) notes.emplace_back("by_request", report::id_text(s.culprit.request));
    if (s.culprit.tid != 0) notes.emplace_back("by_tid", std::int64_t{formats::number_of(s.culprit.tid)});
    if (const model::SocketPeer* peer = model::peer_of(s.culprit, analysis_.table.partitions.peers()))
      notes.emplace_back("peer", report::peer_text(*peer));
    trace_.begin(lane, formats::nanoseconds(s.from), model::text_of(s.label), model::name_of(model::group_of(s.label)),
                 notes);
    trace_.end(lane, formats::nanoseconds(s.to));
  }

  std::vector<Note> notes_of(std::uint32_t i, const Request& row) const {
    const model::RequestTable& table = analysis_.table;
    std::vector<Note> notes = {{"id", report::id_text(row.id)},
                               {"trace_id", model::trace_hex(ids_.rows[i].context)},
                               {"trace_id_source", std::string(ids_.rows[i].trace_source)},
                               {"role", std::string(model::name_of(row.role))},
                               {"outcome", std::string(model::name_of(row.outcome))}};
    if (row.status != 0) notes.emplace_back("status", std::int64_t{row.status});
    if (row.route != 0) notes.emplace_back("route", std::string(table.texts[row.route]));
    if (const model::TextId handler = table.handlers.find(row.id); handler != 0)
      notes.emplace_back("handler", std::string(table.texts[handler]));
    for (const std::string_view taint : model::names_of(row.taints)) notes.emplace_back("taint", std::string(taint));
    return notes;
  }

  PerfettoTrace& trace_;
  const Tracks& tracks_;
  const pipeline::Analysis& analysis_;
  RequestLanes lanes_;
  spans::Identities ids_;
  std::unordered_map<std::uint32_t, Flows> flows_;
  std::map<Track, std::vector<std::pair<std::int64_t, int>>> under_way_;
  std::uint64_t without_course_ = 0;  // of those that were written: what they waited for was beyond the limit
};

// What a limit left out: said, and written as an instant at the beginning of a track of its own.
void say_limits(PerfettoTrace& trace, std::int64_t at, const RequestWriter& requests, std::uint64_t tasks,
                std::uint64_t goroutines, const BusyGoroutines& busy, Exported& out) {
  std::vector<Note> notes;
  const auto say = [&](const char* name, std::uint64_t n, const std::string& sentence) {
    if (n == 0) return;
    notes.emplace_back(name, static_cast<std::int64_t>(n));
    out.limits.push_back(sentence);
  };
  using report::count_text;
  say("requests_without_segments", requests.without_course(),
      count_text(requests.without_course(), "request has", "requests have") +
          " no intervals below: the first 200,000 of a capture have them.");
  say("task_events_left_out", tasks,
      count_text(tasks, "event", "events") + " of processes and threads beyond " + count_text(tasks::Tasks::kMax) +
          " left out.");
  say("goroutine_changes_left_out", goroutines,
      count_text(goroutines, "change", "changes") + " of goroutines beyond " +
          count_text(tasks::GoroutineStates::kMax) + " at a time left out.");
  say("goroutines_left_out", busy.left_out,
      count_text(busy.left_out, "goroutine has", "goroutines have") + " no track: the " +
          std::to_string(busy.chosen.size()) + " that ran longest inside requests have one (--goroutine-tracks N).");
  if (notes.empty()) return;
  trace.instant(trace.track("tailcap: what this file lacks", 0), at, "left out because of limits", "tailcap", notes);
}

}  // namespace

Exported export_perfetto(const std::string& file, const pipeline::Options& chosen, std::size_t goroutines,
                         const Write& write) {
  pipeline::Options options = of_all(chosen);
  Exported out{.what = "slices", .why = "their start or their process is not known"};
  out.unknown = "There are no tracks of CPUs: on which CPU a thread ran is not recorded.";
  PerfettoTrace trace(write);
  tasks::Tasks tasks;
  bool any_goroutine = false;
  pipeline::Replay(file, options.threads, options.progress).each([&](const formats::Event& e) {
    tasks.push(e);
    any_goroutine = any_goroutine || std::holds_alternative<formats::GoState>(e.body);
  });
  Tracks tracks(trace, tasks);
  options.partition = options.all_courses = true;
  const pipeline::Analysis analysis = analysed(file, options, out);
  const BusyGoroutines busy = any_goroutine ? busy_goroutines(file, options, analysis, goroutines) : BusyGoroutines{};
  const std::uint64_t beyond = write_events(file, options, trace, tasks, busy, tracks);
  RequestWriter requests(trace, tracks, analysis);
  const pipeline::Wanted wanted(chosen, analysis);
  for (std::uint32_t i = 0; i < analysis.table.rows.size(); ++i)
    if (wanted(analysis.table, i)) requests.write(i, out);
  requests.write_counters();
  say_limits(trace, formats::nanoseconds(analysis.study.quality.file.first), requests, tasks.beyond(), beyond, busy,
             out);
  return out;
}

}  // namespace tailcap::views
