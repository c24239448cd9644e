#include "capture/symbols/rust/plain_name.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "capture/symbols/rust/punycode.h"
#include "formats/utf8.h"

namespace tailcap::capture::symbols {

namespace {

// A name can refer to its own parts again and again, so that few bytes mean gigabytes.
constexpr std::size_t kMaxOut = 4096, kMaxSteps = 8192, kMaxDepth = 96;

std::string_view basic_type(char tag) {
  constexpr std::string_view names[26] = {"i8",    "bool", "char", "f64", "str",  "f32",  "",    "u8", "isize",
                                          "usize", "",     "i32",  "u32", "i128", "u128", "_",   "",   "",
                                          "i16",   "u16",  "()",   "...", "",     "i64",  "u64", "!"};
  return tag >= 'a' && tag <= 'z' ? names[tag - 'a'] : std::string_view();
}

// Reads a name by its grammar and writes it. What is not valid, or too much, ends all of it.
class RustName {
 public:
  explicit RustName(std::string_view text) : text_(text) {}

  std::optional<std::string> read() {
    path(true);
    if (ok_ && at_ < text_.size() && text_[at_] >= 'A' && text_[at_] <= 'Z') {  // the crate that made an instance of it
      silent_ = true;
      path(false);
    }
    if (!ok_ || at_ != text_.size()) return std::nullopt;
    return std::move(out_);
  }

 private:
  struct Identifier {
    std::string_view text;
    bool punycode = false;
    std::uint64_t number = 0;  // of those that have the same name; 0: the first
  };
  // Counts what is nested, and what is read at all.
  class Step {
   public:
    explicit Step(RustName& name) : name_(name) {
      if (++name_.depth_ > kMaxDepth || ++name_.steps_ > kMaxSteps || name_.out_.size() > kMaxOut) name_.ok_ = false;
    }
    ~Step() { --name_.depth_; }

   private:
    RustName& name_;
  };

  char next() {
    if (!ok_ || at_ >= text_.size()) {
      ok_ = false;
      return 0;
    }
    return text_[at_++];
  }
  bool eat(char c) {
    if (!ok_ || at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void write(std::string_view text) {
    if (!silent_ && ok_) out_ += text;
  }
  bool list_ends() { return !ok_ || eat('E'); }

  std::uint64_t base62() {
    if (eat('_')) return 0;
    std::uint64_t n = 0;
    while (ok_ && !eat('_')) {
      const char c = next();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'z' ? c - 'a' + 10
                        : c >= 'A' && c <= 'Z' ? c - 'A' + 36
                                               : -1;
      if (digit < 0 || n > UINT64_MAX / 62 - 62) ok_ = false;
      n = n * 62 + static_cast<std::uint64_t>(digit);
    }
    return n + 1;
  }
  std::uint64_t marked(char mark) { return eat(mark) ? base62() + 1 : 0; }

  Identifier identifier() {
    Identifier out;
    out.number = marked('s');
    out.punycode = eat('u');
    std::size_t size = 0;
    if (!eat('0')) {
      do {
        const char c = next();
        if (c < '0' || c > '9' || size > text_.size()) ok_ = false;
        size = size * 10 + static_cast<std::size_t>(c - '0');
      } while (ok_ && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9');
    }
    eat('_');
    if (!ok_ || size > text_.size() - at_) {
      ok_ = false;
      return {};
    }
    out.text = text_.substr(at_, size);
    at_ += size;
    return out;
  }
  void write(const Identifier& name) {
    if (!name.punycode) return write(name.text);
    const auto text = decode_punycode(name.text);
    if (!text) ok_ = false;
    write(text.value_or(""));
  }

  // Reads what a back reference refers to.
  template <class Read>
  void again(Read read) {
    const std::size_t from = at_ - 1;
    const std::uint64_t to = base62();
    if (!ok_ || to >= from) {
      ok_ = false;
      return;
    }
    if (silent_) return;
    const std::size_t end = at_;
    at_ = to;
    read();
    at_ = end;
  }

  void path(bool value) {
    const Step step(*this);
    if (!ok_) return;
    switch (next()) {
      case 'C':
        return write(identifier());
      case 'M':
        implementation();
        write("<");
        type();
        return write(">");
      case 'X':
        implementation();
        [[fallthrough]];
      case 'Y':
        write("<");
        type();
        write(" as ");
        path(false);
        return write(">");
      case 'N':
        return nested(value);
      case 'I':
        path(value);
        write(value ? "::<" : "<");
        for (bool first = true; !list_ends(); first = false) {
          if (!first) write(", ");
          argument();
        }
        return write(">");
      case 'B':
        return again([&] { path(value); });
      default:
        ok_ = false;
    }
  }

  // Where an implementation stands, which is left out.
  void implementation() {
    marked('s');
    const bool before = std::exchange(silent_, true);
    path(false);
    silent_ = before;
  }

  void nested(bool value) {
    const char space = next();
    path(value);
    const Identifier name = identifier();
    if (space >= 'A' && space <= 'Z') {
      write(space == 'C' ? "::{closure" : space == 'S' ? "::{shim" : "::{" + std::string(1, space));
      if (!name.text.empty()) {
        write(":");
        write(name);
      }
      return write("#" + std::to_string(name.number) + "}");
    }
    if (space < 'a' || space > 'z') ok_ = false;
    if (name.text.empty()) return;
    write("::");
    write(name);
  }

  void argument() {
    if (eat('L')) return lifetime(base62());
    if (eat('K')) return constant();
    type();
  }

  void lifetime(std::uint64_t index) {
    if (index == 0) return write("'_");
    if (index > bound_) {
      ok_ = false;
      return;
    }
    const std::uint64_t depth = bound_ - index;
    write("'");
    write(depth < 26 ? std::string(1, static_cast<char>('a' + depth)) : "_" + std::to_string(depth));
  }

  // Writes "for<'a, 'b> ", reads with these lifetimes, and forgets them.
  template <class Read>
  void bound(Read read) {
    const std::uint64_t count = marked('G'), before = bound_;
    if (count > 64) ok_ = false;
    for (std::uint64_t i = 0; ok_ && i < count; ++i) {
      write(i == 0 ? "for<" : ", ");
      ++bound_;
      lifetime(1);
    }
    if (count > 0) write("> ");
    read();
    bound_ = before;
  }

  void type() {
    const Step step(*this);
    if (!ok_) return;
    const char tag = next();
    if (const auto basic = basic_type(tag); !basic.empty()) return write(basic);
    switch (tag) {
      case 'A':
      case 'S':
        write("[");
        type();
        if (tag == 'A') {
          write("; ");
          constant();
        }
        return write("]");
      case 'T': {
        write("(");
        std::size_t count = 0;
        for (; !list_ends(); ++count) {
          if (count > 0) write(", ");
          type();
        }
        return write(count == 1 ? ",)" : ")");
      }
      case 'R':
      case 'Q':
        write("&");
        if (eat('L')) {
          if (const std::uint64_t index = base62(); index != 0) {
            lifetime(index);
            write(" ");
          }
        }
        write(tag == 'Q' ? "mut " : "");
        return type();
      case 'P':
      case 'O':
        write(tag == 'P' ? "*const " : "*mut ");
        return type();
      case 'F':
        return bound([&] { function(); });
      case 'D':
        write("dyn ");
        bound([&] { traits(); });
        if (!eat('L')) ok_ = false;
        if (const std::uint64_t index = base62(); ok_ && index != 0) {
          write(" + ");
          lifetime(index);
        }
        return;
      case 'B':
        return again([&] { type(); });
      default:
        --at_;
        path(false);
    }
  }

  void function() {
    if (eat('U')) write("unsafe ");
    if (eat('K')) {
      std::string abi = "C";
      if (!eat('C')) abi = identifier().text;
      std::replace(abi.begin(), abi.end(), '_', '-');
      write("extern \"" + abi + "\" ");
    }
    write("fn(");
    for (bool first = true; !list_ends(); first = false) {
      if (!first) write(", ");
      type();
    }
    write(")");
    if (eat('u')) return;
    write(" -> ");
    type();
  }

  void traits() {
    for (bool first = true; !list_ends(); first = false) {
      if (!first) write(" + ");
      trait();
    }
  }

  // What a trait's types are stands with its arguments: "Fn<(u8,), Output = u8>".
  void trait() {
    bool open = trait_path();
    while (eat('p')) {
      write(open ? ", " : "<");
      open = true;
      write(identifier());
      write(" = ");
      type();
    }
    if (open) write(">");
  }

  // True: its arguments are not closed yet.
  bool trait_path() {
    const Step step(*this);
    if (!ok_) return false;
    if (eat('B')) {
      bool open = false;
      again([&] { open = trait_path(); });
      return open;
    }
    if (!eat('I')) {
      path(false);
      return false;
    }
    path(false);
    write("<");
    for (bool first = true; !list_ends(); first = false) {
      if (!first) write(", ");
      argument();
    }
    return true;
  }

  void constant() {
    const Step step(*this);
    if (!ok_) return;
    const char tag = next();
    if (tag == 'p') return write("_");
    if (tag == 'B') return again([&] { constant(); });
    constexpr std::string_view kNumbers = "aslxnihtmyoj";
    const bool negative = eat('n');
    std::string digits;
    while (ok_ && !eat('_')) {
      const char c = next();
      if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) ok_ = false;
      digits += c;
    }
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    if (!ok_) return;
    std::uint64_t number = 0;
    for (const char c : digits.substr(0, 16))
      number = number << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (kNumbers.find(tag) != kNumbers.npos)
      return write((negative ? "-" : "") + (digits.size() > 16 ? "0x" + digits : std::to_string(number)));
    if (tag == 'b' && number <= 1) return write(number == 1 ? "true" : "false");
    if (tag != 'c' || digits.size() > 6 || !formats::is_character(number)) {
      ok_ = false;
      return;
    }
    std::string character;
    formats::append_utf8(character, static_cast<std::uint32_t>(number));
    write("'" + character + "'");
  }

  std::string_view text_;
  std::size_t at_ = 0, depth_ = 0, steps_ = 0;
  std::uint64_t bound_ = 0;  // lifetimes that have a name here
  bool ok_ = true, silent_ = false;
  std::string out_;
};

}  // namespace

std::optional<std::string> demangled_rust(std::string_view name) {
  if (!name.starts_with("_R")) return std::nullopt;
  name = name.substr(2);
  return RustName(name.substr(0, name.find_first_of(".$"))).read();  // what follows is the linker's or LLVM's
}

}  // namespace tailcap::capture::symbols
