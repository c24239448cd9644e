#include "analyze/tail/rows/header_collector.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "ground/memory.h"

namespace tailcap::tail {
namespace {

// They differ from request to request, or other traits say the same.
constexpr std::array<std::string_view, 8> kOwn = {"content-length", "date",         "host",       "te",
                                                  "traceparent",    "x-request-id", "connection", "x-correlation-id"};

void assign_lower(std::string_view text, std::string& out) {
  out.assign(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
}

bool masked(std::string_view value) { return value.find("***") != value.npos; }

}  // namespace

model::TextId HeaderCollector::text_of(const model::Headers::Field& field, model::TextPool& texts) {
  const auto [name, value] = field;
  if (name.empty() || name.front() == ':' || value.empty() || value.size() > kMaxValue || masked(value)) return 0;
  assign_lower(name, name_);
  if (std::ranges::find(kOwn, name_) != kOwn.end()) return 0;
  auto kept = fields_.find(name_);
  if (kept == fields_.end()) {
    if (fields_.size() == kMaxFields) return 0;
    kept = fields_.try_emplace(name_).first;
  }
  if (kept->second.left_out) return 0;
  auto& values = kept->second.values;
  if (const auto known = values.find(value); known != values.end()) return known->second;
  if (values.size() == kMaxValues) {
    kept->second.left_out = true;
    last_texts_.clear();
    texts_hold_ = false;
    return 0;
  }
  return values.try_emplace(std::string(value), texts.intern(name_ + ": " + std::string(value))).first->second;
}

void HeaderCollector::push(const model::Exchange& exchange, model::TextPool& texts) {
  // Most requests of a connection have most fields of the one before.
  const model::Headers& headers = exchange.request_headers;
  if (!of_.empty() && headers == last_) return of_.push_back(of_.back());
  texts_.clear();
  texts_hold_ = true;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const model::Headers::Field field = headers[i];
    texts_.push_back(i < last_texts_.size() && last_[i] == field ? last_texts_[i] : text_of(field, texts));
  }
  last_ = headers;
  if (!texts_.empty() && texts_ == last_texts_) return of_.push_back(of_.back());
  if (texts_hold_) last_texts_ = texts_;
  set_.clear();
  std::ranges::copy_if(texts_, std::back_inserter(set_), [](model::TextId text) { return text != 0; });
  std::ranges::sort(set_);
  std::uint32_t number = 0;
  if (const auto at = sets_.find(set_); at != sets_.end())
    number = at->second;
  else if (!set_.empty() && sets_.size() < kMaxSets)
    number = sets_.try_emplace(set_, static_cast<std::uint32_t>(sets_.size() + 1)).first->second;
  of_.push_back(static_cast<std::uint16_t>(number));
}

model::HeaderSets HeaderCollector::take(const std::vector<std::uint32_t>& from) {
  std::set<model::TextId> left_out;
  for (const auto& [name, field] : fields_)
    if (field.left_out)
      for (const auto& [value, text] : field.values) left_out.insert(text);
  model::HeaderSets out;
  out.sets.resize(sets_.size() + 1);
  for (const auto& [set, number] : sets_)
    for (const model::TextId text : set)
      if (!left_out.contains(text)) out.sets[number].push_back(text);
  if (!sets_.empty()) {
    out.of.reserve(from.size());
    for (const std::uint32_t old : from) out.of.push_back(of_[old]);
  }
  ground::release(of_);
  return out;
}

}  // namespace tailcap::tail
