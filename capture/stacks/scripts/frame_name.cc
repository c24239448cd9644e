#include "capture/stacks/scripts/frame_name.h"

#include <algorithm>

namespace tailcap::capture::stacks {

namespace {

constexpr std::size_t kMaxFrameName = 256;

}  // namespace

std::string frame_name(std::string_view name) {
  std::string out(name.substr(0, kMaxFrameName));
  for (char& c : out) {
    if (c == ';' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (name.size() > kMaxFrameName) out.replace(out.size() - 3, 3, "...");
  return out;
}

void square_brackets(std::string& text) {
  std::ranges::replace(text, '(', '[');
  std::ranges::replace(text, ')', ']');
}

}  // namespace tailcap::capture::stacks
