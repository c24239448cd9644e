// The field lines of an HTTP/1 head, or of trailers: names are kept, and of the values what the
// rules keep.
//
// Lines may be cut anywhere. If a more lenient parser could see a different field (a bare CR, a zero byte, a folded
// line, a line without a name), the value is masked; if that field could say where the body ends, the framing is
// doubtful.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/mask/framing.h"
#include "formats/mask/rules.h"
#include "formats/mask/waiting.h"
#include "formats/sheet.h"

namespace tailcap::formats::mask {

class Fields {
 public:
  // crlf: what came before ended its lines with CR and LF, so that only parsers that are lenient end one with LF alone.
  void begin(bool crlf);
  // Processes the bytes up to the blank line. Returns how many it used.
  std::size_t feed(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  bool done() const { return part_ == Part::done; }
  // More bytes than any valid head has.
  bool too_long() const { return seen_ > kMaxHead; }
  // The next byte would be kept, unless it is invalid.
  bool keeps_next() const { return part_ == Part::start || part_ == Part::name || (part_ == Part::value && shown_); }

  // Bytes of text that is kept for what may follow.
  std::size_t held() const { return held_by(name_) + held_by(value_) + held_by(judged_) + held_by(scratch_); }
  // Gives the memory of longer texts back.
  void release(std::size_t than);

  Framing framing;

 private:
  static constexpr std::size_t kMaxHead = 1u << 20;  // servers refuse longer ones: nginx 8 KiB, Go 1 MiB
  static constexpr std::size_t kMaxName = 256;
  static constexpr std::size_t kMaxNoted = 1024;   // bytes of a value that affects the framing
  static constexpr std::size_t kMaxJudged = 4096;  // bytes of a value that is seen in pieces; what follows is hidden

  static constexpr std::size_t kKept = 256;  // bytes of a text for which there is memory between two heads

  static constexpr unsigned kUnlikeKept = 4, kUnlikeKeptEvery = 16;

  enum class Part : std::uint8_t { start, blank, name, value, done };
  enum class Noted : std::uint8_t { no, length, coding, expect, upgrade, type };

  // The head is known, up to its blank line, where these bytes begin with it. Returns how many bytes were used.
  std::size_t known_head(std::string_view bytes, std::size_t base, Sheet& sheet, const FieldMemo& memo);
  void learn_head(std::size_t size, std::size_t base, const Sheet& sheet, FieldMemo& memo);
  // line: whole, with its line feed; it begins at `at`. Returns false, and does nothing, if it is not known.
  bool known(std::string_view line, std::size_t at, std::size_t base, Sheet& sheet, const FieldMemo& memo);
  // The line [begin, end) of these bytes; value: where its value begins, SIZE_MAX: it has no name.
  void learn(std::string_view bytes, std::size_t begin, std::size_t value, std::size_t end, std::size_t base,
             const Sheet& sheet, FieldMemo& memo);
  void hides(std::size_t begin, std::size_t end);
  std::size_t name(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  std::size_t value(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  void judge(std::string_view text, std::size_t base, bool last, Sheet& sheet, const Rules& rules);
  void doubt_spelling();
  void name_done(const Rules& rules);
  void note();

  Part part_ = Part::start;
  Value kind_ = Value::masked;
  bool shown_ = false;     // the current value, up to an invalid byte
  bool begun_ = false;     // bytes of the current value were seen
  bool blank_ = false;     // blanks followed the name
  bool after_cr_ = false;  // a line feed has to follow
  bool crlf_ = false;
  bool odd_ = false;  // the line is no field to this parser, but could be to another
  Noted noted_ = Noted::no;
  std::size_t seen_ = 0;
  // What of the head under way is masked whatever it is, and that nothing else is.
  std::vector<FieldMemo::Hidden> hidden_;
  bool simple_ = false;
  std::uint32_t head_ = 0;   // the number of a head in the memo
  std::uint8_t unlike_ = 0;  // heads since one was known
  std::string name_, value_, judged_, scratch_;
};

}  // namespace tailcap::formats::mask
