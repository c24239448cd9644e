#include "capture/session.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string_view>
#include <utility>

#include "bpf/event.h"
#include "capture/clocks.h"
#include "capture/interfaces.h"

namespace tailcap::capture {

using namespace formats;

namespace {

// Mappings are told again in every keyframe, unless that would be the larger part of the recorder's work.
constexpr std::size_t kMappingsAgain = 64;
constexpr std::size_t kUnwatchedTold = 8;
constexpr std::size_t kBuilds = 256;  // Go programs whose modules are told, each once
// CPU quotas are read once a second, of the cgroups of so many processes.
constexpr Duration kQuotasEvery{1'000'000'000};
constexpr std::size_t kQuotaProcesses = 256;

// A program that is interrupted on a CPU and would run again there is skipped by the kernel, which counts that.
constexpr std::array<std::pair<std::string_view, Kind>, 7> kKindOfProgram = {{{"io_send", Kind::send},
                                                                              {"io_receive", Kind::receive},
                                                                              {"arrival", Kind::arrival},
                                                                              {"retransmit", Kind::retransmit},
                                                                              {"state_change", Kind::state_change},
                                                                              {"switch_task", Kind::off_cpu},
                                                                              {"wake_up", Kind::off_cpu}}};

}  // namespace

Session::Session(Probes& probes, Writer& writer, bool mask_headers, Finder* finder, stacks::Samples* samples)
    : probes_(probes),
      writer_(writer),
      mask_headers_(mask_headers),
      finder_(finder),
      samples_(samples),
      converter_(finder ? &finder->go_names() : nullptr),
      kernel_losses_(LOSS_COUNTERS),
      losses_until_(monotonic_now()),
      skipped_until_(losses_until_),
      allocations_(probes.allocations_descriptor()) {}

void Session::push(const Event& event) {
  writer_.push(event);
  tally_.events++;
  const auto* io = std::get_if<Io>(&event.body);
  if (io == nullptr || !io->continued) tally_.by_kind[static_cast<std::size_t>(kind_of(event))]++;
}

void Session::take(std::span<const std::byte> record) {
  if (kind_of_record(record) == bpf::RECORD_SAMPLE) {
    if (!samples_ || !samples_->take(record)) bad_records_++;
    return;
  }
  if (!converter_.convert(record, event_)) {
    bad_records_++;
    return;
  }
  if (auto* io = std::get_if<Io>(&event_.body)) {
    if (mask_headers_) mask_.apply(*io);
  } else if (const auto* info = std::get_if<SocketInfo>(&event_.body)) {
    if (mask_headers_) mask_.begin(*info);
  } else if (auto* plain = std::get_if<formats::TlsIo>(&event_.body)) {
    if (mask_headers_) mask_.apply(*plain);
  } else if (const auto* step = std::get_if<formats::TlsStep>(&event_.body)) {
    if (mask_headers_) mask_.begin(*step);
  } else if (const auto* change = std::get_if<StateChange>(&event_.body)) {
    // Calls in flight when a connection is reset are told after its close, and continue what was masked before it.
    if (change->to == TcpState::close) forget_later(change->socket);
  } else if (auto* plaintext = std::get_if<TlsIo>(&event_.body)) {
    if (mask_headers_) mask_.apply(*plaintext);
  } else if (const auto* happened = std::get_if<TlsStep>(&event_.body)) {
    if (mask_headers_) mask_.begin(*happened);
    if (happened->step == TlsStepKind::freed) forget_later(happened->session);
  } else if (std::holds_alternative<TaskInfo>(event_.body)) {
    // Seen for the first time: the rest is in /proc.
    begun(event_.thread.pid, true);
  } else if (std::holds_alternative<TaskStart>(event_.body)) {
    if (event_.thread.pid == event_.thread.tid) begun(event_.thread.pid, false);
  } else if (std::holds_alternative<TaskExec>(event_.body)) {
    begun(event_.thread.pid, true);
  }
  push(event_);
}

void Session::note(Time now, std::string_view key, std::string_view value) { push({now, {}, Note{key, value}}); }

void Session::begun(std::uint32_t pid, bool program) {
  processes_.insert(pid);
  new_.insert(pid);
  if (finder_ && program) finder_->examine(pid);
  if (samples_) samples_->forget(pid);
}

void Session::push_samples(bool anyway) {
  if (!samples_) return;
  while (const Event* sample = samples_->next(anyway)) push(*sample);
}

void Session::forget_later(SocketId socket) {
  closed_.push_back(socket);
  if (closed_.size() <= kClosedKept) return;
  mask_.forget(closed_.front());
  closed_.pop_front();
}

void Session::push_probes(Time now, const std::vector<ProbeFact>& facts) {
  for (const auto& fact : facts) {
    push({now, {}, Probe{fact.path, fact.function, fact.place, fact.offset, fact.price, fact.reason}});
    if (fact.price || tally_.unwatched.size() >= kUnwatchedTold) continue;
    const std::string text = fact.function + " in " + fact.path + ": " + fact.reason;
    if (std::find(tally_.unwatched.begin(), tally_.unwatched.end(), text) == tally_.unwatched.end())
      tally_.unwatched.push_back(text);
  }
}

void Session::push_go(Time now, const go::Fact& fact) {
  push({now, {fact.pid, fact.pid}, GoProgram{fact.path, fact.version, fact.offsets_from, fact.unsupported, fact.goid_offset, fact.parts, fact.processors}});
  if (!fact.build || fact.build->empty() || builds_.size() >= kBuilds || !builds_.insert(fact.build).second) return;
  push({now, {fact.pid, fact.pid}, GoBuild{fact.path, *fact.build}});
}

void Session::push_found(Time now) {
  if (!finder_) return;
  push_probes(now, finder_->take_new());
  for (auto& fact : finder_->take_go()) {
    push_go(now, fact);
    go_[fact.pid] = std::move(fact);
  }
}

void Session::describe(std::uint32_t pid, Time now) {
  for (const auto& mapping : mappings_.of(pid)) {
    push({now, {pid, pid}, Mapping{mapping.start, mapping.end, mapping.file_offset, mapping.path, mapping.build_id}});
  }
}

void Session::push_loss(Time now, Time since, LossCause cause, std::uint8_t kind, std::uint64_t count,
                        const char* what) {
  push({now, {}, Loss{since, cause, kind, count}});
  tally_.lost += count;
  const std::string name = std::string(name_of(static_cast<Kind>(kind))) + ": " + what;
  for (auto& [known, sum] : tally_.losses) {
    if (known == name) {
      sum += count;
      return;
    }
  }
  tally_.losses.emplace_back(name, count);
}

void Session::count_losses(Time now) {
  for (const auto& loss : probes_.losses()) {
    auto& before = kernel_losses_[loss.row * RECORD_KINDS + loss.kind];
    if (loss.count == before) continue;
    static constexpr LossCause kCauses[] = {LossCause::ring_full, LossCause::socket_table_full,
                                            LossCause::task_table_full, LossCause::session_table_full};
    static constexpr const char* kWords[] = {"the ring was full", "no room for another socket",
                                             "no room for another thread",
                                             "no room for a call of a TLS library"};
    push_loss(now, losses_until_, kCauses[loss.row], static_cast<std::uint8_t>(loss.kind), loss.count - before,
              kWords[loss.row]);
    before = loss.count;
  }
  if (bad_records_ != bad_told_) {
    push_loss(now, losses_until_, LossCause::bad_record, 255, bad_records_ - bad_told_,
              "records that could not be understood");
    bad_told_ = bad_records_;
  }
  losses_until_ = now;
}

void Session::tick(Time now) {
  count_losses(now);
  push_found(now);
  push_samples(false);
  for (const auto pid : new_) {
    const auto facts = process_facts(pid);
    if (facts.executable.empty()) continue;  // gone already
    push({now, {pid, pid}, TaskInfo{facts.parent_pid, facts.comm, facts.command_line, facts.executable, facts.cgroup, facts.started}});
    describe(pid, now);
  }
  new_.clear();
  if (!known(quotas_read_) || now - quotas_read_ >= kQuotasEvery) push_quotas(now);
}

void Session::push_quotas(Time now) {
  quotas_read_ = now;
  push_allocations(now);
  quotas_.begin();
  std::size_t read = 0;
  for (const auto pid : processes_) {
    if (++read > kQuotaProcesses) break;
    for (const Quota& q : quotas_.read(pid))
      push({now, {}, CpuQuota{q.cgroup, Duration{q.period}, Duration{q.quota}, q.periods, q.throttled, Duration{q.throttled_time}}});
  }
}

void Session::push_allocations(Time now) {
  for (const auto& change : allocations_.read())
    push({now, {change.pid, change.pid}, GoAllocations{change.least, change.count, change.bytes}});
}

void Session::push_costs(Time now) {
  const auto clocks = read_clocks();
  push({clocks.time, {}, clocks.snapshot});
  const auto cost = own_cost();
  push({now, {}, RecorderCost{Duration(static_cast<std::int64_t>(cost.cpu_ns)), cost.resident}});
  for (const auto& program : probes_.programs()) push({now, {}, ProgramCost{program.name, program.runs, program.time}});
}

void Session::push_interfaces(Time now) {
  const std::uint32_t space = own_net_namespace();
  if (space == 0) return;
  for (const InterfaceFacts& f : interface_facts()) push({now, {}, NetInterface{space, f.index, f.name, f.family, f.address, f.prefix}});
}

void Session::count_skipped_runs(Time now) {
  for (const auto& program : probes_.programs()) {
    auto& before = skipped_runs_[program.name];
    if (program.missed == before) continue;
    const auto kind = std::find_if(kKindOfProgram.begin(), kKindOfProgram.end(),
                                   [&](const auto& p) { return p.first == program.name; });
    push_loss(now, skipped_until_, LossCause::unknown,
              kind == kKindOfProgram.end() ? std::uint8_t{255} : static_cast<std::uint8_t>(kind->second),
              program.missed - before, "the program was busy on that CPU");
    before = program.missed;
  }
  skipped_until_ = now;
}

void Session::keyframe(Time now) {
  writer_.begin_keyframe(now);
  push_costs(now);
  push_interfaces(now);
  Event event;
  const auto tasks = probes_.list_tasks();
  std::span<const std::byte> rest = tasks;
  processes_.clear();
  while (const std::size_t size = listed_size(rest)) {
    if (converter_.convert(rest.first(size), event)) {
      if (auto* info = std::get_if<TaskInfo>(&event.body)) {
        ProcessFacts facts;
        if (event.thread.pid == event.thread.tid) facts = process_facts(event.thread.pid);
        info->command_line = facts.command_line;
        info->executable = facts.executable;
        info->cgroup = facts.cgroup;
        info->started = facts.started;
        processes_.insert(event.thread.pid);
        push(event);
      }
    }
    rest = rest.subspan(size);
  }
  if (processes_.size() <= kMappingsAgain) {
    std::vector<std::uint32_t> pids(processes_.begin(), processes_.end());
    std::sort(pids.begin(), pids.end());
    for (const auto pid : pids) describe(pid, now);
  }
  new_.clear();
  if (finder_) {
    for (const auto pid : processes_) finder_->examine_again(pid);
    finder_->take_new();
    push_probes(now, finder_->all());
    for (auto& fact : finder_->take_go()) go_[fact.pid] = std::move(fact);
    push_allocations(now);
    allocations_.keep(processes_);
    std::erase_if(go_, [&](const auto& known) { return !processes_.contains(known.first); });
    for (const auto& [pid, fact] : go_) push_go(now, fact);
  }
  // Several descriptors may be one socket.
  std::unordered_set<SocketId> seen;
  const auto sockets = probes_.list_sockets();
  rest = sockets;
  while (const std::size_t size = listed_size(rest)) {
    const bool converted = converter_.convert(rest.first(size), event);
    rest = rest.subspan(size);
    const auto* info = converted ? std::get_if<SocketInfo>(&event.body) : nullptr;
    if (!info || !seen.insert(info->socket).second) continue;
    if (info->origin == Origin::existed) mask_.begin(*info);
    push(event);
  }
  writer_.end_keyframe();
}

void Session::closing_facts() {
  const Time now = monotonic_now();
  count_losses(now);
  push_found(now);
  if (samples_) samples_->wait();
  push_samples(true);
  count_skipped_runs(now);
  push_quotas(now);
  push_costs(now);
}

bool Session::any_process_left() {
  return std::any_of(processes_.begin(), processes_.end(), [](auto pid) { return process_exists(pid); });
}

}  // namespace tailcap::capture
