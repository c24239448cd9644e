#include "capture/stacks/scripts/script_codes.h"

#include <cstring>
#include <string_view>

#include "bpf/event.h"
#include "capture/stacks/scripts/language.h"
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

bool ScriptCodes::take(std::span<const std::byte> record) {
  bpf::record_script_code r;
  if (record.size() < sizeof r) return false;
  std::memcpy(&r, record.data(), sizeof r);
  const ScriptLanguage* language = language_of(r.language);
  if (!language || !valid(r.name) || !valid(r.file) || !valid(r.scope)) return false;
  const std::string name = language->frame({text_of(r.name), text_of(r.file), text_of(r.scope), r.first_line});
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

const std::string* ScriptCodes::name(std::uint64_t code) {
  const auto known = codes_.find(code);
  if (known == codes_.end()) return nullptr;
  order_.splice(order_.begin(), order_, known->second);
  return &known->second->second;
}

}  // namespace tailcap::capture::stacks
