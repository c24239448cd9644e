#include "analyze/cli/top/top_screen.h"

#include <algorithm>

#include "analyze/cli/output/line_output.h"

namespace tailcap::cli {
namespace {

// Terminals have had these since the VT100, and the other screen since xterm.
constexpr std::string_view kOtherScreen = "\x1b[?1049h", kFirstScreen = "\x1b[?1049l";
constexpr std::string_view kHide = "\x1b[?25l", kShow = "\x1b[?25h";
constexpr std::string_view kHome = "\x1b[H", kClearLine = "\x1b[K", kClearRest = "\x1b[J";

// No line leaves a rest of the table before.
std::string over(std::string_view table) {
  std::string out(kHome);
  for (const char c : table) {
    if (c == '\n') out += kClearLine;
    out += c;
  }
  return out += kClearRest;
}

}  // namespace

TopScreen::TopScreen(bool on) : on_(on) {
  if (on_) write(std::string(kOtherScreen) + std::string(kHide));
}

TopScreen::~TopScreen() {
  try {
    leave();
  } catch (...) {  // standard output cannot be written: that was said, or another failure is on its way
  }
}

void TopScreen::leave() {
  if (!on_) return;
  on_ = false;
  write(std::string(kShow) + std::string(kFirstScreen));
}

bool TopScreen::write(std::string_view text) {
  if (gone_) return false;
  LineOutput out;
  out.buffer() = text;
  out.flush();
  gone_ = out.gone();
  return !gone_;
}

bool TopScreen::show(std::string_view table) {
  if (on_) return write(over(table));
  const bool first = !any_;
  any_ = true;
  return write((first || table.starts_with('{') ? "" : "\n") + std::string(table));
}

bool TopScreen::end(std::string_view table) {
  if (!on_) return show(table);
  leave();
  return write(table);
}

}  // namespace tailcap::cli
