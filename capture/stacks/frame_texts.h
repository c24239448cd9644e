// The texts of a stack, as a sample has them: names, executed lines, and places of code whose line is not known.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/source/source_lines.h"
#include "formats/sample.h"

namespace tailcap::capture::stacks {

// A function of a stack.
struct CodeFrame {
  std::string name;
  std::string line;  // "cart.c:88", that was executed; empty: not known
};

// The functions at an address, the innermost first. function: that which symbols name.
std::vector<CodeFrame> code_frames(std::string_view function, const symbols::SourceLines& lines, std::uint64_t address);

// Where code is, in a file that others may have, too.
struct CodeAddress {
  std::string build_id;  // in hexadecimal digits; empty: not known
  std::string file;
  std::uint64_t address = 0;  // as in the file's symbol table
  bool operator==(const CodeAddress&) const = default;
};

class FrameTexts {
 public:
  // From the outermost frame on. place: null where there is none.
  void add(std::string_view name, std::string_view line = {}, const CodeAddress* place = nullptr);
  // All functions of one place of code, the innermost first; only the last of them, where the texts are long already.
  void add(const std::vector<CodeFrame>& frames, const CodeAddress* place);
  bool empty() const { return count_ == 0; }
  void put(formats::Sample& sample) const;  // views of this object

  // The places of a sample; none where its texts do not fit together.
  static std::vector<CodeAddress> places_of(const formats::Sample& sample, std::size_t frames);

 private:
  std::size_t count_ = 0;
  bool lined_ = false;
  std::string user_, lines_, places_, build_ids_, files_;
  std::vector<CodeAddress> known_;  // the files, without addresses
};

// The entries of a text of frames, as many as ';' say.
std::vector<std::string_view> entries_of(std::string_view text);

}  // namespace tailcap::capture::stacks
