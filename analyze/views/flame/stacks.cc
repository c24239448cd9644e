#include "analyze/views/flame/stacks.h"

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>
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
#include "analyze/views/flame/caption.h"
#include "analyze/views/flame/stack_text.h"

namespace tailcap::views {

using namespace formats;

namespace {

struct ChosenRequests {
  flame::Owners owners;
  Ranking ranking;
  std::string undecided;
  std::vector<std::string> titles;  // by row, where frames are asked for by request
};

void choose(const pipeline::Analysis& analysis, const FlameChoice& choice, ChosenRequests& out) {
  const auto& table = analysis.table;
  const pipeline::Wanted matches(choice.requests, analysis);
  std::vector<RankedRequest> wanted;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::Request row = table.rows[i];
    if (row.role != model::Role::server || !row.has_duration) continue;
    if (!choice.ids.empty() && !std::binary_search(choice.ids.begin(), choice.ids.end(), row.id)) continue;
    if (matches.filters(table, static_cast<std::uint32_t>(i)))
      wanted.push_back({row.duration.count(), static_cast<std::uint32_t>(i)});
  }
  if (wanted.empty()) {
    out.undecided = choice.ids.empty()
                        ? "no request that was served matches. `tailcap report` lists the routes."
                        : "request " + report::id_text(choice.ids.front()) +
                              " was not served by a recorded process, or its end is not known: whose samples were its "
                              "is not known.";
    return;
  }
  const std::size_t n = wanted.size();
  out.ranking = rank(wanted, choice.cohort);
  if (out.ranking.needed != 0) {
    out.undecided = "only " + report::count_text(n, "request", "requests") + ": " + std::to_string(out.ranking.needed) +
                    " are needed to tell slow from typical. Record longer.";
    return;
  }
  std::vector<flame::Cohort> cohort(table.rows.size(), flame::Cohort::other);
  for (std::size_t i = n - out.ranking.slow; i < n; ++i) cohort[wanted[i].row] = flame::Cohort::slow;
  for (std::size_t i = out.ranking.typical_from; i < out.ranking.typical_to; ++i)
    cohort[wanted[i].row] = flame::Cohort::typical;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::Request row = table.rows[i];
    if (row.role == model::Role::server && row.has_duration)
      out.owners.add(row.pid, row.tid, {row.start, row.start + row.duration, cohort[i], static_cast<std::uint32_t>(i)});
    if (!choice.by_request) continue;
    const auto trace = row.traceparent == 0 ? std::string_view() : model::trace_id_in(table.texts[row.traceparent]);
    out.titles.push_back(report::id_text(row.id) + (trace.empty() ? "" : " trace " + frame_of(trace)));
  }
}

// The time range of the stacks.
struct Window {
  Time from = time_from(std::numeric_limits<std::int64_t>::min()),
       to = time_from(std::numeric_limits<std::int64_t>::max());
};

class Collecting {
 public:
  Collecting(const FlameChoice& choice, const flame::LeftStacks& left, ChosenRequests* chosen, Window window,
             FlameResult& result)
      : choice_(choice), left_(left), chosen_(chosen), window_(window), result_(result) {}

  void push(const Event& event) {
    names_.push(event);
    if (const auto* sample = std::get_if<Sample>(&event.body)) {
      if (choice_.off_cpu || sample->kind != choice_.samples) return;
      ++samples_;
      if (event.time < window_.from || event.time >= window_.to) return;
      each_ = sample->kind == SampleKind::allocation ? sample->value * sample->weight : sample->weight;
      spread(event, event.time, event.time, stack_text(names_.of(event.thread.pid), *sample, choice_.lines));
    } else if (const auto* off = std::get_if<OffCpu>(&event.body)) {
      if (!choice_.off_cpu || !known(off->left) || off->left >= event.time) return;
      const bool woken = known(off->runnable) && off->runnable >= off->left && off->runnable <= event.time;
      const Time runnable = woken ? off->runnable : event.time;
      if (event.time < window_.from || off->left >= window_.to) return;
      if (!(woken && runnable == off->left)) count_wait(event.thread.tid, *off);
      if (off->left < runnable) spread(event, off->left, runnable, text_of(event.thread, *off, false));
      if (runnable < event.time) spread(event, runnable, event.time, text_of(event.thread, *off, true));
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
      for (const auto& stack : stacks) folder_.add(chosen_->titles[request] + ";" + stack.frames, stack.value, false);
      result_.by_request.emplace(table.rows.id(request), std::move(stacks));
    }
  }

  std::uint64_t samples() const { return samples_; }
  const flame::Folder& folder() const { return folder_; }

 private:
  void count_wait(std::uint32_t tid, const OffCpu& off) {
    ++result_.waits;
    result_.waits_with_stack += left_.of(tid, off.left).has_value();
  }
  std::string text_of(Thread thread, const OffCpu& off, bool queued) const {
    const auto stack = left_.of(thread.tid, off.left);
    if (!stack) return wait_text(thread, off, names_, queued);
    std::string text = stack_text(names_.of(thread.pid), *stack, choice_.lines);
    if (queued) text += kQueued;
    return text;
  }
  void spread(const Event& event, Time begin, Time end, const std::string& stack) {
    begin = std::max(begin, window_.from);
    end = std::min(end, window_.to);
    if (begin > end) return;
    const auto value = [&](Time from, Time to) {
      return from == to ? each_ : static_cast<std::uint64_t>((to - from).count());
    };
    if (!chosen_) return folder_.add(stack, value(begin, end), false);
    for (const auto& part : chosen_->owners.of(event.thread, event.goroutine, begin, end)) {
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
  ChosenRequests* chosen_;
  const Window window_;
  FlameResult& result_;
  ThreadNames names_;
  flame::Folder folder_;
  std::map<std::uint32_t, flame::Folder> own_;
  std::uint64_t samples_ = 0, each_ = 1;  // what an instant counts
};

}  // namespace

bool FlameChoice::of_requests() const {
  return in_requests || !requests.filters.empty() || !ids.empty() || by_request || cohort != FlameRequests::all;
}

FlameResult flame_of(const std::string& path, const FlameChoice& choice) {
  FlameResult result;
  ChosenRequests chosen;
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
    const pipeline::Wanted wanted(choice.requests, analysis);
    if (wanted.from()) window.from = *wanted.from();
    if (wanted.to()) window.to = *wanted.to();
  }
  if (of_requests) {
    choose(analysis, choice, chosen);
    if (!chosen.undecided.empty()) {
      result.undecided = chosen.undecided;
      return result;
    }
  }
  flame::LeftStacks left;
  pipeline::Replay replay(path);
  if (of_requests || choice.off_cpu)
    replay.each([&](const Event& event) {
      if (of_requests) chosen.owners.sent(event);
      if (choice.off_cpu) left.push(event);
    });
  if (of_requests) chosen.owners.sort();
  Collecting collecting(choice, left, of_requests ? &chosen : nullptr, window, result);
  replay.run(collecting);
  collecting.put_together(analysis.table);
  if (!choice.off_cpu && collecting.samples() == 0)
    throw std::runtime_error("no samples in " + report::printable(path) + ". Record " +
                             (choice.samples == SampleKind::allocation ? "Go programs with --add allocations."
                              : choice.samples == SampleKind::preempted
                                  ? "Go programs with --profile deep."
                                  : "without --no-sample; --measure off-cpu shows what was waited for."));
  result.flame.stacks = collecting.folder().stacks(chosen.ranking.slow,
                                                   choice.cohort == FlameRequests::both ? chosen.ranking.typical() : 0);
  describe(choice, of_requests ? &chosen.ranking : nullptr, collecting.folder(), result);
  return result;
}

}  // namespace tailcap::views
