#include "analyze/redact/redact.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <vector>

#include "analyze/redact/fields.h"
#include "formats/fields/tables.h"
#include "formats/file/copied_event.h"
#include "formats/file/marker.h"
#include "formats/file/read_limits.h"
#include "formats/file/writer.h"
#include "formats/printable.h"

namespace tailcap::redact {

using namespace formats;

namespace {

constexpr std::size_t kMaxExample = 120;
constexpr std::size_t kLeastKey = 16;

std::uint64_t telling(std::string_view bytes) {
  return static_cast<std::uint64_t>(
      std::count_if(bytes.begin(), bytes.end(), [](char c) { return c != '*' && c != '?'; }));
}

// Compares the fields of events before and after.
class Changes {
 public:
  explicit Changes(std::map<std::string, FieldChange>& fields) : fields_(fields) {}

  void add(const Event& before, const Event& after) {
    std::visit([&](const auto& body) { compare(body, after); }, before.body);
  }

 private:
  FieldChange& of(Kind kind, std::size_t at, std::string_view field) {
    auto& known = known_[static_cast<std::size_t>(kind)];
    if (known.size() <= at) known.resize(at + 1);
    if (!known[at]) {
      std::string name(kKindEntries[static_cast<std::size_t>(kind)].name);
      known[at] = &fields_[(name += '.') += field];
    }
    return *known[at];
  }

  template <class B>
  void compare(const B& before, const Event& after) {
    if constexpr (is_stored(Table<B>::kinds[0].kind)) {
      const B& now = std::get<B>(after.body);
      std::size_t at = 0;
      each_field(before, [&](const auto& field, const auto& value) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::string_view>) {
          const std::size_t number = at++;
          if (value.empty()) return;
          const std::string_view left = std::invoke(field.get, now);
          FieldChange& change = of(kind_of(after), number, field.name);
          ++change.values;
          change.bytes += telling(value);
          change.left += telling(left);
          if (left == value) return;
          const bool payload = std::is_same_v<B, Io> || std::is_same_v<B, TlsIo>;
          if (change.changed++ > 0 || payload) return;
          change.before = value.substr(0, kMaxExample);
          change.after = left.substr(0, kMaxExample);
        }
      });
    }
  }

  std::map<std::string, FieldChange>& fields_;
  std::array<std::vector<FieldChange*>, kKindEntries.size()> known_;  // of its text fields
};

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

Result redact(const Options& options) {
  std::error_code error;
  if (!options.out.empty() && std::filesystem::equivalent(options.in, options.out, error))
    throw std::runtime_error(printable(options.out) + " is the capture itself; name another file to write");
  Reader reader(options.in);
  Result result;
  result.in = reader.summary();
  result.in_bytes = result.in.file_bytes;
  if (result.in.events == 0)
    throw std::runtime_error(printable(options.in) + " has no events: there is nothing to redact");
  Pseudonyms names(options.key.empty() ? random_key() : options.key);
  EventRedactor redactor(options.policy, names);
  // What was strict stays so.
  const bool was_strict = marker_of(options.in).strict;
  const bool strict = (options.policy.strict() && !options.policy.custom()) || was_strict;
  result.level = strict ? "strict" : options.policy.name();
  result.policy_hash = options.policy.hash();

  std::optional<Writer> writer;
  if (!options.out.empty()) {
    Preamble preamble = redactor.preamble(reader.preamble());
    mark(preamble, result.level, result.policy_hash);
    writer.emplace(options.out, preamble, options.force,
                   WriterOptions{.queue_bytes = 64u << 20,
                                 .wait = true,
                                 .flags = static_cast<std::uint8_t>(kBlockRedacted | (strict ? kBlockStrict : 0))});
  }
  Changes changes(result.fields);
  Time last = kNoTime;
  CaptureState state = CaptureState::complete;
  const auto push = [&](const Event& event) {
    last = std::max(last, event.time);
    ++result.events;
    if (writer) writer->push(event);
  };
  for (auto events = reader.next(); !events.empty(); events = reader.next()) {
    for (Event event : events) {
      if (std::holds_alternative<Damage>(event.body) || std::holds_alternative<CaptureEnd>(event.body)) {
        if (!formats::into_copy(event, stopped_captures().empty(), &state)) continue;
      } else {
        const Event before = event;
        redactor.apply(event);
        changes.add(before, event);
      }
      push(event);
    }
  }
  result.withheld = redactor.withheld();
  if (result.withheld.withheld > 0) push({last, {}, result.withheld});
  if (!writer) return result;
  writer->finish(last, state);
  result.file_bytes = writer->totals().file_bytes;
  writer.reset();
  verify_sound(options.out, result.events, state);
  return result;
}

}  // namespace tailcap::redact
