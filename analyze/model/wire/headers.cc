#include <algorithm>

#include "analyze/model/wire/message.h"
#include "ground/http/http_text.h"

namespace tailcap::model {
namespace {

using ground::lower;

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

void Headers::add(std::string_view name, std::string_view value) {
  slices_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                     static_cast<std::uint32_t>(value.size())});
  text_.append(name).append(value);
}

void Headers::clear() {
  text_.clear();
  slices_.clear();
}

Headers::Field Headers::operator[](std::size_t i) const {
  const Slice& s = slices_[i];
  const std::string_view text = text_;
  return {text.substr(s.begin, s.name), text.substr(s.begin + s.name, s.value)};
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i)
    if (const Field f = (*this)[i]; same_name(f.name, name)) return f.value;
  return std::nullopt;
}

}  // namespace tailcap::model
