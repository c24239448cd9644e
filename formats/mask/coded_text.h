// Masks a string in the Huffman code of HPACK, in place. The replacement has as many codes with the same total length,
// so the coded and decoded lengths do not change, and a reader's header compression stays in step.
//
// If the string is cut inside a character, only the length of that character's code can be seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/mask/waiting.h"
#include "formats/sheet.h"

namespace tailcap::formats::mask {

class CodedText {
 public:
  void begin();
  // The next bytes of the string; last: it ends with them. judge(text, more) is given the characters that are whole in
  // these bytes, in a string that it overwrites with '*' where they are to be hidden, and with other characters where
  // they are to be replaced; more: not the last of the string. It returns whether a character that follows would be
  // hidden. Replacements whose code is not as long as what they replace are hidden.
  template <class Judge>
  void feed(std::string_view bytes, bool last, std::size_t base, Sheet& sheet, Judge judge) {
    decode(bytes);
    before_ = text_;
    const bool hides = judge(text_, !last);
    bool replaces = false;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      codes_[i].hidden = text_[i] == '*';
      replaces |= text_[i] != '*' && text_[i] != before_[i];
    }
    rewrite(hides, last, replaces);
    sheet.write(base, changed_);
    if (codes_.capacity() > kKept) release();
  }
  std::size_t held() const {
    return codes_.capacity() * sizeof(Code) + held_by(before_) + held_by(text_) + held_by(changed_);
  }
  void release() {
    let_go_of(codes_);
    for (std::string* const text : {&before_, &text_, &changed_}) let_go_of(*text);
  }

 private:
  static constexpr std::size_t kKept = 64;  // characters for which there is memory between two calls
  struct Code {
    std::size_t at = 0;  // first bit, in changed_
    std::uint8_t length = 0;
    bool hidden = false;
  };
  void decode(std::string_view bytes);
  void rewrite(bool hides, bool last, bool replaces);
  void replace(std::size_t first);
  void hide(std::size_t first);
  void put(std::size_t at, std::uint32_t code, unsigned length);
  std::size_t fill(std::size_t first, std::size_t end, std::size_t at);
  std::size_t write_like(char c, std::size_t at);
  bool as_long(std::size_t first) const;

  // The character that the bytes before began: its bits, and what was written instead of them.
  std::uint32_t own_ = 0, given_ = 0;
  unsigned begun_ = 0;
  std::uint32_t rest_own_ = 0;  // of the character that these bytes end in
  unsigned rest_ = 0;
  std::string before_, text_, changed_;
  std::vector<Code> codes_;
};

}  // namespace tailcap::formats::mask
