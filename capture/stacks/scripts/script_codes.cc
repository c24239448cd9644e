#include "capture/stacks/scripts/script_codes.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>

#include "bpf/event.h"
#include "capture/stacks/scripts/language.h"
#include "capture/stacks/scripts/python_lines.h"
#include "formats/utf8.h"

namespace tailcap::capture::stacks {

namespace {

static_assert(ScriptCodes::kMaxCodes == std::size_t{2} * SCRIPT_CODES);

bool valid(const bpf::script_text& text) {
  if (text.characters == 0) return text.size == 0;
  return (text.width == 1 || text.width == 2 || text.width == 4) && text.size <= SCRIPT_TEXT &&
         text.size <= std::uint64_t{text.characters} * text.width && text.size % text.width == 0;
}

ScriptText text_of(const bpf::script_text& text) {
  ScriptText out{{}, text.size < std::uint64_t{text.characters} * text.width};
  const char* bytes = reinterpret_cast<const char*>(text.words);
  if (text.utf8) {
    for (std::string_view rest(bytes, text.size); !rest.empty();) {
      const auto character = formats::first_character(rest);
      formats::append_utf8(out.text, character.code);
      rest.remove_prefix(character.length);
    }
    return out;
  }
  for (std::size_t at = 0; at < text.size; at += text.width) {
    std::uint32_t c = 0;
    std::memcpy(&c, bytes + at, text.width);
    formats::append_utf8(out.text, c);
  }
  return out;
}

}  // namespace

void ScriptCodes::forget(Order::iterator known) {
  tables_ -= known->table.size();
  codes_.erase(known->code);
  order_.erase(known);
}

bool ScriptCodes::take(std::span<const std::byte> record) {
  constexpr std::size_t kWithoutLines = offsetof(bpf::record_script_code, lines);
  bpf::record_script_code r{};
  if (record.size() < kWithoutLines) return false;
  std::memcpy(&r, record.data(), std::min(record.size(), sizeof r));
  const ScriptLanguage* language = language_of(r.language);
  if (!language || !valid(r.name) || !valid(r.file) || !valid(r.scope)) return false;
  if (r.lines_size > sizeof r.lines || r.lines_size > record.size() - kWithoutLines) return false;
  if (const auto known = codes_.find(r.code); known != codes_.end()) forget(known->second);
  while (!order_.empty() && (codes_.size() >= kMaxCodes || tables_ + r.lines_size > kMaxTables))
    forget(std::prev(order_.end()));
  Known& code = order_.emplace_front();
  code.code = r.code;
  code.name = language->frame({text_of(r.name), text_of(r.file), text_of(r.scope), r.first_line});
  if (r.lines_size > 0 && language->line && r.lines_form <= bpf::SCRIPT_LINES_LOCATIONS) {
    code.language = language;
    code.file = text_of(r.file);
    code.first_line = r.first_line;
    code.form = static_cast<bpf::script_lines>(r.lines_form);
    code.code_bytes = r.code_bytes;
    code.table.assign(reinterpret_cast<const char*>(r.lines), r.lines_size);
    tables_ += code.table.size();
  }
  codes_[r.code] = order_.begin();
  return true;
}

std::string ScriptCodes::line(std::uint64_t code, std::uint64_t place) const {
  const auto found = codes_.find(code);
  if (found == codes_.end() || place == 0 || place > UINT32_MAX) return {};
  const Known& known = *found->second;
  if (known.table.empty()) return {};
  const auto line =
      python_line({known.form, known.table, known.code_bytes, known.first_line}, static_cast<std::uint32_t>(place - 1));
  return line ? known.language->line(known.file, *line) : std::string();
}

const std::string* ScriptCodes::name(std::uint64_t code) {
  const auto known = codes_.find(code);
  if (known == codes_.end()) return nullptr;
  order_.splice(order_.begin(), order_, known->second);
  return &known->second->name;
}

}  // namespace tailcap::capture::stacks
