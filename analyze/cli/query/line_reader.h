// Lines that a person types, with editing and a history of earlier ones.
#pragma once

#include <memory>
#include <string>

namespace tailcap::cli {

enum class TypedLine { line, cancelled, end };  // cancelled: by Ctrl-C; end: Ctrl-D, or no more input

class LineReader {
 public:
  // history: a file, which need not exist; empty: none is kept. Only its owner can read it.
  // cancelled: whether Ctrl-C came since the last line; the signal interrupts calls and is handled.
  LineReader(std::string history, bool (*cancelled)());
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // Without the newline.
  TypedLine read(const std::string& prompt, std::string& line);
  // Remembers what was typed, in one line or several.
  void remember(const std::string& text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// $XDG_STATE_HOME/tailcap/query_history, else in ~/.local/state; its folder is made. Empty: there is no place for it.
std::string history_file();

}  // namespace tailcap::cli
