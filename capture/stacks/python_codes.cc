#include "capture/stacks/python_codes.h"

#include <cstring>
#include <string_view>

#include "bpf/event.h"
#include "capture/stacks/code_files.h"
#include "formats/utf8.h"

namespace tailcap::capture::stacks {

namespace {

static_assert(PythonCodes::kMaxCodes == std::size_t{2} * PYTHON_CODES);

constexpr std::size_t kMostName = 140, kMostFile = 80;  // bytes: both fit into the name of a frame
constexpr std::string_view kCutText = "...";

bool valid(const bpf::python_text& text) {
  return (text.width == 1 || text.width == 2 || text.width == 4) && text.size <= PYTHON_TEXT &&
         text.size <= std::uint64_t{text.characters} * text.width && text.size % text.width == 0;
}

bool is_cut(const bpf::python_text& text) { return text.size < std::uint64_t{text.characters} * text.width; }

// What is kept of it.
std::string utf8(const bpf::python_text& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size; at += text.width) {
    std::uint32_t c = 0;
    std::memcpy(&c, reinterpret_cast<const char*>(text.words) + at, text.width);
    formats::append_utf8(out, c);
  }
  return out;
}

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::string first_of(const std::string& text, std::size_t most, bool cut) {
  if (text.size() <= most && !cut) return text;
  std::size_t end = std::min(text.size(), most - kCutText.size());
  while (end > 0 && end < text.size() && !begins_character(text[end])) end--;
  return text.substr(0, end) + std::string(kCutText);
}

// The file without its folder, except where many have that name.
std::string file_of(const std::string& path, bool cut) {
  auto from = path.rfind('/');
  const std::string_view last = std::string_view(path).substr(from == path.npos ? 0 : from + 1);
  if (from != path.npos && from > 0 && (last == "__init__.py" || last == "__main__.py"))
    from = path.rfind('/', from - 1);
  if (from != path.npos) return first_of(path.substr(from + 1), kMostFile, false);
  return cut ? std::string(kCutText) + first_of(path, kMostFile, false) : first_of(path, kMostFile, false);
}

// With this code the interpreter of 3.12 and 3.13 calls __init__; Python's own stacks leave it out, too.
bool interpreters_own(const bpf::record_python_code& r, std::string_view name, std::string_view file) {
  return r.first_line == 0 && name == "__init__" && file == "__init__";
}

}  // namespace

bool PythonCodes::take(std::span<const std::byte> record) {
  bpf::record_python_code r;
  if (record.size() < sizeof r) return false;
  std::memcpy(&r, record.data(), sizeof r);
  if (!valid(r.name) || !valid(r.file)) return false;
  const std::string function = utf8(r.name), path = utf8(r.file);
  std::string name;
  if (!interpreters_own(r, function, path))
    name = frame_name(first_of(function, kMostName, is_cut(r.name)) + " (" + file_of(path, is_cut(r.file)) + ":" +
                      std::to_string(r.first_line) + ")");
  const auto known = codes_.find(r.code);
  if (known != codes_.end()) {
    order_.erase(known->second);
    codes_.erase(known);
  } else if (codes_.size() >= kMaxCodes) {
    codes_.erase(order_.back().first);
    order_.pop_back();
  }
  order_.emplace_front(r.code, name);
  codes_[r.code] = order_.begin();
  return true;
}

const std::string* PythonCodes::name(std::uint64_t code) {
  const auto known = codes_.find(code);
  if (known == codes_.end()) return nullptr;
  order_.splice(order_.begin(), order_, known->second);
  return &known->second->second;
}

}  // namespace tailcap::capture::stacks
