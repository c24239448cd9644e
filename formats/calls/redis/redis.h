// Redis and Valkey: RESP 2 and 3 (https://redis.io/docs/reference/protocol-spec/).
//
// A call is one command. Kept of it: its name, the name of its subcommand, the shape of its first key; of a reply:
// types, lengths, counts and the first word of an error. Inline commands and replication are not read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::redis {

bool begins(Side side, std::string_view bytes);
bool proves(Side side, std::string_view bytes, std::uint64_t length);
std::unique_ptr<Machine> machine(bool from_beginning);
Fault fault(std::string_view error_code);

inline constexpr std::size_t kLongestName = 32;  // of a command

inline char capital(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

inline bool is_name(char c) { return (capital(c) >= 'A' && capital(c) <= 'Z') || c == '.' || c == '_' || c == '-'; }

// The name of a command, in capitals. Empty: it is longer than any.
class Name {
 public:
  void clear() { size_ = 0; }
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      if (size_ < text_.size()) text_[size_] = capital(c);
      ++size_;
    }
  }
  std::string_view text() const { return size_ <= text_.size() ? std::string_view(text_.data(), size_) : ""; }

 private:
  std::array<char, kLongestName> text_{};
  std::size_t size_ = 0;
};

// The commands that are known, sorted; where their first key stands among the arguments (0: nowhere), and what else the
// protocol depends on.
struct Command {
  std::string_view name;
  std::uint8_t key = 1;
  bool has_subcommand = false;
  bool waits = false;       // it asks to wait for something
  bool subscribes = false;  // what answers it is pushed
  // The argument in front of the first key says how many keys there are.
  constexpr bool counts_keys() const { return key >= 2 && !has_subcommand && name != "BITOP"; }
};
const Command* command(std::string_view capitals);
// A command begins so, or one of a module: JSON.GET.
bool begins_command(std::string_view capitals);

}  // namespace tailcap::formats::calls::redis
