// Where tables go that replace each other: a screen of the terminal, or lines.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::cli {

class TopScreen {
 public:
  // on: on a screen of its own, which is left in the end; otherwise one table is printed after another.
  explicit TopScreen(bool on);
  ~TopScreen();
  TopScreen(const TopScreen&) = delete;
  TopScreen& operator=(const TopScreen&) = delete;

  // False: the reader has gone.
  bool show(std::string_view table);
  // The last table stays where it can be read.
  bool end(std::string_view table);

 private:
  bool write(std::string_view text);
  void leave();

  bool on_;
  bool gone_ = false, any_ = false;
};

}  // namespace tailcap::cli
