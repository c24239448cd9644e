#include "capture/record/session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "bpf/event.h"
#include "capture/host/clocks.h"
#include "capture/rings/file_lock.h"
#include "capture/rings/socket_holders.h"
#include "ground/recorder_notes.h"

namespace tailcap::capture {

using namespace formats;

namespace {

// Every keyframe repeats the mappings of this many processes, and this many mappings: more would dominate the
// recorder's work. A process that is left out keeps its first description.
constexpr std::size_t kMappingsAgain = 64;
constexpr std::size_t kMappingsInKeyframe = 16384;
// Processes answer in microseconds. What does not come in this time comes with a later tick.
constexpr std::chrono::milliseconds kTextsInTick{20}, kTextsInKeyframe{500}, kLastTexts{200};

}  // namespace

Session::Session(Probes& probes, Writer& writer, const scan::Processes& processes, const mask::Keep& keep,
                 const std::map<std::uint32_t, std::string>& names, Finder* finder, stacks::Samples* samples,
                 const std::function<bool()>& hurry, bool drops_beginning)
    : probes_(probes),
      log_(writer),
      statements_(log_, drops_beginning),
      finder_(finder),
      samples_(samples),
      converter_(finder ? &finder->go_names() : nullptr),
      gate_(keep),
      mappings_(processes, log_),
      losses_(probes, log_),
      non_targets_(probes.wakers_descriptor()),
      machine_(probes, log_, non_targets_),
      found_(finder, log_, statements_, losses_, probes.allocations_descriptors()),
      quotas_(log_, statements_),
      memory_(log_, non_targets_),
      uses_(log_),
      interfaces_(log_, statements_),
      drops_(probes.drops_descriptors(), probes.drop_reasons()),
      texts_(processes, hurry),
      described_(names, keep.arguments),
      open_writes_(probes.settings().has(Group::tls) ? probes.go_calls_descriptor() : -1),
      unrecorded_(probes.unrecorded_descriptor()),
      sampled_(probes, log_, statements_),
      locks_(processes, log_) {
  if (!probes.settings().tls_keys || !finder) return;
  if (probes.settings().tls_auto) tls_auto_.emplace(probes, *finder);
  decryptor_.emplace([&probes](SocketId socket) { probes.heads_suffice(socket); },
                     tls_auto_ ? std::optional(tls_auto_->other()) : std::nullopt);
  if (keep.everything) ciphertext_gate_.emplace();
}

void Session::mask() {
  if (tls_auto_) tls_auto_->take(event_);
  if (decryptor_) decryptor_->take(event_);
  if (ciphertext_gate_) {
    const auto* io = std::get_if<Io>(&event_.body);
    if (!io || decryptor_->covers(io->socket)) ciphertext_gate_->take(event_);
  }
  gate_.take(event_);
}

void Session::push_plaintext() {
  if (!decryptor_) return;
  while (Event* plain = decryptor_->next()) {
    gate_.take(*plain);
    log_.push(*plain);
  }
}

void Session::take(std::span<const std::byte> record) {
  if (kind_of_record(record) == bpf::RECORD_SAMPLE) {
    if (!samples_ || !samples_->take(record)) losses_.add_bad_record();
    return;
  }
  if (kind_of_record(record) == bpf::RECORD_SCRIPT_CODE) {
    if (!samples_ || !samples_->take_code(record)) losses_.add_bad_record();
    return;
  }
  if (kind_of_record(record) == bpf::RECORD_TLS_SECRET) {
    if (decryptor_) decryptor_->secret(record, time_of_record(record));
    return push_plaintext();
  }
  if (const FileLock lock = file_lock(record); lock.holder != 0) {
    non_targets_.met(lock.holder);
    return log_.push({lock.time, lock.thread, Note{ground::kFileLockNote, std::to_string(lock.holder)}});
  }
  if (reason_of_task(record) != bpf::TASK_FOUND) return take_name(record);
  if (!converter_.convert(record, event_)) return losses_.add_bad_record();
  mask();
  if (auto* stall = std::get_if<Stall>(&event_.body)) {
    if (stall->what == StallKind::kernel_lock) stall->where = pointer_key_(stall->where);
  } else if (std::holds_alternative<TaskInfo>(event_.body) || std::holds_alternative<TaskExec>(event_.body)) {
    // Seen for the first time, or with another program: /proc has the rest.
    begun(event_.thread.pid, true);
  } else if (std::holds_alternative<TaskExit>(event_.body) && event_.thread.pid == event_.thread.tid) {
    if (found_.any_go()) open_writes_.ended(event_.thread.pid);
    if (samples_) samples_->ended(event_.thread.pid);
    mappings_.ended(event_.thread.pid);
  } else if (std::holds_alternative<TaskStart>(event_.body)) {
    if (event_.thread.pid == event_.thread.tid) begun(event_.thread.pid, false);
  }
  non_targets_.take(event_);
  locks_.take(event_);
  log_.push(event_);
  push_plaintext();
}

// The rest of its description is as it was, but for what it is called.
void Session::take_name(std::span<const std::byte> record) {
  if (!converter_.convert(record, event_)) return losses_.add_bad_record();
  const std::uint32_t pid = event_.thread.pid;
  if (reason_of_task(record) == bpf::TASK_JOINED) {
    joined_ = true;
    begun(pid, true);
  }
  new_.insert(pid);
  log_.push(event_);
}

void Session::begun(std::uint32_t pid, bool program) {
  met_anybody_ = true;
  processes_.insert(pid);
  new_.insert(pid);
  if (program) described_.forget(pid), mappings_.ended(pid);
  if (finder_) program ? finder_->examine(pid) : finder_->forked(pid);
  if (samples_) samples_->forget(pid);
  if (program) locks_.forget(pid);
}

void Session::push_samples(stacks::Lacking lacking) {
  if (!samples_) return;
  while (const Event* sample = samples_->next(lacking)) log_.push(*sample);
  for (const auto& remark : samples_->take_remarks()) warn(remark);
}

void Session::tick(Time now) {
  count_unread(now);
  count_open_writes(now);
  losses_.count(now);
  machine_.tick(now);
  for (const auto pid : non_targets_.tick(now, processes_, log_)) texts_.ask({pid, true, 0});
  interfaces_.push_changes(now);
  found_.push(now);
  look_for_older(now);
  push_samples(stacks::Lacking::nothing);
  locks_.push(now);
  for (const auto pid : new_) texts_.ask({pid, true, scan::kMaxMappings});
  if (!new_.empty()) texts_.wait(kTextsInTick, false);
  new_.clear();
  push_texts(now);
  mappings_.push_known(now);
  if (quotas_.due(now)) push_sums(now, false);
  if (!ciphertext_gate_) log_.tally().passed = gate_.passed();
}

void Session::push_texts(Time now) {
  for (const auto& answer : texts_.take()) {
    const auto& text = answer.text;
    if (text.executable.empty()) continue;  // the process has ended, or nothing is known of it
    const std::uint32_t pid = answer.question.pid;
    const auto facts = process_facts(pid);
    if (non_targets_.contains(pid) && !processes_.contains(pid)) {
      non_targets_.name(now, pid, targets::name_of(answer, facts), log_);
      continue;
    }
    described_.remember(answer, facts);
    const auto& shown = *described_.find(pid);
    const std::string service = described_.service(pid);
    log_.push({now,
               {pid, pid},
               TaskInfo{facts.parent_pid, facts.comm, shown.command_line, shown.executable, facts.cgroup, facts.started,
                        service}});
    push_pod(now, facts);
    mappings_.describe(pid, executable_mappings(pid, text), now, false);
  }
}

void Session::look_for_older(Time now) {
  if (!tls_auto_) return;
  for (const auto& process : tls_auto_->take_late()) decryptor_->keys_from(process.pid, process.since);
  tls_auto_->tick(now, statements_, log_.tally());
  if (!tls_auto_->wants_list()) return;
  try {
    const auto sockets = probes_.list_sockets();
    Event event;
    tls_auto_->begin_list();
    std::span<const std::byte> rest = sockets;
    while (const std::size_t size = listed_size(rest)) {
      if (converter_.convert(rest.first(size), event)) {
        if (const auto* info = std::get_if<SocketInfo>(&event.body)) tls_auto_->listed(event.thread.pid, *info);
      }
      rest = rest.subspan(size);
    }
    tls_auto_->end_list();
  } catch (const std::system_error&) {  // the next keyframe has a list
  }
}

void Session::push_pod(Time now, const ProcessFacts& facts) {
  if (const std::string pod = pods_.met(facts.cgroup); !pod.empty()) statements_.note(now, "tailcap.pod", pod);
}

// What is read once a second.
void Session::push_sums(Time now, bool last) {
  found_.push_allocations(now);
  push_masking(now);
  unrecorded_.look();
  quotas_.push(now, processes_);
  memory_.push(now, processes_);
  uses_.push(now, processes_);
  for (const PacketDrops& drops : drops_.take(now, last)) log_.push({now, {}, drops});
}

// What could not be read by its keys is lost, as plaintext of a call would be.
void Session::count_unread(Time now) {
  if (!decryptor_) return;
  for (const auto& loss : probes_.losses())
    if (loss.kind == bpf::RECORD_TLS_SECRET) decryptor_->secrets_lost();
  constexpr std::array kKinds = {Kind::tls_send, Kind::tls_receive};
  for (std::size_t i = 0; i < kKinds.size(); i++) {
    const std::uint64_t lost = decryptor_->lost()[i];
    if (lost == unread_[i]) continue;
    log_.lose(now, losses_.until(), LossCause::not_decrypted, static_cast<std::uint8_t>(kKinds[i]), lost - unread_[i],
              "records of TLS that could not be decrypted");
    unread_[i] = lost;
  }
}

void Session::count_open_writes(Time now) {
  // What keys read needs no call that returns.
  if (const std::uint64_t open = open_writes_.count(); open > 0 && !probes_.settings().tls_keys)
    log_.lose(now, losses_.until(), LossCause::call_under_way, static_cast<std::uint8_t>(Kind::tls_send), open,
              "writes of Go that had not returned when their process ended");
}

void Session::push_keys(Time now) {
  if (!decryptor_) return;
  const auto counts = decryptor_->counts();
  if (counts == told_keys_) return;
  told_keys_ = counts;
  statements_.note(now, "tailcap.tls.keys",
                   "read: " + std::to_string(counts.read) +
                       " connections; not read: " + std::to_string(counts.no_keys) + " without known keys, " +
                       std::to_string(counts.unsupported) + " of another version or cipher, " +
                       std::to_string(counts.damaged) + " whose records did not fit");
}

void Session::note(Time now, std::string_view key, std::string_view value) {
  // A user's note speaks of its moment, the recorder's of what is so from then on.
  if (key.starts_with("tailcap.")) return statements_.note(now, key, value);
  log_.note(now, key, value);
}

void Session::push_unrecorded(Time now) {
  for (const auto& [key, value] : unrecorded_.changed()) statements_.note(now, key, value);
}

void Session::note_clocks() {
  const auto clocks = read_clocks();
  log_.push({clocks.time, {}, clocks.snapshot});
}

void Session::push_costs(Time now) {
  note_clocks();
  const auto cost = own_cost();
  log_.push({now, {}, RecorderCost{Duration(static_cast<std::int64_t>(cost.cpu_ns)), cost.resident}});
  for (const auto& program : probes_.programs())
    log_.push({now, {}, ProgramCost{program.name, program.runs, program.time}});
}

void Session::find_links() {
  const auto tasks = probes_.list_tasks();
  std::set<std::uint32_t> pids;
  Event event;
  std::span<const std::byte> rest = tasks;
  while (const std::size_t size = listed_size(rest)) {
    if (converter_.convert(rest.first(size), event)) pids.insert(event.thread.pid);
    rest = rest.subspan(size);
  }
  interfaces_.find(pids);
}

bool Session::keyframe_again(Time now) {
  push_samples(stacks::Lacking::lines);  // another file may begin with it
  try {
    keyframe(now);
    return true;
  } catch (const std::system_error& e) {
    if (!keyframe_failed_)
      warn(std::string("a description of all processes and sockets is missing: ") + e.what() +
           ". The recording goes on.");
    keyframe_failed_ = true;
    return false;
  }
}

void Session::keyframe(Time now) {
  if (std::exchange(joined_, false)) probes_.mark_targets();
  probes_.untarget().sweep();
  // If the kernel refuses, it does so here, before half a keyframe is written.
  const auto tasks = probes_.list_tasks();
  const auto sockets = probes_.list_sockets();
  log_.writer().begin_keyframe(now);
  push_costs(now);
  push_unrecorded(now);
  sampled_.push(now);
  push_keys(now);
  statements_.repeat(now, gate_.statement());
  if (probes_.settings().has(Group::offcpu)) log_.note(now, ground::kDiskUseNote, "1");
  if (statements_.repeated()) non_targets_.repeat(now, log_);
  interfaces_.push(now);
  repeat_processes(now, tasks);
  new_.clear();
  found_.repeat(now, processes_);
  locks_.repeat(now);
  repeat_sockets(sockets);
  log_.writer().end_keyframe();
}

void Session::repeat_processes(Time now, std::span<const std::byte> tasks) {
  Event event;
  std::span<const std::byte> rest = tasks;
  processes_.clear();
  while (const std::size_t size = listed_size(rest)) {
    if (converter_.convert(rest.first(size), event) && std::holds_alternative<TaskInfo>(event.body))
      processes_.insert(event.thread.pid);
    rest = rest.subspan(size);
  }
  // What a process that does not answer showed before still holds; a new one is described by a later tick.
  const auto described = whose_mappings();
  for (const auto pid : processes_) texts_.ask({pid, true, described.contains(pid) ? scan::kMaxMappings : 0});
  texts_.wait(kTextsInKeyframe, false);
  std::vector<scan::ProcessTexts::Answer> answers = texts_.take();
  std::unordered_map<std::uint32_t, ProcessFacts> read;
  const auto facts_of = [&](std::uint32_t pid) -> const ProcessFacts& {
    const auto [known, fresh] = read.try_emplace(pid);
    if (fresh) known->second = process_facts(pid);
    return known->second;
  };
  for (const auto& answer : answers) {
    const std::uint32_t pid = answer.question.pid;
    if (non_targets_.contains(pid) && !processes_.contains(pid))
      non_targets_.name(now, pid, targets::name_of(answer, facts_of(pid)), log_);
    else
      described_.remember(answer, facts_of(pid));
  }
  described_.keep(processes_);
  rest = tasks;
  while (const std::size_t size = listed_size(rest)) {
    if (converter_.convert(rest.first(size), event)) {
      if (auto* info = std::get_if<TaskInfo>(&event.body)) {
        ProcessFacts facts;
        std::string service;
        if (event.thread.pid == event.thread.tid) {
          facts = facts_of(event.thread.pid);
          if (const auto* known = described_.find(event.thread.pid)) {
            info->command_line = known->command_line;
            info->executable = known->executable;
          }
          service = described_.service(event.thread.pid);
          info->service = service;
        }
        info->cgroup = facts.cgroup;
        if (event.thread.pid == event.thread.tid) info->started = facts.started;
        met_anybody_ = true;
        log_.push(event);
        push_pod(now, facts);
      }
    }
    rest = rest.subspan(size);
  }
  std::size_t mappings = 0;
  for (const auto& answer : answers) {
    if (!processes_.contains(answer.question.pid) || mappings >= kMappingsInKeyframe) continue;
    auto facts = executable_mappings(answer.question.pid, answer.text);
    mappings += facts.size();
    mappings_.describe(answer.question.pid, std::move(facts), now, true);
  }
}

void Session::repeat_sockets(std::span<const std::byte> sockets) {
  // Several descriptors may refer to one socket.
  std::unordered_set<SocketId> seen;
  std::vector<SocketInfo> listed;
  const SocketHolders holders(probes_.list_holders());
  Event event;
  std::span<const std::byte> rest = sockets;
  if (tls_auto_) tls_auto_->begin_list();
  while (const std::size_t size = listed_size(rest)) {
    const bool converted = converter_.convert(rest.first(size), event);
    rest = rest.subspan(size);
    auto* info = converted ? std::get_if<SocketInfo>(&event.body) : nullptr;
    const std::uint32_t holder = std::exchange(event.thread, {}).pid;
    if (info && tls_auto_) tls_auto_->listed(holder, *info);
    if (!info || !seen.insert(info->socket).second) continue;
    if (info->peer_pid == 0) info->peer_pid = holders.of_other_end(*info);
    listed.push_back(*info);
    non_targets_.take(event);
    log_.push(event);
  }
  gate_.listed(listed);
  if (tls_auto_) tls_auto_->end_list();
}

// Where there are many processes, only if nothing else describes them, and in turns.
std::set<std::uint32_t> Session::whose_mappings() {
  std::vector<std::uint32_t> pids(processes_.begin(), processes_.end());
  std::sort(pids.begin(), pids.end());
  if (pids.size() > kMappingsAgain) {
    if (!statements_.repeated()) return {};
    std::rotate(pids.begin(), std::lower_bound(pids.begin(), pids.end(), next_mappings_), pids.end());
    next_mappings_ = pids[kMappingsAgain];
    pids.resize(kMappingsAgain);
  }
  return {pids.begin(), pids.end()};
}

void Session::push_masking(Time now) {
  const Masking sum = gate_.statement();
  Masking& told = log_.tally().masking;
  log_.tally().encrypted = gate_.encrypted();
  log_.tally().plaintexts = gate_.plaintexts();
  if (sum == told) return;
  log_.push({now,
             {},
             Masking{sum.streams - told.streams, sum.foreign - told.foreign, sum.doubtful - told.doubtful,
                     sum.withheld - told.withheld, sum.sends - told.sends, sum.receives - told.receives}});
  told = sum;
}

// What threads wait for at the end of the recording explains the requests that have not ended.
void Session::push_waits() {
  std::vector<std::byte> waits;
  try {
    waits = probes_.list_waits();
  } catch (const std::system_error& e) {
    warn(std::string("what threads waited for at the end is missing: ") + e.what());
  }
  Event event;
  std::span<const std::byte> rest = waits;
  while (const std::size_t size = listed_size(rest)) {
    if (converter_.convert(rest.first(size), event)) log_.push(event);
    rest = rest.subspan(size);
  }
}

void Session::stops() {
  try {
    if (samples_) samples_->take_waiting([this] { return probes_.list_waiting(); });
  } catch (const std::system_error& e) {
    warn(std::string("stacks of what threads waited for at the end are missing: ") + e.what());
  }
  note(monotonic_now(), ground::kStopsNote, "1");
}

void Session::closing_facts() {
  texts_.wait(kLastTexts, true);
  push_texts(monotonic_now());
  mappings_.push_rest();
  push_waits();
  const Time now = monotonic_now();
  if (decryptor_) decryptor_->finish(now);
  push_plaintext();
  count_unread(now);
  count_open_writes(now);
  losses_.count(now);
  found_.push(now);
  if (samples_) samples_->wait();
  locks_.finish(now, kLastTexts);
  push_samples(stacks::Lacking::anything);
  losses_.count_skipped_runs(now);
  push_sums(now, true);
  push_unrecorded(now);
  sampled_.push(now);
  log_.tally().unrecorded = unrecorded_.lines();
  push_keys(now);
  push_costs(now);
  push_masking(now);
}

bool Session::any_process_left() {
  return std::any_of(processes_.begin(), processes_.end(), [](auto pid) { return process_exists(pid); });
}

}  // namespace tailcap::capture
