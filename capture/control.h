// How a recorder is spoken to while it records: a UNIX seqpacket socket beside the file.
//
// FILE.control has mode 0600; only the recorder's own user and root are listened to. One connection is one command: a
// message "NAME ARGUMENT", answered by one message "done TEXT", "failed TEXT" or "usage TEXT". Nothing here ever waits
// for anybody: whoever connects and says nothing is dropped after a second, or when too many do.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace tailcap::capture {

inline constexpr std::string_view kControlSuffix = ".control";
// The longest command: a note of the longest key and value, and room.
inline constexpr std::size_t kCommandBytes = 4096;

enum class Obeyed { done, failed, usage };  // usage: the command is none, or not written as it should be
const char* word_of(Obeyed obeyed);

class Control {
 public:
  struct Command {
    std::string name;
    std::string argument;  // what follows the name's space; may hold spaces
  };

  // Makes FILE.control; one that a recorder left behind that was killed is replaced. The caller must hold the lock on
  // FILE (have its formats::Writer), so that it is nobody's. Throws std::system_error, or std::runtime_error where
  // something else has that name.
  explicit Control(const std::string& file);
  ~Control();  // removes it
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  int descriptor() const { return epoll_; }  // readable when next() has something to do
  // The next command, if one is there. Each must be answered before next() is called again.
  std::optional<Command> next();
  void answer(Obeyed obeyed, std::string_view text);

 private:
  struct Caller {
    int descriptor;
    std::chrono::steady_clock::time_point since;
  };
  void open(const std::string& name);
  void close_all();
  void accept_callers();
  void drop(std::size_t caller);

  int folder_ = -1, listener_ = -1, epoll_ = -1;
  std::string name_;            // in the folder; empty: not made
  std::deque<Caller> callers_;  // the oldest first
  int asking_ = -1;             // who waits for the answer
};

}  // namespace tailcap::capture
