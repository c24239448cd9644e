#include "analyze/merge/survey.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <unordered_set>

#include "analyze/merge/passages.h"
#include "formats/file/reader.h"
#include "formats/printable.h"

namespace tailcap::merge {

using formats::nanoseconds;

namespace {

constexpr std::size_t kMostMessages = 1u << 20,
                      kFewestMessages = 1u << 14;  // kept, of all captures together and of each

struct Reading {
  Passages passages;
  std::optional<std::int64_t> wall;  // of the wall clock, less that of the capture's times
};

class Surveyor {
 public:
  explicit Surveyor(const MergeOptions& options) : options_(options) {
    for (const std::string& path : options.inputs) open(path);
    number_machines();
    for (std::uint32_t i = 0; i < out_.sources.size(); ++i) read(i);
  }

  Survey place() {
    auto& all = out_.sources;
    const auto n = static_cast<std::uint32_t>(all.size());
    std::vector<std::vector<Match>> matches(n);
    std::vector<std::unordered_set<std::uint64_t>> joined(n);
    for (std::uint32_t a = 0; a < n; ++a)
      for (std::uint32_t b = 0; b < n; ++b) {
        const bool foreign = all[a].machine != all[b].machine;
        matches[a].push_back(foreign ? match(readings_[a].passages, readings_[b].passages) : Match{});
        joined[a].insert(matches[a][b].joined.begin(), matches[a][b].joined.end());
        matches[a][b].joined = {};
        all[b].forth += matches[a][b].clock.forth;
        all[b].back += matches[a][b].clock.back;
      }
    for (std::uint32_t i = 0; i < n; ++i) all[i].joined = joined[i].size();
    all[0].placing = Placing::reference;
    all[0].clock.drift_bounded = true;
    while (place_next(matches)) {
    }
    for (std::uint32_t i = 1; i < n; ++i) {
      if (all[i].placing != Placing::undetermined) continue;
      if (options_.wall_clock)
        by_wall_clock(i);
      else {
        out_.determined = false;
        all[i].clock = matches[0][i].clock;
      }  // one direction bounds it on one side
    }
    for (std::uint32_t i = 0; i < n; ++i) compare_wall_clocks(i);
    return std::move(out_);
  }

 private:
  void open(const std::string& path) {
    formats::Reader reader(path, {.threads = 1});
    MergeInput s;
    s.path = path;
    s.preamble = reader.preamble();
    s.file = reader.summary();
    for (const auto& [key, value] : s.preamble.notes)
      if (key.starts_with("merge."))
        throw std::runtime_error(formats::printable(path) +
                                 " was made by `tailcap merge`. Merge the captures that it was made of, all at once.");
    for (const MergeInput& other : out_.sources)
      if (!s.preamble.capture_id.empty() && other.preamble.capture_id == s.preamble.capture_id)
        throw std::runtime_error(formats::printable(path) + " and " + formats::printable(other.path) +
                                 " are the same recording (capture " + formats::printable(s.preamble.capture_id) +
                                 "). Give each once.");
    out_.sources.push_back(std::move(s));
  }

  // A boot is a machine: its clock and its numbers go on from one recording to the next.
  void number_machines() {
    auto& all = out_.sources;
    out_.shares.resize(all.size());
    formats::Machine next = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto same =
          std::find_if(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i), [&](const MergeInput& s) {
            return !s.preamble.boot_id.empty() && s.preamble.boot_id == all[i].preamble.boot_id;
          });
      const bool found = same != all.begin() + static_cast<std::ptrdiff_t>(i);
      all[i].machine = found ? same->machine : next++;
      if (found) out_.shares[i] = out_.shares[static_cast<std::size_t>(same - all.begin())] = true;
    }
  }

  void read(std::uint32_t i) {
    MergeInput& s = out_.sources[i];
    Reading r{Passages(std::max(kFewestMessages, kMostMessages / out_.sources.size())), std::nullopt};
    formats::Reader reader(s.path);
    for (auto events = reader.next(); !events.empty(); events = reader.next())
      for (const formats::Event& event : events) {
        r.passages.push(event);
        if (out_.shares[i]) out_.ownership.push(i, event);
        if (const auto* clock = std::get_if<formats::ClockSnapshot>(&event.body); clock && !r.wall)
          r.wall = clock->realtime - nanoseconds(event.time);
      }
    s.connections = r.passages.connections().size();
    readings_.push_back(std::move(r));
  }

  // Lays the clock that can be laid best on one that is laid already.
  bool place_next(const std::vector<std::vector<Match>>& matches) {
    auto& all = out_.sources;
    std::optional<ClockEstimate> best;
    std::uint32_t which = 0, against = 0;
    for (std::uint32_t b = 0; b < all.size(); ++b) {
      if (all[b].placing != Placing::undetermined) continue;
      for (std::uint32_t a = 0; a < all.size(); ++a) {
        if (all[a].placing == Placing::undetermined) continue;
        if (all[a].machine == all[b].machine) {
          all[b].placing = Placing::same_boot;
          all[b].against = a;
          all[b].clock = all[a].clock;
          return true;
        }
        if (!matches[a][b].clock.determined) continue;
        const ClockEstimate clock = chained(all[a].clock, matches[a][b].clock);
        const auto badness = [](const ClockEstimate& c) { return std::pair(c.contradiction, c.error); };
        if (!best || badness(clock) < badness(*best)) {
          best = clock;
          which = b;
          against = a;
        }
      }
    }
    if (!best) return false;
    all[which].placing = Placing::messages;
    all[which].against = against;
    all[which].clock = *best;
    return true;
  }

  void by_wall_clock(std::uint32_t i) {
    auto& all = out_.sources;
    if (!readings_[i].wall || !readings_[0].wall)
      throw std::runtime_error(formats::printable(all[readings_[i].wall ? 0 : i].path) +
                               " holds no reading of the wall clock; --wall-clock cannot place it. Leave it out.");
    all[i].placing = Placing::wall_clock;
    all[i].clock = {};
    all[i].clock.offset = *readings_[i].wall - *readings_[0].wall;
  }

  void compare_wall_clocks(std::uint32_t i) {
    MergeInput& s = out_.sources[i];
    if (s.placing == Placing::undetermined || s.placing == Placing::wall_clock || !readings_[i].wall ||
        !readings_[0].wall)
      return;
    s.has_wall_clock = true;
    s.wall_clock_ahead =
        *readings_[i].wall - *readings_[0].wall - (s.clock.ours_of(s.clock.at) - nanoseconds(s.clock.at));
  }

  const MergeOptions& options_;
  Survey out_;
  std::vector<Reading> readings_;
};

}  // namespace

Survey survey(const MergeOptions& options) { return Surveyor(options).place(); }

}  // namespace tailcap::merge
