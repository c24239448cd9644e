#include "analyze/tail/rows/header_collector.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "ground/release.h"

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

void HeaderCollector::push(const model::Exchange& exchange, model::TextPool& texts) {
  // Most requests of a connection have the same fields as the one before.
  if (!of_.empty() && exchange.request_headers == last_) return of_.push_back(of_.back());
  last_ = exchange.request_headers;
  set_.clear();
  for (std::size_t i = 0; i < exchange.request_headers.size(); ++i) {
    const auto [name, value] = exchange.request_headers[i];
    if (name.empty() || name.front() == ':' || value.empty() || value.size() > kMaxValue || masked(value)) continue;
    assign_lower(name, name_);
    if (std::ranges::find(kOwn, name_) != kOwn.end()) continue;
    auto field = fields_.find(name_);
    if (field == fields_.end()) {
      if (fields_.size() == kMaxFields) continue;
      field = fields_.try_emplace(name_).first;
    }
    if (field->second.left_out) continue;
    auto& values = field->second.values;
    auto known = values.find(value);
    if (known == values.end()) {
      if (values.size() == kMaxValues) {
        field->second.left_out = true;
        continue;
      }
      known = values.try_emplace(std::string(value), texts.intern(name_ + ": " + std::string(value))).first;
    }
    set_.push_back(known->second);
  }
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
