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
  const std::uint64_t address = code - moved;
  const auto told = known->values.find(address);
  if (told != known->values.end()) return {code, told->second};
  if (!known->functions || known->values.size() >= kMaxValues) return {code, {}};
  const auto function = known->functions->around(address);
  const bool begins = function && function->address == address;
  return {code, known->values.emplace(address, begins ? function->name : std::string()).first->second};
}

}  // namespace tailcap::capture::go
