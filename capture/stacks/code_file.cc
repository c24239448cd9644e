#include "capture/stacks/code_file.h"

#include <algorithm>
#include <string_view>

#include "capture/stacks/scripts/frame_name.h"

namespace tailcap::capture::stacks {

namespace {

constexpr std::size_t kMaxTold = 65536;  // places of one file; then it begins anew

}  // namespace

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
  return names_ && std::ranges::any_of(languages(), [&](const ScriptLanguage* l) {
           return !l->interpreter.empty() && names_->has(l->interpreter);
         });
}

bool CodeFile::has(const ScriptLanguage& language) const {
  return (language.sure && names_ && names_->has(language.interpreter)) || (scripts_ && language.found(*scripts_));
}

bool CodeFile::has_interpreter() const {
  return scripts_ && std::ranges::any_of(languages(), [&](const ScriptLanguage* l) { return l->found(*scripts_); });
}

std::string CodeFile::name_of(std::uint64_t file_offset) const {
  if (!names_) return std::string(made_->at(file_offset));
  const auto address = names_->address(file_offset);
  if (!address) return {};
  std::string name = settled() && separate_ ? separate_->around(*address) : std::string();
  if (name.empty()) name = names_->around(*address);
  for (const ScriptLanguage* language : languages()) {
    if (language->interpreter.empty()) continue;
    if (name == std::string(language->interpreter) + ".cold") name = language->interpreter;  // compilers split it
    if (name == language->interpreter && has(*language) && !reads(*language))
      name += " (" + language->version(scripts_.value_or(symbols::ScriptPrograms()), label_) + ": frames of " +
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

const std::string& CodeFile::name(std::uint64_t file_offset) {
  return ready() && (names_ || made_) ? told(file_offset).name : label_;
}

const std::vector<CodeFrame>& CodeFile::frames(std::uint64_t file_offset) {
  static const symbols::SourceLines kNone;
  if (!ready() || (!names_ && !made_)) {
    if (unread_.empty()) unread_.push_back({label_, {}});
    return unread_;
  }
  Told& told = this->told(file_offset);
  if (told.frames.empty()) {
    const auto address = names_ ? names_->address(file_offset) : std::nullopt;
    told.frames = code_frames(told.name, settled() && address ? lines_ : kNone, address.value_or(0));
  }
  return told.frames;
}

const CodeAddress* CodeFile::place(std::uint64_t file_offset) {
  if (!settled() || !names_ || build_id_.empty()) return nullptr;
  const auto address = names_->address(file_offset);
  if (!address || !lines_.at(*address).empty()) return nullptr;
  place_ = {build_id_, std::string(label_, 1, label_.size() - 2), *address};
  return &place_;
}

}  // namespace tailcap::capture::stacks
