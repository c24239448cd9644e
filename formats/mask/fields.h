// The field lines of an HTTP/1 head, or of trailers: names are kept, and of the values what the
// rules keep.
//
// Lines may be cut anywhere. If a more lenient parser could see a different field (a bare CR, a zero byte, a folded
// line, a line without a name), the value is masked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "formats/mask/rules.h"
#include "formats/sheet.h"

namespace tailcap::formats::mask {

// The fields' statements about the body and what follows it.
struct Framing {
  std::optional<std::uint64_t> length;
  bool contradictory = false;  // lengths that differ, or a length that is not a number
  bool chunked = false;        // the final transfer coding
  bool other_coding = false;   // there is one, and the final one is not chunked
  bool expects = false;        // it waits for a 100 before it sends a body
  bool upgrade = false, h2c = false;
  bool web = false, web_text = false;  // the body is gRPC-Web's
};

class Fields {
 public:
  void begin();
  // Processes the bytes up to the blank line. Returns how many it used.
  std::size_t feed(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  bool done() const { return part_ == Part::done; }
  // More bytes than any valid head has.
  bool too_long() const { return seen_ > kMaxHead; }
  // The next byte would be kept, unless it is invalid.
  bool keeps_next() const { return part_ == Part::start || part_ == Part::name || (part_ == Part::value && shown_); }

  Framing framing;

 private:
  static constexpr std::size_t kMaxHead = 1u << 20;  // servers refuse longer ones: nginx 8 KiB, Go 1 MiB
  static constexpr std::size_t kMaxName = 256;
  static constexpr std::size_t kMaxNoted = 1024;   // bytes of a value that affects the framing
  static constexpr std::size_t kMaxJudged = 4096;  // bytes of a value that is seen in pieces; what follows is hidden

  enum class Part : std::uint8_t { start, blank, name, value, done };
  enum class Noted : std::uint8_t { no, length, coding, expect, upgrade, type };

  // A whole line with its line feed. Returns false, and does nothing, if it is not known.
  bool known(std::string_view line, std::size_t base, Sheet& sheet, const FieldMemo& memo);
  void learn(std::string_view line, std::size_t base, const Sheet& sheet, FieldMemo& memo) const;
  std::size_t name(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  std::size_t value(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  void judge(std::string_view text, std::size_t base, bool last, Sheet& sheet, const Rules& rules);
  void name_done(const Rules& rules);
  void note();

  Part part_ = Part::start;
  Value kind_ = Value::masked;
  bool shown_ = false;     // the current value, up to an invalid byte
  bool begun_ = false;     // bytes of the current value were seen
  bool blank_ = false;     // blanks followed the name
  bool after_cr_ = false;  // a line feed has to follow
  Noted noted_ = Noted::no;
  std::size_t seen_ = 0;
  std::string name_, value_, judged_, scratch_;
};

}  // namespace tailcap::formats::mask
