// Commands to a recorder while it records: a UNIX seqpacket socket beside the file.
//
// FILE.control has mode 0600; only the recorder's own user and root are listened to. One connection is one command: a
// message "NAME ARGUMENT", answered by one message "done TEXT", "failed TEXT" or "usage TEXT". Nothing here ever waits
// for a client: a connection that sends nothing is dropped after a second, or when there are too many.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tailcap::capture {

inline constexpr std::string_view kControlSuffix = ".control";
// The longest command: a note with the longest key and value, plus some room.
inline constexpr std::size_t kCommandBytes = 4096;

class Answer;

enum class Obeyed { done, failed, usage };  // usage: the command is unknown or malformed
const char* word_of(Obeyed obeyed);

class Control {
 public:
  struct Command {
    std::string name;
    std::string argument;  // the text after the name's space; may contain spaces
  };

  // Makes FILE.control; one that a recorder left behind that was killed is replaced. The caller must hold the lock on
  // FILE (have its formats::Writer), so that no other recorder uses it. Throws std::system_error, or std::runtime_error
  // if something else has that name.
  explicit Control(const std::string& file);
  ~Control();  // removes it
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  int descriptor() const { return epoll_; }  // readable when next() has something to do
  // The next command, if there is one. Each must be answered before next() is called again.
  std::optional<Command> next();
  void answer(Obeyed obeyed, std::string_view text);
  // Instead of answer(): its owner answers, from any thread.
  Answer answer_later();

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
  int asking_ = -1;             // the one that waits for the answer
};

// Owed to one who gave a command.
class Answer {
 public:
  explicit Answer(int descriptor) : descriptor_(descriptor) {}
  ~Answer();
  Answer(Answer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Answer& operator=(Answer&&) = delete;
  void give(Obeyed obeyed, std::string_view text);

 private:
  int descriptor_;
};

}  // namespace tailcap::capture
