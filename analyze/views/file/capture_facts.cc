#include "analyze/views/file/capture_facts.h"

#include <algorithm>
#include <array>

#include "formats/fields/names.h"
#include "formats/skim/skim.h"

namespace tailcap::views {
namespace {

using formats::CaptureState;
using formats::Event;
using formats::LossCause;

const char* cause_text(LossCause cause) {
  switch (cause) {
    case LossCause::ring_full:
      return "the kernel's buffer was full: a larger --ring helps";
    case LossCause::queue_full:
      return "the disk was too slow";
    case LossCause::bad_record:
      return "records that made no sense";
    case LossCause::socket_table_full:
      return "more sockets than the recorder keeps";
    case LossCause::task_table_full:
      return "more threads than the recorder keeps";
    case LossCause::session_table_full:
      return "more TLS sessions at once than the recorder keeps";
    case LossCause::damaged:
      return "stretches where a merged capture was damaged or cut short; how much is not known";
    case LossCause::probe_removed:
      return "at least; a probe was removed, and the calls after that were not recorded";
    case LossCause::file_not_read:
      return "at least; a program or library could not be read, so it has no probes";
    case LossCause::not_decrypted:
      return "records of TLS that could not be decrypted";
    case LossCause::call_under_way:
      return "calls that had not returned when their process ended";
    case LossCause::unknown:
      break;
  }
  return "for a cause of a later version";
}

std::uint64_t add_saturating(std::uint64_t a, std::uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

}  // namespace

const char* name_of(CaptureState state) {
  switch (state) {
    case CaptureState::complete:
      return "complete";
    case CaptureState::truncated:
      return "truncated";
    case CaptureState::recovered:
      return "recovered";
    case CaptureState::recording:
      return "recording";
  }
  return "unknown";
}

formats::Duration CaptureFacts::duration() const {
  const auto begin = formats::known(preamble.started) ? preamble.started : summary.first;
  return std::max(formats::Duration{}, summary.last - begin);
}

std::optional<bool> CaptureFacts::decrypted() const {
  if (plaintext > 0) return true;
  if (damage > 0 || summary.state == CaptureState::truncated) return std::nullopt;
  return false;
}

double CaptureFacts::bytes_per_event() const {
  return summary.events == 0 ? 0 : static_cast<double>(summary.file_bytes) / static_cast<double>(summary.events);
}

std::uint64_t CaptureFacts::unknown_events() const {
  const auto accounted = delivered + in_damaged_blocks;
  return summary.events > accounted ? summary.events - accounted : 0;
}

FactCollector::FactCollector(const formats::Preamble& preamble, CaptureFacts& facts)
    : facts_(facts), recording_(preamble) {}

void FactCollector::take(const Event& event) {
  if (const auto* damage = std::get_if<formats::Damage>(&event.body)) {
    ++facts_.damage;
    facts_.damaged_bytes += damage->bytes;
    return;
  }
  if (std::holds_alternative<formats::CaptureEnd>(event.body)) return;
  count(kind_of(event));
  recording_.push(event);
  if (const auto* loss = std::get_if<formats::Loss>(&event.body)) {
    auto& sum = losses_[loss->cause];
    sum = add_saturating(sum, loss->count);
  } else if (const auto* cost = std::get_if<formats::RecorderCost>(&event.body)) {
    if (facts_.recorder && !facts_.recorder_before) facts_.recorder_before = facts_.recorder->cpu;
    facts_.recorder = *cost;
  } else if (const auto* program = std::get_if<formats::ProgramCost>(&event.body)) {
    facts_.programs[std::string(program->program)] = {program->runs, program->time};
  } else if (const auto* probe = std::get_if<formats::Probe>(&event.body)) {
    facts_.probes.push(*probe);
  } else if (const auto* go = std::get_if<formats::GoProgram>(&event.body)) {
    facts_.go.push(event.thread.pid, *go);
  } else if (const auto* build = std::get_if<formats::GoBuild>(&event.body)) {
    facts_.go.push(event.thread.pid, *build);
  } else if (const auto* io = std::get_if<formats::TlsIo>(&event.body)) {
    facts_.plaintext += !io->head.empty() || !io->tail.empty();
  }
}

void FactCollector::finish() {
  for (std::size_t i = 0; i < kinds_.size(); ++i)
    if (kinds_[i] > 0) facts_.by_kind.emplace_back(formats::name_of(static_cast<formats::Kind>(i)), kinds_[i]);
  for (const auto& [cause, count] : losses_)
    facts_.lost_by_cause.emplace_back(LossText{formats::name_of(cause), cause_text(cause)}, count);
  facts_.quality.preamble = facts_.preamble;
  recording_.fill(facts_.quality);
}

namespace {

// Far from the limits of Reader (formats/bounds/read_limits.h), which Skim does not have.
bool in_proportion(const formats::FileSummary& file) {
  constexpr std::uint64_t kMostRawPerByte = 100;
  return file.events <= file.file_bytes && file.raw_bytes / kMostRawPerByte <= file.file_bytes;
}

// Nothing but what is rare is made. False: a block is damaged or missing.
bool skim_facts(const std::string& path, CaptureFacts& facts) {
  formats::Skim skim(path);
  facts.skimmed = true;
  FactCollector collector(skim.preamble(), facts);
  while (skim.next(collector)) {
  }
  if (!skim.sound()) return false;
  collector.finish();
  return true;
}

}  // namespace

CaptureFacts read_facts(const std::string& path, std::uint64_t most) {
  formats::Reader reader(path);
  if (reader.summary().events > most && in_proportion(reader.summary())) {
    CaptureFacts facts;
    facts.preamble = reader.preamble();
    facts.summary = reader.summary();
    if (skim_facts(path, facts)) return facts;
  }
  CaptureFacts facts;
  facts.preamble = reader.preamble();
  facts.summary = reader.summary();
  FactCollector collector(facts.preamble, facts);
  for (auto events = reader.next(); !events.empty(); events = reader.next())
    for (const Event& event : events) collector.take(event);
  if (facts.damage > 0) {
    for (const auto& block : reader.check()) {
      if (!block.damage.empty()) facts.in_damaged_blocks += block.events;
    }
  }
  collector.finish();
  return facts;
}

}  // namespace tailcap::views
