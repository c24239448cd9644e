#include "analyze/redact/redact.h"

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>

#include "analyze/redact/parts.h"
#include "formats/bounds/read_limits.h"
#include "formats/file/copied_event.h"
#include "formats/file/marker.h"
#include "formats/file/writer.h"
#include "formats/not_itself.h"
#include "formats/printable.h"
#include "ground/threads/workers.h"

namespace tailcap::redact {

using namespace formats;

namespace {

constexpr std::size_t kLeastKey = 16;

void mark(Preamble& p, const std::string& level, const std::string& hash) {
  std::erase_if(p.notes, [](const auto& note) { return note.first == kLevelNote || note.first == kPolicyNote; });
  p.notes.emplace_back(kLevelNote, level);
  p.notes.emplace_back(kPolicyNote, hash);
}

// A result that cannot be read is none.
void verify_sound(const std::string& path, std::uint64_t events, CaptureState state) {
  Reader reader(path);
  std::uint64_t sound = 0;
  bool damaged = reader.summary().state != state;
  for (const BlockStatus& block : reader.check()) {
    damaged = damaged || !block.damage.empty();
    sound += block.events;
  }
  if (!damaged && sound == events && events > 0) return;
  std::filesystem::remove(path);
  throw std::runtime_error(printable(path) + " was damaged while it was written, and is removed; check the disk");
}

// Reads batches, and writes them when they are redacted.
class Passage {
 public:
  Passage(Reader& reader, std::optional<Writer>& writer) : reader_(reader), writer_(writer) {}

  void fill(Batch& batch) {
    batch.begin(events_);
    while (!batch.full()) {
      const auto events = reader_.next();
      if (events.empty()) return;
      for (Event event : events) {
        const bool made = std::holds_alternative<Damage>(event.body) || std::holds_alternative<CaptureEnd>(event.body);
        if (made && !formats::into_copy(event, stopped_captures().empty(), &state_)) continue;
        last_ = std::max(last_, event.time);
        ++events_;
        batch.add(event, !made);
      }
    }
  }
  void write(const Batch& batch) {
    for (const Event& event : batch.events())
      if (writer_) writer_->push(event);
  }

  std::uint64_t events() const { return events_; }
  Time last() const { return last_; }
  CaptureState state() const { return state_; }

 private:
  Reader& reader_;
  std::optional<Writer>& writer_;
  std::uint64_t events_ = 0;
  Time last_ = kNoTime;
  CaptureState state_ = CaptureState::complete;
};

// While a batch is redacted, the one before it is written and the next one is read.
void run(Passage& passage, Parts& parts, unsigned threads) {
  ground::Workers workers(threads);
  std::array<Batch, 3> batches;
  std::array<std::exception_ptr, kParts + 1> errors;
  Batch *done = &batches[0], *now = &batches[1], *next = &batches[2];
  for (passage.fill(*now); !now->events().empty();) {
    workers.run(errors.size(), [&](std::size_t, std::size_t piece) {
      try {
        if (piece > 0) return parts.apply(*now, piece - 1);
        passage.write(*done);
        passage.fill(*next);
      } catch (...) {
        errors[piece] = std::current_exception();
      }
    });
    for (const auto& error : errors)
      if (error) std::rethrow_exception(error);
    std::swap(done, now);
    std::swap(now, next);
  }
  passage.write(*done);
}

}  // namespace

std::string key_from_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string key((std::istreambuf_iterator<char>(file)), {});
  if (!file) throw std::runtime_error("cannot read the key " + printable(path));
  if (key.size() < kLeastKey)
    throw std::runtime_error("the key " + printable(path) +
                             " has fewer than 16 bytes; make one with `openssl rand 32`");
  return key;
}

RedactionResult redact(const RedactionOptions& options) {
  if (!options.out.empty()) formats::refuse_itself(options.in, options.out);
  Reader reader(options.in, {.threads = options.threads});
  RedactionResult result;
  result.in = reader.summary();
  result.in_bytes = result.in.file_bytes;
  if (result.in.events == 0)
    throw std::runtime_error(printable(options.in) + " has no events: there is nothing to redact");
  Parts parts(options.policy, options.key.empty() ? random_key() : options.key);
  // What was strict stays so.
  const bool was_strict = marker_of(options.in).strict;
  const bool strict = (options.policy.strict() && !options.policy.custom()) || was_strict;
  result.level = strict ? "strict" : options.policy.name();
  result.policy_hash = options.policy.hash();

  std::optional<Writer> writer;
  if (!options.out.empty()) {
    Preamble preamble = parts.preamble(reader.preamble());
    mark(preamble, result.level, result.policy_hash);
    writer.emplace(options.out, preamble, options.force,
                   WriterOptions{.queue_bytes = 64u << 20,
                                 .wait = true,
                                 .flags = static_cast<std::uint8_t>(kBlockRedacted | (strict ? kBlockStrict : 0))});
  }
  Passage passage(reader, writer);
  run(passage, parts, options.threads);
  result.events = passage.events();
  result.fields = parts.changes();
  result.withheld = parts.withheld();
  if (result.withheld.withheld > 0) {
    ++result.events;
    if (writer) writer->push({passage.last(), {}, result.withheld});
  }
  if (!writer) return result;
  writer->finish(passage.last(), passage.state());
  result.file_bytes = writer->totals().file_bytes;
  writer.reset();
  verify_sound(options.out, result.events, passage.state());
  return result;
}

}  // namespace tailcap::redact
