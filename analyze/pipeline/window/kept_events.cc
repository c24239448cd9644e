#include "analyze/pipeline/window/kept_events.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <variant>

#include "formats/fields/tables.h"

namespace tailcap::pipeline {
namespace {

constexpr std::size_t kTogether = 1u << 20;  // bytes of text

}  // namespace

void KeptEvents::push(const formats::Event& event) {
  formats::Event& kept = events_.emplace_back(event);
  std::visit(
      [&](auto& body) {
        formats::each_field(body, [&](const auto&, auto&& value) {
          if constexpr (std::is_same_v<decltype(value), std::string_view&>) value = keep(value);
        });
      },
      kept.body);
}

std::string_view KeptEvents::keep(std::string_view text) {
  if (text.empty()) return {};
  if (room_ - used_ < text.size()) {
    room_ = std::max(kTogether, text.size());
    used_ = 0;
    texts_.push_back(std::make_unique_for_overwrite<char[]>(room_));
    text_bytes_ += room_;
  }
  char* const at = texts_.back().get() + used_;
  std::memcpy(at, text.data(), text.size());
  used_ += text.size();
  return {at, text.size()};
}

}  // namespace tailcap::pipeline
