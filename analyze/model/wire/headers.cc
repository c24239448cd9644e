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

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i)
    if (slices_[i].name == name.size() && same_name((*this)[i].name, name)) return (*this)[i].value;
  return std::nullopt;
}

}  // namespace tailcap::model
