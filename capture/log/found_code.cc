#include "capture/log/found_code.h"

#include <algorithm>
#include <utility>

#include "bpf/event.h"

namespace tailcap::capture {

using namespace formats;

namespace {

constexpr std::size_t kUnwatchedTold = 8;
constexpr std::size_t kBuilds = 256;  // Go programs with modules recorded, each once

}  // namespace

void FoundCode::push_probes(Time now, const std::vector<ProbeFact>& facts) {
  for (const auto& fact : facts)
    log_.push({now, {}, Probe{fact.path, fact.function, fact.place, fact.offset, fact.price, fact.reason}});
}

// Reports what is not, or no longer, recorded because of these facts: once for each.
void FoundCode::account_for(Time now, const std::vector<ProbeFact>& facts) {
  for (const auto& fact : facts) {
    if (fact.left) {
      // Known sessions continue unseen: the number of their lost events is unknown, only that there are some.
      log_.lose(now, losses_.until(), LossCause::probe_removed, static_cast<std::uint8_t>(Kind::tls_receive), 1,
                "calls after a probe was removed, at least");
      statements_.note(now, "tailcap.left", fact.path + ": " + fact.reason);
    }
    if (fact.missing)
      log_.lose(now, losses_.until(), LossCause::file_not_read, static_cast<std::uint8_t>(Kind::tls_receive), 1,
                "calls in files that could not be read, at least");
    if (fact.price || log_.tally().unwatched.size() >= kUnwatchedTold) continue;
    const std::string text =
        (fact.function.empty() ? "" : "at " + fact.function + " ") + "in " + fact.path + ": " + fact.reason;
    if (std::find(log_.tally().unwatched.begin(), log_.tally().unwatched.end(), text) == log_.tally().unwatched.end())
      log_.tally().unwatched.push_back(text);
  }
}

void FoundCode::push_go(Time now, const go::Fact& fact) {
  log_.push({now,
             {fact.pid, fact.pid},
             GoProgram{fact.path, fact.version, fact.offsets_from, fact.unsupported, fact.goid_offset, fact.parts,
                       fact.processors}});
  if (!fact.build || fact.build->empty() || builds_.size() >= kBuilds || !builds_.insert(fact.build).second) return;
  log_.push({now, {fact.pid, fact.pid}, GoBuild{fact.path, *fact.build}});
}

// A process that was not looked at may have nothing to record. So it is no lost event of any kind, but a note.
void FoundCode::count_dropped(Time now) {
  const auto dropped = finder_->dropped();
  if (dropped.looks > 0 && log_.tally().looks_dropped == 0)
    statements_.note(now, "tailcap.looks",
                     "processes began faster than they could be looked at: TLS and Go are not recorded of all of them");
  if (dropped.facts > 0 && log_.tally().probe_facts_dropped == 0)
    statements_.note(now, "tailcap.probes",
                     "there are more places of probes and more facts of Go programs than are kept");
  log_.tally().looks_dropped = dropped.looks;
  log_.tally().probe_facts_dropped = dropped.facts;
}

void FoundCode::push(Time now) {
  if (!finder_) return;
  count_dropped(now);
  const auto facts = finder_->take_new();
  push_probes(now, facts);
  account_for(now, facts);
  for (auto& fact : finder_->take_go()) {
    push_go(now, fact);
    go_[fact.pid] = std::move(fact);
  }
  for (const auto& fact : finder_->take_heaps()) log_.push({fact.at, {fact.pid, fact.pid}, fact.heap});
}

void FoundCode::push_allocations(Time now) {
  for (const auto& change : of_go_.read())
    log_.push({now, {change.pid, change.pid}, GoAllocations{change.least, change.count, change.bytes}});
  for (const auto& change : by_malloc_.read())
    log_.push({now, {change.pid, change.pid}, MallocCalls{change.least, change.count, change.bytes}});
}

void FoundCode::repeat(Time now, const std::unordered_set<std::uint32_t>& processes) {
  if (!finder_) return;
  for (const auto pid : processes) finder_->examine_again(pid);
  account_for(now, finder_->take_new());
  push_probes(now, finder_->all());
  for (auto& fact : finder_->take_go()) go_[fact.pid] = std::move(fact);
  push_allocations(now);
  of_go_.keep(processes);
  by_malloc_.keep(processes);
  std::erase_if(go_, [&](const auto& known) { return !processes.contains(known.first); });
  if (statements_.repeated()) builds_.clear();
  for (const auto& [pid, fact] : go_) push_go(now, fact);
}

}  // namespace tailcap::capture
