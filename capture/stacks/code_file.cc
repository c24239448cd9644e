#include "capture/stacks/code_file.h"

#include <algorithm>
#include <string_view>

#include "capture/stacks/scripts/frame_name.h"

namespace tailcap::capture::stacks {

namespace {

constexpr std::size_t kMaxTold = 65536;  // places of one file; then it begins anew

}  // namespace

std::uint64_t ReadCode::memory() const {
  std::uint64_t lines = 0;
  for (const auto& read : line_tables()) lines += read->memory();
  return (names ? names->memory() : 0) + (separate ? separate->memory() : 0) + lines;
}

std::shared_ptr<const symbols::SourceLines> ReadCode::lines(std::uint64_t address) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(lines_, [&](const auto& read) { return read->covers(address); });
  return found == lines_.end() ? nullptr : *found;
}

ReadCode::LineTables ReadCode::line_tables() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

void ReadCode::set_lines(LineTables tables) {
  const std::lock_guard lock(mutex_);
  lines_ = std::move(tables);
}

bool CodeFile::dump() const {
  if (!mapped_) return false;
  const std::string_view path = mapped_->path;
  return path.substr(path.rfind('/') + 1).starts_with("jit-") && path.ends_with(".dump");
}

bool CodeFile::called_interpreter() const {
  return std::ranges::any_of(languages(),
                             [&](const ScriptLanguage* l) { return label_.find(l->called) != label_.npos; });
}

bool CodeFile::names_interpreter() const {
  return read().names && std::ranges::any_of(languages(), [&](const ScriptLanguage* l) {
           return !l->interpreter.empty() && read().names->has(l->interpreter);
         });
}

bool CodeFile::has(const ScriptLanguage& language) const {
  return (language.sure && read().names && read().names->has(language.interpreter)) ||
         (read().scripts && language.found(*read().scripts));
}

bool CodeFile::has_interpreter() const {
  return read().scripts &&
         std::ranges::any_of(languages(), [&](const ScriptLanguage* l) { return l->found(*read().scripts); });
}

std::string CodeFile::name_of(std::uint64_t file_offset) const {
  if (!read().names) return std::string(read().made->at(file_offset));
  const auto address = read().names->address(file_offset);
  if (!address) return {};
  std::string name = settled() && read().separate ? read().separate->around(*address) : std::string();
  if (name.empty()) name = read().names->around(*address);
  for (const ScriptLanguage* language : languages()) {
    if (language->interpreter.empty()) continue;
    if (name == std::string(language->interpreter) + ".cold") name = language->interpreter;  // compilers split it
    if (name == language->interpreter && has(*language) && !reads(*language))
      name += " (" + language->version(read().scripts.value_or(symbols::ScriptPrograms()), label_) + ": frames of " +
              std::string(language->name) + " code are not read)";
  }
  return name;
}

CodeFile::Told& CodeFile::told(std::uint64_t file_offset) {
  if (settled() && !std::exchange(told_when_settled_, true)) told_.clear();  // names of before
  if (const auto known = told_.find(file_offset); known != told_.end()) return known->second;
  if (told_.size() >= kMaxTold) told_.clear();
  const std::string name = name_of(file_offset);
  return told_.emplace(file_offset, Told{name.empty() ? label_ : frame_name(name), {}}).first->second;
}

bool CodeFile::has_all_lines(std::uint64_t file_offset) const {
  if (read().has_all_lines.load(std::memory_order_acquire)) return true;
  const auto address = read().names->address(file_offset);
  return !address || read().lines(*address);
}

bool CodeFile::lacks_lines(std::uint64_t file_offset) {
  if (!settled() || !read().names) return false;
  Told& told = this->told(file_offset);
  if (!told.lined && has_all_lines(file_offset)) {
    told.lined = true;
    told.frames.clear();
  }
  return !told.lined;
}

const std::string& CodeFile::name(std::uint64_t file_offset) {
  return ready() && (read().names || read().made) ? told(file_offset).name : label_;
}

const std::vector<CodeFrame>& CodeFile::frames(std::uint64_t file_offset) {
  if (!ready() || (!read().names && !read().made)) {
    if (unread_.empty()) unread_.push_back({label_, {}});
    return unread_;
  }
  Told& told = this->told(file_offset);
  (void)lacks_lines(file_offset);  // they may have been read since
  if (told.frames.empty()) {
    const auto address = read().names ? read().names->address(file_offset) : std::nullopt;
    const auto lines = address ? read().lines(*address) : nullptr;
    told.frames = code_frames(told.name, lines ? *lines : symbols::SourceLines(), address.value_or(0));
  }
  return told.frames;
}

const CodeAddress* CodeFile::place(std::uint64_t file_offset) {
  if (!settled() || !read().names || read().build_id.empty()) return nullptr;
  const auto address = read().names->address(file_offset);
  const auto lines = address ? read().lines(*address) : nullptr;
  if (!address || (lines && !lines->at(*address).empty())) return nullptr;
  place_ = {read().build_id, std::string(label_, 1, label_.size() - 2), *address};
  return &place_;
}

}  // namespace tailcap::capture::stacks
