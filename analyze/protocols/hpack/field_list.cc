#include "analyze/protocols/hpack/field_list.h"

namespace tailcap::protocols::hpack {

void FieldList::clear() {
  text_.clear();
  slices_.clear();
  dropped_ = 0;
}

void FieldList::add(const HeaderField& field) {
  if (slices_.size() == kMaxFields || text_.size() + field.name.size() + field.value.size() > kMaxText) {
    ++dropped_;
    return;
  }
  slices_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(field.name.size()),
                     static_cast<std::uint32_t>(field.value.size()), field.name_known, field.value_known,
                     field.never_indexed, field.entry});
  text_.append(field.name).append(field.value);
}

HeaderField FieldList::operator[](std::size_t i) const {
  const Slice& s = slices_[i];
  const std::string_view text = text_;
  return {text.substr(s.begin, s.name),
          text.substr(s.begin + s.name, s.value),
          s.name_known,
          s.value_known,
          s.never_indexed,
          s.entry};
}

}  // namespace tailcap::protocols::hpack
