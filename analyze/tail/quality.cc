#include "analyze/tail/quality.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "formats/event.h"

namespace tailcap::tail {
namespace {

using formats::Kind;
using formats::known;
using formats::LossCause;
using formats::Time;

// Beyond this many, losses are joined to the one before: the report shows spans, not events.
constexpr std::size_t kMaxLosses = 4096;
// Notes on traffic that is not recorded; recorders limit their number.
constexpr std::string_view kUnrecorded = "tailcap.unrecorded.", kTlsWay = "tailcap.tls.way";
// Notes on masking before this part of a recording; the first of each counts.
constexpr std::string_view kMasking = "tailcap.masking.";
constexpr std::string_view kQuestion = "tailcap.note";
constexpr std::size_t kMaxQuestions = 100;
constexpr std::size_t kMaxUnrecorded = 4096, kMaxTlsWays = 64, kMaxNoteKey = 64, kMaxNoteValue = 256;
constexpr std::size_t kMaxPrograms = 1024, kMaxSteps = 10'000;

std::string_view text_of(LossCause cause) {
  switch (cause) {
    case LossCause::ring_full:
      return "ring full";
    case LossCause::queue_full:
      return "disk too slow";
    case LossCause::bad_record:
      return "unreadable record";
    case LossCause::socket_table_full:
      return "socket table full";
    case LossCause::task_table_full:
      return "thread table full";
    case LossCause::session_table_full:
      return "TLS session table full";
    case LossCause::damaged:
      return "a merged capture was damaged or cut short";
    case LossCause::probe_removed:
      return "probe removed";
    case LossCause::file_not_read:
      return "file could not be read";
    case LossCause::not_decrypted:
      return "could not be decrypted";
    case LossCause::call_under_way:
      return "not returned at the end of its process";
    default:
      break;  // of a later version
  }
  return "unknown cause";
}

// Could the loss of such an event change what a request looks like? Waits only change its labels.
bool requests_need(std::uint8_t kind) {
  switch (static_cast<Kind>(kind)) {
    case Kind::send:
    case Kind::receive:
    case Kind::arrival:
    case Kind::reset:
    case Kind::state_change:
    case Kind::socket_info:
    case Kind::accept:
    case Kind::tls_send:
    case Kind::tls_receive:
    case Kind::tls_step:
      return true;
    case Kind::retransmit:
    case Kind::off_cpu:
    case Kind::task_start:
    case Kind::task_exec:
    case Kind::task_exit:
    case Kind::task_info:
    case Kind::mapping:
    case Kind::clock:
    case Kind::loss:
    case Kind::recorder_cost:
    case Kind::program_cost:
    case Kind::capture_end:
    case Kind::damage:
    case Kind::probe:
    case Kind::go_create:
    case Kind::go_runtime:
    case Kind::go_state:
    case Kind::go_handler:
    case Kind::go_program:
    case Kind::stall:
    case Kind::cpu_quota:
    case Kind::go_call:
    case Kind::go_channel:
    case Kind::go_allocations:
    case Kind::file_call:
    case Kind::note:
    case Kind::net_interface:
    case Kind::masking:
    case Kind::machine:
    case Kind::net_link:
    case Kind::process_use:
    case Kind::packet_drops:
    case Kind::go_heap:
    case Kind::malloc_calls:
    case Kind::sample:
    case Kind::go_exit:
    case Kind::go_panic:
    case Kind::oom_kill:
    case Kind::go_build:
      return false;
  }
  return true;  // a kind of a later version
}

}  // namespace

QualityFacts::QualityFacts(const formats::Preamble& preamble) {
  if (known(preamble.started) && preamble.started_realtime > 0)
    clock_.add(preamble.started, preamble.started_realtime, {});
}

void QualityFacts::lose(Time from, Time to, std::uint64_t count, std::string what, bool affects_requests) {
  if (!known(from) || from > to) from = to;
  if (affects_requests) {
    if (doubtful_.size() >= kMaxLosses)
      doubtful_.back() = {std::min(doubtful_.back().first, from), std::max(doubtful_.back().second, to)};
    else
      doubtful_.emplace_back(from, to);
  }
  if (!losses_.empty()) {
    model::LossSpan& back = losses_.back();
    // The next piece of the same loss, or one too many to show apart.
    if ((back.what == what && from <= back.to) || losses_.size() >= kMaxLosses) {
      if (back.what != what) back.what = "several causes";
      back.from = std::min(back.from, from);
      back.to = std::max(back.to, to);
      back.count += count;
      return;
    }
  }
  losses_.push_back({from, to, count, std::move(what)});
}

void QualityFacts::forget_counts() {
  events_ = lost_ = lost_sends_ = lost_receives_ = retransmits_ = samples_ = wait_stacks_ = 0;
  losses_.clear();
  drops_.clear();
}

void QualityFacts::push(const formats::Event& event) {
  const Kind kind = formats::kind_of(event);
  if (kind == Kind::capture_end) return;
  if (kind == Kind::damage) {
    const auto& damage = std::get<formats::Damage>(event.body);
    lose(damage.since, event.time, 0, "damaged block", true);
    return;
  }
  ++events_;
  if (known(event.time)) {
    // Samples are written seconds later, in a recording of several files also to the next one.
    if (kind != Kind::sample && (!known(first_) || event.time < first_)) first_ = event.time;
    last_ = std::max(last_, event.time);
  }
  switch (kind) {
    case Kind::retransmit:
      ++retransmits_;
      break;
    case Kind::packet_drops:
      drops_.push(std::get<formats::PacketDrops>(event.body));
      break;
    case Kind::socket_info:
      drops_.push(std::get<formats::SocketInfo>(event.body));
      break;
    case Kind::sample:
      samples_ += std::get<formats::Sample>(event.body).kind == formats::SampleKind::on_cpu;
      wait_stacks_ += std::get<formats::Sample>(event.body).kind == formats::SampleKind::off_cpu;
      break;
    case Kind::clock: {
      const auto& c = std::get<formats::ClockSnapshot>(event.body);
      clock_.add(event.time, c.realtime, c.uncertainty);
      break;
    }
    case Kind::loss: {
      const auto& loss = std::get<formats::Loss>(event.body);
      lost_ += loss.count;
      const auto lost_kind = static_cast<Kind>(loss.kind);
      const bool any = loss.kind == 255;
      if (lost_kind == Kind::send || lost_kind == Kind::tls_send || any) lost_sends_ += loss.count;
      if (lost_kind == Kind::receive || lost_kind == Kind::tls_receive || any) lost_receives_ += loss.count;
      std::string what(text_of(loss.cause));
      if (loss.kind != 255) what.append(": ").append(formats::name_of(static_cast<Kind>(loss.kind)));
      if (loss.count > 0) lose(loss.since, event.time, loss.count, std::move(what), requests_need(loss.kind));
      break;
    }
    case Kind::masking: {
      const auto& m = std::get<formats::Masking>(event.body);
      masking_.streams += m.streams;
      masking_.foreign += m.foreign;
      masking_.doubtful += m.doubtful;
      masking_.withheld += m.withheld;
      masking_.sends += m.sends;
      masking_.receives += m.receives;
      masking_known_ = true;
      break;
    }
    case Kind::recorder_cost:
      // The first reading is made when recording begins: what was spent until then was no burden on what was recorded.
      if (recorder_known_ && !recorder_before_) recorder_before_ = recorder_.cpu;
      recorder_ = std::get<formats::RecorderCost>(event.body);
      recorder_known_ = true;
      break;
    case Kind::program_cost: {
      // Counted from when it was attached: the last reading is the total.
      const auto& cost = std::get<formats::ProgramCost>(event.body);
      auto it = programs_.find(cost.program);
      if (it == programs_.end() && programs_.size() < kMaxPrograms)
        it = programs_.emplace(cost.program, Program{}).first;
      if (it != programs_.end())
        it->second = {std::max(it->second.runs, cost.runs), std::max(it->second.time, cost.time)};
      break;
    }
    case Kind::note:
      take_note(std::get<formats::Note>(event.body), event.time);
      break;
    default:
      break;
  }
}

// Each counts from the beginning: the last is the total.
void QualityFacts::take_note(const formats::Note& note, Time time) {
  if (note.key.starts_with(kMasking)) masked_before(note);
  if (note.key == model::kSampledEndsNote) model::read_ends(note.value, sampling_);
  if (note.key == model::kStepNote && steps_.size() < kMaxSteps) {
    // Keyframes repeat the last one.
    const auto step = model::read_step(note.value, time);
    if (step && (steps_.empty() || !steps_.back().same_as(*step))) steps_.push_back(*step);
  }
  if (note.key.size() > kMaxNoteKey || note.value.size() > kMaxNoteValue) return;
  if (note.key.starts_with(kQuestion) && questions_.size() < kMaxQuestions)
    questions_.emplace_back(note.key, note.value);
  if (note.key.starts_with(kUnrecorded) && (unrecorded_.size() < kMaxUnrecorded || unrecorded_.contains(note.key)))
    unrecorded_.insert_or_assign(std::string(note.key), note.value);
  if (note.key == kTlsWay) {
    std::string file(note.value.substr(0, note.value.find(": by ")));
    if (tls_ways_.size() < kMaxTlsWays || tls_ways_.contains(file))
      tls_ways_.insert_or_assign(std::move(file), note.value);
  }
}

void QualityFacts::masked_before(const formats::Note& note) {
  const std::string_view what = note.key.substr(kMasking.size());
  constexpr std::pair<std::string_view, std::uint64_t formats::Masking::*> kSums[] = {
      {"streams", &formats::Masking::streams},
      {"foreign", &formats::Masking::foreign},
      {"doubtful", &formats::Masking::doubtful},
      {"withheld", &formats::Masking::withheld}};
  for (std::size_t i = 0; i < std::size(kSums); ++i) {
    if (what != kSums[i].first || masked_before_known_[i]) continue;
    masked_before_known_[i] = true;
    masking_known_ = true;  // nothing has changed since, where no event follows
    std::from_chars(note.value.data(), note.value.data() + note.value.size(), masking_before_.*kSums[i].second);
  }
}

void QualityFacts::taint(model::RequestTable& table) const {
  std::vector<std::pair<Time, Time>> spans = doubtful_;
  std::sort(spans.begin(), spans.end());
  std::size_t n = 0;
  for (const auto& s : spans) {
    if (n > 0 && s.first <= spans[n - 1].second)
      spans[n - 1].second = std::max(spans[n - 1].second, s.second);
    else
      spans[n++] = s;
  }
  spans.resize(n);
  auto& rows = table.rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Time start = rows.start(i);
    if (!known(start)) {
      // Its beginning was not seen. Where nothing on its connection says why, it was before the recording, or is lost.
      if (rows[i].taints == 0)
        rows.add_taints(
            i, static_cast<model::Taints>(spans.empty() ? model::Taint::began_before : model::Taint::events_lost));
      continue;
    }
    // Without a known end it may have lasted until the capture's.
    const Time end = rows.has_duration(i) ? start + rows.duration(i) : std::max(last_, start);
    const auto after =
        std::upper_bound(spans.begin(), spans.end(), end, [](Time t, const auto& s) { return t < s.first; });
    // Bytes are numbered: what lost a send, a read or an arrival has a gap and was marked for it on its connection.
    // Where every byte of both messages is there, what was lost elsewhere cannot change the request.
    if (after != spans.begin() && std::prev(after)->second >= start && !rows[i].complete)
      rows.add_taints(i, static_cast<model::Taints>(model::Taint::events_lost));
    const auto step = std::lower_bound(clock_.steps().begin(), clock_.steps().end(), start,
                                       [](const model::WallClock::Step& s, Time t) { return s.to < t; });
    if (step != clock_.steps().end() && step->from < end)
      rows.add_taints(i, static_cast<model::Taints>(model::Taint::clock_step));
  }
}

void QualityFacts::fill(model::Quality& quality) const {
  quality.duration = last_ - first_;
  quality.sampling = model::sampling_of(quality.preamble.notes);
  // In a merged capture each recorder has counted its own.
  const auto& notes = quality.preamble.notes;
  for (const auto& [key, value] : notes)
    if (key == model::kBudgetNote) quality.budget.ppm = model::read_budget(value);
  if (quality.budget.ppm) quality.budget.steps = steps_;
  const bool merged =
      std::any_of(notes.begin(), notes.end(), [](const auto& n) { return n.first.starts_with("merge."); });
  quality.sampling.ends_known = sampling_.ends_known && !merged;
  quality.sampling.ends_recorded = sampling_.ends_recorded;
  quality.sampling.ends_left_out = sampling_.ends_left_out;
  quality.events = events_;
  quality.lost = lost_;
  // Each request that is missing whole has at least one send and one receive that was lost or withheld.
  quality.unseen = std::min(lost_sends_ + masking_.sends, lost_receives_ + masking_.receives);
  quality.retransmits = retransmits_;
  const auto& programs = quality.preamble.programs;
  quality.drops_recorded = std::find(programs.begin(), programs.end(), "packet_dropped") != programs.end();
  quality.drops = drops_.to_recorded();
  if (quality.drops.size() > model::Quality::kMaxDrops) quality.drops.resize(model::Quality::kMaxDrops);
  quality.samples = samples_;
  quality.clock = clock_;
  quality.realtime_offset = clock_.known() ? clock_.realtime(first_) - formats::nanoseconds(first_) : 0;
  quality.clock_error = clock_.error();
  quality.clock_stepped = !clock_.steps().empty();
  quality.recorder_known = recorder_known_;
  quality.recorder_cpu = recorder_.cpu - recorder_before_.value_or(model::Duration{});
  quality.recorder_resident = recorder_.resident;
  for (const auto& [name, program] : programs_) {
    quality.program_runs += program.runs;
    quality.program_time += program.time;
  }
  quality.masking = masking_;
  quality.masking_known = masking_known_;
  quality.masking_before = masking_before_;
  quality.losses = losses_;
  quality.preamble.notes.insert(quality.preamble.notes.end(), questions_.begin(), questions_.end());
  quality.preamble.notes.insert(quality.preamble.notes.end(), unrecorded_.begin(), unrecorded_.end());
  for (const auto& [file, way] : tls_ways_) quality.preamble.notes.emplace_back(kTlsWay, way);
}

}  // namespace tailcap::tail
