#include "analyze/series/counter.h"

#include <algorithm>
#include <cmath>

#include "ground/fnv.h"

namespace tailcap::series {
namespace {

using model::Census;
using model::ChangeEffect;
using model::SeriesChange;

constexpr std::uint32_t kPlain = 1u << 31;  // marks a value without its numbers
constexpr std::size_t kShortId = 8;         // digits of a hexadecimal id, at least
constexpr std::size_t kBesideText = 96;     // bytes of memory beside a text; likewise a series
constexpr std::size_t kMostSteps = 64;
const std::string kMetric = "metric\n";  // before the names of metrics, which are no values

unsigned bit(SeriesChange change) { return 1u << static_cast<unsigned>(change); }

bool digit(char c) { return c >= '0' && c <= '9'; }
bool hexadecimal(char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool letter_or_digit(char c) { return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// "/users/17/a81bc81b" is "/users/{}/{}".
std::string with_places(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (!letter_or_digit(text[i])) {
      out += text[i++];
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && letter_or_digit(text[end])) ++end;
    const std::string_view word(text.data() + i, end - i);
    if (word.size() >= kShortId && std::ranges::all_of(word, hexadecimal) && std::ranges::any_of(word, digit)) {
      out += "{}";
      i = end;
      continue;
    }
    for (; i < end;) {
      if (!digit(text[i])) {
        out += text[i++];
        continue;
      }
      out += "{}";
      while (i < end && digit(text[i])) ++i;
    }
  }
  return out;
}

template <class Key>
std::uint64_t hash_of(const Key& key) {
  std::uint64_t hash = ground::kFnvBasis;
  for (const std::uint32_t n : key) hash = ground::fnv_step(hash, n);
  return ground::mixed(hash);
}

}  // namespace

SeriesCounter::Number SeriesCounter::number_of(const std::string& text) {
  const auto [known, fresh] = numbers_.try_emplace(text, static_cast<Number>(texts_.size()));
  if (fresh) {
    texts_.push_back(&known->first);
    bytes_held_ += text.size() + kBesideText;
  }
  return known->second;
}

void SeriesCounter::add_text(std::string_view text) {
  // Only OpenMetrics ends with this, and only its times are seconds.
  const bool seconds = text.find("# EOF") != text.npos;
  MetricSample sample;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    switch (read_sample(text.substr(at, end - at), seconds, sample)) {
      case SampleLine::sample:
        add(sample);
        break;
      case SampleLine::unread:
        ++unread_;
        break;
      case SampleLine::comment:
        break;
    }
    at = end + 1;
  }
  bytes_ += text.size();
}

void SeriesCounter::add(const MetricSample& sample) {
  ++samples_;
  if (sample.time) latest_ = std::max(latest_, *sample.time);
  std::string whole = sample.name;
  for (const auto& [name, value] : sample.dimensions) ((whole += '\0') += name) += '\1' + value;
  all_.add(whole);
  if (!full_ && (begins_.size() >= most_ || bytes_held_ > kMostBytes)) full_ = true;
  Key key;
  if (!full_) key.push_back(number_of(kMetric + sample.name));
  for (const auto& [name, value] : sample.dimensions) {
    const Number dimension = number_of(name);
    if (!names_.contains(dimension) && names_.size() >= kMostDimensionNames) {
      full_ = true;
      continue;
    }
    names_.try_emplace(dimension, name);
    values_[dimension].add(value);
    if (full_) continue;
    key.push_back(dimension);
    key.push_back(number_of(value));
  }
  if (full_) return;
  const std::uint64_t hash = hash_of(key);
  const auto [from, to] = known_.equal_range(hash);
  for (auto at = from; at != to; ++at)
    if (key_of(at->second) == key) {
      ++repeated_;
      return;
    }
  known_.emplace(hash, static_cast<std::uint32_t>(begins_.size()));
  begins_.push_back(parts_.size());
  parts_.insert(parts_.end(), key.begin(), key.end());
  bytes_held_ += key.size() * sizeof(Number) + kBesideText;
}

SeriesCounter::Key SeriesCounter::key_of(std::size_t series) const {
  const std::uint64_t end = series + 1 < begins_.size() ? begins_[series + 1] : parts_.size();
  return {parts_.begin() + static_cast<std::ptrdiff_t>(begins_[series]),
          parts_.begin() + static_cast<std::ptrdiff_t>(end)};
}

SeriesCounter::Number SeriesCounter::without_numbers(Number value) const {
  const auto [known, fresh] = plain_.try_emplace(value, 0);
  if (fresh)
    known->second =
        kPlain | plain_numbers_.try_emplace(with_places(*texts_[value]), static_cast<Number>(plain_numbers_.size()))
                     .first->second;
  return known->second;
}

SeriesCounter::Key SeriesCounter::changed(const Key& key, const Changes& changes) const {
  Key out = {key.front()};
  for (std::size_t i = 1; i < key.size(); i += 2) {
    const auto change = changes.find(key[i]);
    if (change == changes.end()) {
      out.insert(out.end(), {key[i], key[i + 1]});
      continue;
    }
    if ((change->second & bit(SeriesChange::drop)) == 0) out.insert(out.end(), {key[i], without_numbers(key[i + 1])});
  }
  return out;
}

// Exact: keys with one hash are compared.
ChangeEffect SeriesCounter::effect_of(const Changes& changes, SeriesChange last) const {
  ChangeEffect out{last, 0, 0, 0};
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
  order.reserve(begins_.size());
  for (std::uint32_t i = 0; i < begins_.size(); ++i) order.emplace_back(hash_of(changed(key_of(i), changes)), i);
  std::ranges::sort(order);
  std::vector<std::pair<Key, std::uint64_t>> here;  // of one hash: how many have it
  std::uint64_t less = 0;
  const auto size_of = [&](const Key& key) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 1; i < key.size(); i += 2) {
      bytes += texts_[key[i]]->size() + 4;
      bytes += (key[i + 1] & kPlain) != 0 ? 2 : texts_[key[i + 1]]->size();
    }
    return bytes + texts_[key.front()]->size();
  };
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Key key = key_of(order[i].second);
    Key now = changed(key, changes);
    const std::uint64_t before = size_of(key), after = size_of(now);
    const auto same = std::ranges::find(here, now, &std::pair<Key, std::uint64_t>::first);
    if (same != here.end()) {
      ++same->second;
      less += before;
    } else {
      less += before > after ? before - after : 0;
      here.emplace_back(std::move(now), 1);
    }
    if (i + 1 < order.size() && order[i + 1].first == order[i].first) continue;
    for (const auto& [_, count] : here) {
      ++out.series;
      if (count > 1) out.merged += count;
    }
    here.clear();
  }
  out.bytes_less = less;
  return out;
}

void SeriesCounter::add_dimensions(Census& out) const {
  struct Counted {
    std::unordered_map<Number, std::uint64_t> values;
    std::unordered_set<Number> metrics;
    std::uint64_t series = 0;
  };
  std::map<Number, Counted> counted;
  for (std::size_t i = 0; i < begins_.size(); ++i) {
    const Key key = key_of(i);
    for (std::size_t part = 1; part < key.size(); part += 2) {
      Counted& c = counted[key[part]];
      ++c.series;
      ++c.values[key[part + 1]];
      c.metrics.insert(key.front());
    }
  }
  for (const auto& [number, name] : names_) {
    model::Dimension d;
    d.name = name;
    d.values.estimate = static_cast<std::uint64_t>(std::llround(values_.at(number).estimate()));
    if (const auto found = counted.find(number); found != counted.end()) {
      const Counted& c = found->second;
      d.values.exact = c.values.size();
      d.metrics = c.metrics.size();
      d.series = c.series;
      const auto all = static_cast<double>(c.series);
      for (const auto& [value, n] : c.values) {
        const double share = static_cast<double>(n) / all;
        d.entropy -= share * std::log2(share);
        if (n > d.of_most_frequent || (n == d.of_most_frequent && *texts_[value] < d.most_frequent)) {
          d.of_most_frequent = n;
          d.most_frequent = *texts_[value];
        }
      }
      d.entropy = std::max(d.entropy, 0.0);
      d.evenness = c.values.size() > 1 ? d.entropy / std::log2(static_cast<double>(c.values.size())) : 0;
    }
    if (!full_) {
      d.effects.push_back(effect_of({{number, bit(SeriesChange::drop)}}, SeriesChange::drop));
      const ChangeEffect rewritten =
          effect_of({{number, bit(SeriesChange::without_numbers)}}, SeriesChange::without_numbers);
      if (rewritten.series < begins_.size()) d.effects.push_back(rewritten);
    }
    out.dimensions.push_back(std::move(d));
  }
  std::ranges::stable_sort(out.dimensions, std::greater{},
                           [&](const model::Dimension& d) { return full_ ? d.values.estimate : d.values.exact; });
}

// Each step is the change after which the most series are left of those that keep the limit, and where none does, the
// one after which the fewest are.
void SeriesCounter::add_steps(Census& out) const {
  Changes changes;
  std::uint64_t now = begins_.size();
  while (now > *out.limit && out.steps.size() < kMostSteps) {
    std::optional<model::SeriesStep> best;
    Number chosen = 0;
    for (const auto& [number, name] : names_) {
      if (name == "le" || name == "quantile") continue;  // they are the metric: without them nothing can be read
      for (const SeriesChange change : {SeriesChange::without_numbers, SeriesChange::drop}) {
        const auto made = changes.find(number);
        if (made != changes.end() && ((made->second & bit(SeriesChange::drop)) != 0 || made->second == bit(change)))
          continue;
        Changes tried = changes;
        tried[number] |= bit(change);
        const ChangeEffect effect = effect_of(tried, change);
        if (effect.series >= now) continue;
        const bool keeps = effect.series <= *out.limit, kept = best && best->effect.series <= *out.limit;
        if (!best || (keeps && !kept) ||
            (keeps == kept && (keeps ? effect.series > best->effect.series : effect.series < best->effect.series))) {
          best = model::SeriesStep{name, effect};
          chosen = number;
        }
      }
    }
    if (!best) break;
    changes[chosen] |= bit(best->effect.change);
    now = best->effect.series;
    out.steps.push_back(std::move(*best));
  }
  out.reachable = now <= *out.limit;
}

Census SeriesCounter::census(std::optional<std::uint64_t> limit) const {
  Census out;
  out.series = {begins_.size(), static_cast<std::uint64_t>(std::llround(all_.estimate()))};
  out.samples = samples_;
  out.repeated = repeated_;
  out.unread = unread_;
  out.bytes = bytes_;
  out.exact = !full_;
  out.limit = limit;
  out.at = latest_;
  out.at_of_samples = latest_ != 0;
  std::map<Number, std::uint64_t> metrics;
  for (const std::uint64_t begin : begins_) ++metrics[parts_[begin]];
  for (const auto& [number, series] : metrics) out.metrics.push_back({texts_[number]->substr(kMetric.size()), series});
  std::ranges::stable_sort(out.metrics, std::greater{}, &model::CountedMetric::series);
  add_dimensions(out);
  if (limit && !full_) add_steps(out);
  return out;
}

}  // namespace tailcap::series
