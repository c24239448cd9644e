// The recorder's rules. Which header fields keep their values: the only list, for HTTP/1 and HTTP/2, heads and
// trailers.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "capture/mask/sheet/keep.h"
#include "formats/mask/rules.h"

namespace tailcap::capture::mask {

using formats::mask::Extent;
using formats::mask::Value;
using ground::is_token;
using ground::lower;

class HeaderList final : public formats::mask::Rules {
 public:
  explicit HeaderList(const Keep& keep = {});
  Value of(std::string_view name) const override;
  bool begins_name(std::string_view begin) const override;
  // Targets and hosts: target.h.
  bool judge(Value value, std::string& text, const Extent& extent) const override;
  formats::mask::Kept statements() const override { return kept(keep_.statements); }
  formats::mask::Kept keys() const override { return kept(keep_.keys); }
  bool keeps_reasons() const override { return true; }
  bool keeps_hellos() const override { return true; }
  void hello(std::string&, bool) const override {}
  formats::mask::FieldMemo* memo() const override { return &memo_; }
  bool keeps_query(std::string_view key) const;

  // The names that are on the list without having been asked for, sorted.
  static std::span<const std::string_view> standard();

 private:
  static formats::mask::Kept kept(bool whole) {
    return whole ? formats::mask::Kept::whole : formats::mask::Kept::shape;
  }
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  std::unordered_map<std::string, Value, Hash, std::equal_to<>> values_;
  Keep keep_;
  mutable formats::mask::FieldMemo memo_;
};

}  // namespace tailcap::capture::mask
