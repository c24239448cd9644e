#include "analyze/pipeline/window/past.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "analyze/pipeline/window/past_choice.h"
#include "formats/bounds/read_limits.h"
#include "formats/skim/skim.h"

namespace tailcap::pipeline {
namespace {

using formats::known;
using formats::Time;

constexpr std::uint64_t kMaxKept = 1ull << 30;  // bytes

struct Mark {  // before a block
  std::size_t place, kept;
  std::uint64_t events;
  std::uint32_t connections;
  Time latest;
  bool names;  // some are being asked for
  std::optional<Counted> counted;
};

class Skimming {
 public:
  Skimming(const std::string& path, PastChoice& choice, const PastOptions& options)
      : skim_(path, options.threads), choice_(choice), options_(options) {}

  // The next block. False: there is none, or no past can be made of it.
  bool next() {
    mark_ = {place_++, choice_.kept().size(),       events_,          choice_.connections(),
             latest_,  choice_.has_pending_names(), choice_.counted()};
    if (!skim_.next(choice_)) {
      failed_ = !skim_.sound();
      return false;
    }
    failed_ =
        choice_.has_tls() || choice_.has_failed_names() || choice_.needs_whole() || choice_.kept().bytes() > most_;
    events_ += skim_.events();
    latest_ = std::max(latest_, skim_.last());
    if (options_.passed) options_.passed(events_);
    return !failed_;
  }
  bool failed() const { return failed_; }
  const Mark& before() const { return mark_; }  // the block that was read last
  std::uint64_t events() const { return events_; }
  Time latest() const { return latest_; }

  std::shared_ptr<Past> past(const Mark& begins) {
    auto past = std::make_shared<Past>();
    past->events = std::move(choice_.kept());
    past->events.keep_first(begins.kept);
    past->place = begins.place;
    past->left_behind = begins.events;
    past->until = begins.latest;
    past->partly = {begins.connections, choice_.whole()};
    past->numbers = options_.numbers;
    past->numbers.insert(choice_.numbers().begin(), choice_.numbers().end());
    past->socket = choice_.socket();
    return past;
  }

 private:
  formats::Skim skim_;
  PastChoice& choice_;
  const PastOptions& options_;
  const std::uint64_t most_ = std::min(kMaxKept, formats::read_limits().memory / 4);
  std::size_t place_ = 0;
  std::uint64_t events_ = 0;
  Time latest_ = formats::kNoTime;
  Mark mark_{};
  bool failed_ = false;
};

using PastOrNone = std::shared_ptr<const Past>;

// No value: only where the request's connection is read whole there may be a past.
std::optional<PastOrNone> past_of(const std::string& path, model::ExchangeId id, const PastOptions& options,
                                  std::set<model::ConnectionId> whole) {
  const bool counts = !whole.contains(id.connection);
  PastChoice choice(id, std::move(whole), options.numberless);
  Skimming skimming(path, choice, options);
  std::vector<Mark> marks;
  std::uint64_t until_found = 0;
  while (!choice.found() || (!choice.numbered() && skimming.latest() <= options.search_until)) {
    const bool searched = !choice.found();
    const bool more = skimming.next();
    marks.push_back(skimming.before());
    if (!more) {
      if (choice.found() && !skimming.failed()) break;
      if (choice.needs_whole()) return std::nullopt;
      return nullptr;
    }
    if (searched) until_found = skimming.events();
  }
  if (!known(choice.start()) || choice.socket() == 0) return nullptr;
  const auto begins = std::find_if(marks.rbegin(), marks.rend(), [&](const Mark& m) {
    return !m.names && m.latest <= choice.start() - options.before && (!counts || m.counted) &&
           until_found >= m.events + options.least_events;
  });
  if (begins == marks.rend()) return counts ? std::nullopt : std::optional<PastOrNone>(nullptr);
  if (begins->events < std::max<std::uint64_t>(1, options.least_before)) return nullptr;
  const std::shared_ptr<Past> past = skimming.past(*begins);
  if (counts) {
    past->counted = begins->counted;
    past->numbers[id.connection] = begins->counted->exchanges;
    past->start = choice.start();
    past->duration = choice.duration();
  }
  return past;
}

}  // namespace

std::shared_ptr<const Past> past_of(const std::string& path, model::ExchangeId id, const PastOptions& options) {
  if (id.connection == 0) return nullptr;
  if (id.index > options.most_exchanges && !options.whole.contains(id.connection))
    if (const auto past = past_of(path, id, options, options.whole)) return *past;
  std::set<model::ConnectionId> whole = options.whole;
  whole.insert(id.connection);
  return past_of(path, id, options, std::move(whole)).value_or(nullptr);
}

std::shared_ptr<const Past> past_before(const std::string& path, Time from, const PastOptions& options) {
  PastChoice choice({}, options.whole, options.numberless);
  Skimming skimming(path, choice, options);
  const Time until = from - options.before;
  bool more = true;
  while (more && skimming.latest() <= until) more = skimming.next();
  const Mark begins = skimming.before();  // the first block that goes beyond it, or what comes after the last one
  while (more && !choice.numbered() && skimming.latest() <= options.search_until) more = skimming.next();
  if (skimming.failed() || begins.names || begins.events < std::max<std::uint64_t>(1, options.least_before))
    return nullptr;
  return skimming.past(begins);
}

}  // namespace tailcap::pipeline
