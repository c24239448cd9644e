#include "analyze/model/trace/span.h"

#include <algorithm>

namespace tailcap::model {

void Attributes::set(std::string_view key, AttributeValue value) {
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const Attribute& a) { return a.key == key; });
  if (at == all_.end())
    all_.push_back({std::string(key), std::move(value)});
  else
    at->value = std::move(value);
}

const AttributeValue* Attributes::find(std::string_view key) const {
  const auto at = std::find_if(all_.begin(), all_.end(), [&](const Attribute& a) { return a.key == key; });
  return at == all_.end() ? nullptr : &at->value;
}

bool Attributes::erase(std::string_view key) {
  return std::erase_if(all_, [&](const Attribute& a) { return a.key == key; }) > 0;
}

std::string text_of(const AttributeValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  std::string out;
  for (const std::string& part : std::get<std::vector<std::string>>(value)) out += (out.empty() ? "" : ",") + part;
  return out;
}

}  // namespace tailcap::model
