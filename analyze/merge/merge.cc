#include "analyze/merge/merge.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>

#include "analyze/merge/relabel.h"
#include "analyze/merge/survey.h"
#include "formats/file/copied_event.h"
#include "formats/file/writer.h"
#include "formats/printable.h"
#include "ground/fnv.h"

namespace tailcap::merge {

using namespace formats;

namespace {

constexpr Time kEarliest = time_from(3'600'000'000'000);  // no wait begins earlier than this before a recording

std::string host_of(const MergeInput& s) {
  return s.preamble.host.empty() ? "machine " + std::to_string(s.machine + 1) : s.preamble.host;
}

// The text itself if it is the same in all inputs, otherwise all different ones.
std::string common(const std::vector<MergeInput>& sources, std::string Preamble::*text) {
  std::string out;
  std::vector<std::string> seen;
  for (const MergeInput& s : sources) {
    const std::string& t = s.preamble.*text;
    if (t.empty() || std::find(seen.begin(), seen.end(), t) != seen.end()) continue;
    seen.push_back(t);
    out += (out.empty() ? "" : " + ") + t;
  }
  return out;
}

std::uint64_t stirred(std::uint64_t h, std::string_view text) {
  h = ground::fnv(text, h);
  return h ^ (h >> 31);
}

void note_source(const MergeInput& s, std::size_t i, Preamble& p) {
  const std::string prefix = "merge." + std::to_string(i + 1) + ".";
  const auto note = [&](const char* key, const std::string& value) { p.notes.emplace_back(prefix + key, value); };
  note("machine", std::to_string(s.machine + 1));
  note("host", s.preamble.host);
  note("boot_id", s.preamble.boot_id);
  note("capture_id", s.preamble.capture_id);
  note("clock", std::string(name_of(s.placing)));
  if (s.placing == Placing::messages) {
    note("offset_ns", std::to_string(s.clock.offset));
    note("offset_ns_from", std::to_string(s.clock.lower));
    note("offset_ns_to", std::to_string(s.clock.upper));
    note("drift_ppb", std::to_string(static_cast<std::int64_t>(s.clock.drift * 1e9L)));
    note("error_ns", s.clock.contradiction > 0 ? "unknown" : std::to_string(s.clock.error));
  }
  for (const auto& [key, value] : s.preamble.notes) note(("note." + key).c_str(), value);
}

// The masking, of two captures', that leaves more in the file.
Redaction weaker(Redaction a, Redaction b) {
  for (const Redaction r :
       {Redaction::payload_raw, Redaction::none, Redaction::header_values, Redaction::masked_headers})
    if (a == r || b == r) return r;
  return Redaction::allow_list;
}

constexpr const char* kSampling = "tailcap.sampling.connections";  // formats/FORMAT.md

// What is true of the whole: "1/16" of captures that say so, each with a seed of its own. Empty: nothing is sampled.
std::string sampling_of(const std::vector<MergeInput>& sources) {
  std::set<std::string> said;
  for (const MergeInput& s : sources) {
    std::string own;
    for (const auto& [key, value] : s.preamble.notes)
      if (key == kSampling) own = own.empty() || own == value ? value : "mixed";
    said.insert(own);
  }
  if (said.size() == 1) return *said.begin();
  std::set<std::string> shares;
  for (const std::string& one : said) shares.insert(one.substr(0, one.find(' ')));
  return shares.size() == 1 ? *shares.begin() : "mixed";
}

// The preamble of the merged capture: what is true of every input, and the rest in notes on each.
Preamble preamble_of(const std::vector<MergeInput>& sources, const MergeOptions& options, Duration by) {
  Preamble p;
  std::uint64_t high = ground::kFnvBasis, low = 0x84222325cbf29ce4u;
  bool several_machines = false;
  for (const MergeInput& s : sources) several_machines |= s.machine != 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const MergeInput& s = sources[i];
    high = stirred(high, s.preamble.capture_id);
    low = stirred(low ^ high, s.preamble.capture_id);
    p.cpus = i == 0 ? s.preamble.cpus : std::max(p.cpus, s.preamble.cpus);
    p.payload_limit = i == 0 ? s.preamble.payload_limit : std::min(p.payload_limit, s.preamble.payload_limit);
    p.ring_bytes += s.preamble.ring_bytes;
    p.redaction = i == 0 ? s.preamble.redaction : weaker(p.redaction, s.preamble.redaction);
    for (const std::string& t : s.preamble.targets) p.targets.push_back(several_machines ? host_of(s) + ": " + t : t);
    for (const std::string& t : s.preamble.programs)
      if (std::find(p.programs.begin(), p.programs.end(), t) == p.programs.end()) p.programs.push_back(t);
    // Tiers are ordered: only the worst can be relied on.
    if (i == 0 || s.preamble.tier == HookTier::unknown || (p.tier != HookTier::unknown && s.preamble.tier > p.tier)) {
      p.tier = s.preamble.tier;
      p.tier_reason = s.preamble.tier_reason;
    }
    note_source(s, i, p);
  }
  if (const std::string sampling = sampling_of(sources); !sampling.empty()) p.notes.emplace_back(kSampling, sampling);
  char id[33];
  std::snprintf(id, sizeof id, "%016llx%016llx", static_cast<unsigned long long>(high),
                static_cast<unsigned long long>(low));
  p.capture_id = id;
  p.tool_version = options.tool_version;
  p.command_line = options.command_line;
  p.host = common(sources, &Preamble::host);
  p.kernel = common(sources, &Preamble::kernel);
  p.architecture = common(sources, &Preamble::architecture);
  p.boot_id = several_machines ? "" : sources[0].preamble.boot_id;
  const Preamble& first = sources[0].preamble;
  if (known(first.started)) p.started = first.started + by;
  p.started_realtime = first.started_realtime;
  return p;
}

// The cost of all recorders together, as far as they had reported it by then.
class Costs {
 public:
  void push(std::uint32_t capture, RecorderCost& cost) {
    recorders_[capture] = cost;
    cost = {};
    for (const auto& [which, c] : recorders_) {
      cost.cpu += c.cpu;
      cost.resident += c.resident;
    }
  }
  void push(std::uint32_t capture, ProgramCost& cost) {
    auto& all = programs_[std::string(cost.program)];
    all[capture] = {{}, cost.runs, cost.time};
    if (programs_.size() > kMaxPrograms) programs_.clear();
    cost.runs = 0;
    cost.time = {};
    for (const auto& [which, c] : all) {
      cost.runs += c.runs;
      cost.time += c.time;
    }
  }

 private:
  static constexpr std::size_t kMaxPrograms = 1000;
  std::map<std::uint32_t, RecorderCost> recorders_;
  std::map<std::string, std::map<std::uint32_t, ProgramCost>> programs_;
};

// An input capture during the merge: its next event, in the form in which it will be written.
class Feed {
 public:
  Feed(MergeInput& source, std::uint32_t number, Duration by, const Ownership* ownership)
      : source_(source),
        number_(number),
        reader_(source.path),
        relabel_(source.machine, number, source.clock, by, host_of(source)),
        ownership_(ownership) {
    advance();
  }
  const Event* next() const { return there_ ? &event_ : nullptr; }
  std::uint32_t number() const { return number_; }
  void advance() {
    there_ = true;
    while (true) {
      while (at_ == events_.size()) {
        events_ = reader_.next();
        at_ = 0;
        if (events_.empty()) return void(there_ = false);
      }
      event_ = events_[at_++];
      if (wanted()) return;
    }
  }

 private:
  bool wanted() {
    if (ownership_ && !ownership_->keeps(number_, event_)) {
      ++source_.duplicates;
      return false;
    }
    // The wall clock is the first machine's; other machines' clocks differ.
    if (std::holds_alternative<ClockSnapshot>(event_.body) && source_.machine != 0) return false;
    const Time was = event_.time;
    if (!relabel_.apply(event_)) {
      ++source_.refused;
      event_ = {relabel_.time(was), {}, Loss{relabel_.time(was), LossCause::bad_record, 255, 1}};
    }
    if (!formats::into_copy(event_, true)) return false;
    ++source_.events;
    return true;
  }

  MergeInput& source_;
  const std::uint32_t number_;
  Reader reader_;
  Relabel relabel_;
  const Ownership* ownership_;
  std::span<const Event> events_;
  std::size_t at_ = 0;
  Event event_;
  bool there_ = false;
};

}  // namespace

std::string_view name_of(Placing placing) {
  constexpr std::string_view names[] = {"reference", "same_boot", "messages", "wall_clock", "undetermined"};
  return names[static_cast<std::size_t>(placing)];
}

MergeResult merge(const MergeOptions& options) {
  for (const std::string& in : options.inputs) {
    std::error_code error;
    if (std::filesystem::equivalent(in, options.out, error))
      throw std::runtime_error(formats::printable(options.out) +
                               " is one of the captures to be merged; name another file to write");
  }
  Survey survey = merge::survey(options);
  MergeResult result;
  if (!survey.determined) {
    result.sources = std::move(survey.sources);
    return result;
  }
  // A machine that booted before the first one may have recorded events before the first one's boot.
  Duration by{};
  for (const MergeInput& s : survey.sources) {
    const std::int64_t first = known(s.file.first) ? s.clock.ours_of(s.file.first) : nanoseconds(kEarliest);
    if (s.machine != 0 && first < nanoseconds(kEarliest))
      by = std::max(by, Duration{nanoseconds(kEarliest) - std::max(first, -nanoseconds(kMaxTime) / 2)});
  }
  Writer writer(options.out, preamble_of(survey.sources, options, by), options.force,
                {.queue_bytes = 64u << 20, .wait = true});
  std::vector<std::unique_ptr<Feed>> feeds;
  for (std::uint32_t i = 0; i < survey.sources.size(); ++i)
    feeds.push_back(std::make_unique<Feed>(survey.sources[i], i, by, survey.shares[i] ? &survey.ownership : nullptr));
  Costs costs;
  Time last = kNoTime;
  while (true) {
    Feed* next = nullptr;
    for (const auto& feed : feeds)
      if (feed->next() && (!next || feed->next()->time < next->next()->time)) next = feed.get();
    if (!next) break;
    Event event = *next->next();
    if (auto* cost = std::get_if<RecorderCost>(&event.body))
      costs.push(next->number(), *cost);
    else if (auto* program = std::get_if<ProgramCost>(&event.body))
      costs.push(next->number(), *program);
    writer.push(event);
    last = std::max(last, event.time);
    next->advance();
  }
  writer.finish(last);
  result.written = true;
  result.events = writer.totals().events;
  result.file_bytes = writer.totals().file_bytes;
  result.sources = std::move(survey.sources);
  return result;
}

}  // namespace tailcap::merge
