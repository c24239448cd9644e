#include "analyze/views/flame/stacks.h"

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/flame/folder.h"
#include "analyze/flame/left_stacks.h"
#include "analyze/flame/owners.h"
#include "analyze/model/wire/trace_context.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/tail/slow/cohorts.h"
#include "analyze/views/events/event_names.h"
#include "ground/syscalls.h"
#include "ground/task_state.h"

namespace tailcap::views {

using namespace formats;

namespace {

// A frame name comes from outside: remove everything that breaks a line or a stack.
std::string frame(std::string_view name) {
  std::string text = report::printable(name);
  std::replace(text.begin(), text.end(), ';', ' ');
  return text;
}

class Names {
 public:
  void push(const Event& event) {
    if (const auto* info = std::get_if<TaskInfo>(&event.body))
      put(event.thread.tid, info->comm);
    else if (const auto* exec = std::get_if<TaskExec>(&event.body))
      put(event.thread.tid, exec->comm);
    else if (const auto* start = std::get_if<TaskStart>(&event.body))
      put(event.thread.tid, start->comm);
  }
  std::string of(std::uint32_t tid) const {
    const auto known = names_.find(tid);
    return known == names_.end() ? "process " + std::to_string(tid) : known->second;
  }

 private:
  void put(std::uint32_t tid, std::string_view comm) {
    if (!comm.empty()) names_[tid] = frame(comm);
  }
  std::unordered_map<std::uint32_t, std::string> names_;
};

std::string stack_text(const Event& event, const Sample& sample, const Names& names) {
  std::string stack = names.of(event.thread.pid);
  const auto add = [&](std::string_view text, const char* mark) {
    while (!text.empty()) {
      const std::string_view name = text.substr(0, text.find(';'));
      text.remove_prefix(std::min(name.size() + 1, text.size()));
      stack += ";" + report::printable(name) + mark;
    }
  };
  if (sample.user.empty() && sample.kernel.empty()) stack += ";[no stack]";
  add(sample.user, "");
  add(sample.kernel, "_[k]");
  return stack;
}

// The reason that it was off-CPU; queued: woken, or preempted.
std::string off_cpu_stack(const Event& event, const OffCpu& off, const Names& names, bool queued) {
  std::string stack = names.of(event.thread.pid) + ";" + names.of(event.thread.tid);
  if (off.state & ground::kTaskNew) return stack + ";new, waiting for a CPU";
  const bool preempted = off.runnable == off.left;
  if (preempted) return stack + (off.throttled ? ";CPU quota used up" : ";preempted");
  stack += ";" + (off.syscall >= 0 ? ground::syscall_name(off.syscall) : std::string("outside any system call"));
  if (off.file != FileKind::unknown) stack += ";on " + std::string(name_of(off.file));
  if (off.state & 2) stack += ";uninterruptible";
  return queued ? stack + ";woken, waiting for a CPU" : stack;
}

struct Cohorts {
  flame::Owners owners;
  std::uint64_t slow = 0, typical = 0;
  std::int64_t slow_from = 0;  // ns
  std::string undecided;
  std::vector<std::string> titles;  // by row, where frames are asked for by request
};

void choose(const pipeline::Analysis& analysis, const FlameChoice& choice, Cohorts& out) {
  const auto& table = analysis.table;
  struct Row {
    std::int64_t duration;
    std::size_t index;
  };
  const pipeline::Wanted matches(choice.requests, analysis.study);
  std::vector<Row> wanted;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::Request row = table.rows[i];
    if (row.role != model::Role::server || !row.has_duration) continue;
    if (!choice.ids.empty() && !std::binary_search(choice.ids.begin(), choice.ids.end(), row.id)) continue;
    if (matches.filters(table, static_cast<std::uint32_t>(i))) wanted.push_back({row.duration.count(), i});
  }
  if (wanted.empty()) {
    out.undecided = choice.ids.empty()
                        ? "no request that was served matches. `tailcap report` lists the routes."
                        : "request " + report::id_text(choice.ids.front()) +
                              " was not served by a recorded process, or its end is not known: whose samples were its "
                              "is not known.";
    return;
  }
  std::vector<flame::Cohort> cohort(table.rows.size(), flame::Cohort::other);
  std::sort(wanted.begin(), wanted.end(), [](const Row& a, const Row& b) {
    return a.duration != b.duration ? a.duration < b.duration : a.index < b.index;
  });
  const std::size_t n = wanted.size();
  const tail::slow::CohortPlaces places = tail::slow::cohort_places(n);
  if (choice.cohort == FlameRequests::all) {
    for (const Row& row : wanted) cohort[row.index] = flame::Cohort::slow;
    out.slow = n;
  } else if (places.needed != 0) {
    out.undecided = "only " + report::count_text(n, "request", "requests") + ": " + std::to_string(places.needed) +
                    " are needed to tell slow from typical. Record longer.";
    return;
  } else {
    out.slow_from = wanted[n - places.slow].duration;
    for (std::size_t i = n - places.slow; i < n; ++i) cohort[wanted[i].index] = flame::Cohort::slow;
    for (std::size_t i = places.typical_from; i < places.typical_to; ++i)
      cohort[wanted[i].index] = flame::Cohort::typical;
    out.slow = places.slow;
    out.typical = places.typical_to - places.typical_from;
  }
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::Request row = table.rows[i];
    if (row.role == model::Role::server && row.has_duration)
      out.owners.add(row.pid, row.tid, {row.start, row.start + row.duration, cohort[i], static_cast<std::uint32_t>(i)});
    if (!choice.by_request) continue;
    const auto trace = row.traceparent == 0 ? std::string_view() : model::trace_id_in(table.texts[row.traceparent]);
    out.titles.push_back(report::id_text(row.id) + (trace.empty() ? "" : " trace " + frame(trace)));
  }
}

// The time range of the stacks.
struct Window {
  Time from = time_from(std::numeric_limits<std::int64_t>::min()),
       to = time_from(std::numeric_limits<std::int64_t>::max());
};

class Collecting {
 public:
  Collecting(const FlameChoice& choice, const flame::LeftStacks& left, Cohorts* cohorts, Window window,
             FlameResult& result)
      : choice_(choice), left_(left), cohorts_(cohorts), window_(window), result_(result) {}

  void push(const Event& event) {
    names_.push(event);
    if (const auto* sample = std::get_if<Sample>(&event.body)) {
      if (choice_.off_cpu || sample->kind != choice_.samples) return;
      ++samples_;
      if (event.time < window_.from || event.time >= window_.to) return;
      each_ = sample->kind == SampleKind::allocation ? sample->value * sample->weight : sample->weight;
      spread(event, event.time, event.time, stack_text(event, *sample, names_));
    } else if (const auto* off = std::get_if<OffCpu>(&event.body)) {
      if (!choice_.off_cpu || !known(off->left) || off->left >= event.time) return;
      const bool woken = known(off->runnable) && off->runnable >= off->left && off->runnable <= event.time;
      const Time runnable = woken ? off->runnable : event.time;
      if (event.time < window_.from || off->left >= window_.to) return;
      if (!(woken && runnable == off->left)) count_wait(event);
      if (off->left < runnable) spread(event, off->left, runnable, wait_text(event, *off, false));
      if (runnable < event.time) spread(event, runnable, event.time, wait_text(event, *off, true));
    } else if (std::holds_alternative<Loss>(event.body) || std::holds_alternative<Damage>(event.body)) {
      result_.damaged = true;
    } else if (const auto* end = std::get_if<CaptureEnd>(&event.body)) {
      result_.damaged |= end->state != CaptureState::complete;
    }
  }

  // Adds the stacks collected per request, under the request's title. Call once, at the end.
  void put_together(const model::RequestTable& table) {
    for (const auto& [request, folder] : own_) {
      auto stacks = folder.stacks(0, 0);
      for (const auto& stack : stacks) folder_.add(cohorts_->titles[request] + ";" + stack.frames, stack.value, false);
      result_.by_request.emplace(table.rows.id(request), std::move(stacks));
    }
  }

  std::uint64_t samples() const { return samples_; }
  const flame::Folder& folder() const { return folder_; }

 private:
  void count_wait(const Event& event) {
    ++result_.waits;
    result_.waits_with_stack += left_.of(event).has_value();
  }
  std::string wait_text(const Event& event, const OffCpu& off, bool queued) const {
    const auto stack = left_.of(event);
    if (!stack) return off_cpu_stack(event, off, names_, queued);
    return stack_text(event, *stack, names_) + (queued ? ";woken, waiting for a CPU" : "");
  }
  void spread(const Event& event, Time begin, Time end, const std::string& stack) {
    begin = std::max(begin, window_.from);
    end = std::min(end, window_.to);
    if (begin > end) return;
    const auto value = [&](Time from, Time to) {
      return from == to ? each_ : static_cast<std::uint64_t>((to - from).count());
    };
    if (!cohorts_) return folder_.add(stack, value(begin, end), false);
    for (const auto& part : cohorts_->owners.of(event, begin, end)) {
      if (choice_.by_request && !part.several) {
        if (part.cohort != flame::Cohort::other) own_[part.request].add(stack, value(part.begin, part.end), false);
        continue;
      }
      if (part.several)
        result_.left_out += value(part.begin, part.end);
      else if (part.cohort == flame::Cohort::slow && choice_.cohort != FlameRequests::typical)
        folder_.add(stack, value(part.begin, part.end), false);
      else if (part.cohort == flame::Cohort::typical && choice_.cohort == FlameRequests::typical)
        folder_.add(stack, value(part.begin, part.end), false);
      else if (part.cohort == flame::Cohort::typical && choice_.cohort == FlameRequests::both)
        folder_.add(stack, value(part.begin, part.end), true);
    }
  }

  const FlameChoice& choice_;
  const flame::LeftStacks& left_;
  Cohorts* cohorts_;
  const Window window_;
  FlameResult& result_;
  Names names_;
  flame::Folder folder_;
  std::map<std::uint32_t, flame::Folder> own_;
  std::uint64_t samples_ = 0, each_ = 1;  // what an instant counts
};

std::string amount(const FlameChoice& choice, std::uint64_t value) {
  if (!choice.off_cpu && choice.samples == SampleKind::allocation) return report::bytes_text(value);
  return choice.off_cpu ? report::duration_text(Duration(static_cast<std::int64_t>(value)))
                        : std::to_string(value) + (value == 1 ? " sample" : " samples");
}

void describe(const FlameChoice& choice, const Cohorts& cohorts, bool of_requests, const flame::Folder& folder,
              FlameResult& result) {
  auto& flame = result.flame;
  flame.time = choice.off_cpu;
  flame.comparison = choice.cohort == FlameRequests::both;
  flame.bytes = !choice.off_cpu && choice.samples == SampleKind::allocation;
  flame.title = choice.off_cpu                            ? "Off the CPU"
                : flame.bytes                             ? "Allocated, estimated"
                : choice.samples == SampleKind::preempted ? "Preempted by Go's scheduler"
                                                          : "On the CPU";
  if (!choice.title.empty()) flame.title += ": " + choice.title;
  if (choice.ids.size() == 1) flame.title += ": request " + report::id_text(choice.ids.front());
  flame.subtitle = amount(choice, folder.total(false));
  if (result.waits_with_stack > 0)
    flame.subtitle +=
        "; stacks of " + std::to_string(result.waits_with_stack) + " of " + std::to_string(result.waits) + " waits";
  if (!of_requests) return;
  result.requests = choice.cohort == FlameRequests::typical ? cohorts.typical : cohorts.slow;
  flame.subtitle += " of " + std::to_string(result.requests) +
                    (choice.cohort == FlameRequests::all       ? ""
                     : choice.cohort == FlameRequests::typical ? " typical"
                                                               : " slow") +
                    (result.requests == 1 ? " request" : " requests");
  if (choice.cohort == FlameRequests::slow || flame.comparison)
    flame.subtitle += " (" + report::duration_text(Duration(cohorts.slow_from)) + " and longer)";
  if (flame.comparison)
    flame.subtitle += " against " + amount(choice, folder.total(true)) + " of " + std::to_string(cohorts.typical) +
                      " typical ones, per request";
  if (result.left_out > 0)
    flame.subtitle += "; " + amount(choice, result.left_out) + " left out: several requests under way";
}

}  // namespace

bool FlameChoice::of_requests() const {
  return !requests.filters.empty() || !ids.empty() || by_request || cohort != FlameRequests::all;
}

FlameResult flame_of(const std::string& path, const FlameChoice& choice) {
  FlameResult result;
  Cohorts cohorts;
  pipeline::Analysis analysis;
  Window window;
  const bool of_requests = choice.of_requests();
  if (of_requests || choice.requests.from || choice.requests.to) {
    // All requests: those under way beside a chosen one decide the owner of a stack.
    pipeline::Options settings;
    settings.study = false;
    settings.routes = choice.requests.routes;
    settings.partition = choice.requests.partition;
    analysis = pipeline::analyze(path, settings);
    const pipeline::Wanted wanted(choice.requests, analysis.study);
    if (wanted.from()) window.from = *wanted.from();
    if (wanted.to()) window.to = *wanted.to();
  }
  if (of_requests) {
    choose(analysis, choice, cohorts);
    if (!cohorts.undecided.empty()) {
      result.undecided = cohorts.undecided;
      return result;
    }
  }
  flame::LeftStacks left;
  pipeline::Replay replay(path);
  if (of_requests || choice.off_cpu)
    replay.each([&](const Event& event) {
      if (of_requests) cohorts.owners.sent(event);
      if (choice.off_cpu) left.push(event);
    });
  if (of_requests) cohorts.owners.sort();
  Collecting collecting(choice, left, of_requests ? &cohorts : nullptr, window, result);
  replay.run(collecting);
  collecting.put_together(analysis.table);
  if (!choice.off_cpu && collecting.samples() == 0)
    throw std::runtime_error("no samples in " + report::printable(path) + ". Record " +
                             (choice.samples == SampleKind::allocation ? "Go programs with --add allocations."
                              : choice.samples == SampleKind::preempted
                                  ? "Go programs with --profile deep."
                                  : "with --sample 99; --measure off-cpu shows what was waited for."));
  result.flame.stacks =
      collecting.folder().stacks(cohorts.slow, choice.cohort == FlameRequests::both ? cohorts.typical : 0);
  describe(choice, cohorts, of_requests, collecting.folder(), result);
  return result;
}

}  // namespace tailcap::views
