#include "capture/go/names.h"

#include <utility>

namespace tailcap::capture::go {

namespace {

constexpr std::size_t kMaxValues = 65536;  // more function values than that are none

std::string_view at(const std::vector<std::string>& texts, std::size_t number) {
  return number < texts.size() ? std::string_view(texts[number]) : std::string_view();
}

}  // namespace

void Names::add(std::uint16_t file, const Program& program, std::optional<symbols::GoFunctions> functions) {
  auto fresh = std::make_unique<File>();
  fresh->handlers = program.handlers;
  fresh->wait_reasons = program.wait_reasons;
  fresh->stop_reasons = program.stop_reasons;
  fresh->anchors = program.anchors;
  if (functions) fresh->functions.emplace(std::move(*functions));
  const std::lock_guard lock(mutex_);
  files_[file] = std::move(fresh);
}

Names::File* Names::of(std::uint16_t file) const {
  const auto found = files_.find(file);
  return found == files_.end() ? nullptr : found->second.get();
}

std::string_view Names::wait_reason(std::uint16_t file, std::uint8_t number) const {
  const std::lock_guard lock(mutex_);
  const File* known = of(file);
  return known ? at(known->wait_reasons, number) : std::string_view();
}

std::string_view Names::stop_reason(std::uint16_t file, std::uint8_t number) const {
  const std::lock_guard lock(mutex_);
  const File* known = of(file);
  return known ? at(known->stop_reasons, number) : std::string_view();
}

Names::Handler Names::handler(std::uint16_t file, std::uint16_t number, std::uint64_t code, std::uint64_t place) const {
  const std::lock_guard lock(mutex_);
  File* known = of(file);
  if (!known || number >= known->handlers.size()) return {code, {}};
  const HandlerPlace& here = known->handlers[number];
  const std::uint64_t moved = place - here.place;  // where the loader has put the file
  if (code == 0 || !here.name.empty()) return {here.function + moved, here.name};
  return {code, name(*known, code - moved, true)};
}

std::string_view Names::function(std::uint16_t file, std::uint16_t number, std::uint64_t place, std::uint64_t address,
                                 bool begins) const {
  const std::lock_guard lock(mutex_);
  File* known = of(file);
  if (!known || number >= known->anchors.size()) return {};
  return name(*known, address - (place - known->anchors[number]), begins);
}

std::string_view Names::name(File& file, std::uint64_t address, bool begins) {
  auto& names = begins ? file.values : file.around;
  const auto told = names.find(address);
  if (told != names.end()) return told->second;
  if (!file.functions || names.size() >= kMaxValues) return {};
  const auto function = file.functions->around(address);
  const bool known = function && (!begins || function->address == address);
  return names.emplace(address, known ? function->name : std::string()).first->second;
}

}  // namespace tailcap::capture::go
