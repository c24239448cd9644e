#include "capture/go/names.h"

#include <utility>

namespace tailcap::capture::go {

namespace {

constexpr std::uint64_t kMaxMemory = 128u
                                     << 20;  // Kubernetes' largest program takes 12 MiB; those beyond have no names

std::string_view at(const std::vector<std::string>& texts, std::size_t number) {
  return number < texts.size() ? std::string_view(texts[number]) : std::string_view();
}

}  // namespace

void Names::add(std::uint16_t file, const Program& program, Tables tables) {
  auto fresh = std::make_unique<File>();
  fresh->handlers = program.handlers;
  fresh->wait_reasons = program.wait_reasons;
  fresh->stop_reasons = program.stop_reasons;
  fresh->anchors = program.anchors;
  for (const auto& method : tables.methods)
    fresh->methods.emplace(std::pair{method.handler, method.type}, method.function);
  const std::lock_guard lock(mutex_);
  if (memory_ + tables.functions.memory() <= kMaxMemory) {
    memory_ += tables.functions.memory();
    fresh->functions = std::move(tables.functions);
  }
  files_[file] = std::move(fresh);
}

const Names::File* Names::of(std::uint16_t file) const {
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

Names::Handler Names::handler(std::uint16_t file, std::uint16_t number, std::uint64_t what, std::uint64_t place) const {
  const std::lock_guard lock(mutex_);
  const File* known = of(file);
  if (!known || number >= known->handlers.size()) return {what, {}};
  const HandlerPlace& here = known->handlers[number];
  const std::uint64_t moved = place - here.place;  // where the loader has put the file
  if (here.is == HandlerIs::value && what != 0) return {what, name(*known, what - moved, true)};
  if (here.is == HandlerIs::method) {
    // The type's method that the handler calls, by its name; if two are possible, none.
    const auto method = known->methods.find({number, what - moved});
    const std::string_view called =
        method == known->methods.end() ? std::string_view() : name(*known, method->second, true);
    if (!called.empty()) return {method->second + moved, called};
  }
  return {here.function + moved, here.name};
}

std::string_view Names::function(std::uint16_t file, std::uint16_t number, std::uint64_t place, std::uint64_t address,
                                 bool begins) const {
  const std::lock_guard lock(mutex_);
  const File* known = of(file);
  if (known && place == 0) return name(*known, address, begins);
  if (!known || number >= known->anchors.size()) return {};
  return name(*known, address - (place - known->anchors[number]), begins);
}

std::string_view Names::name(const File& file, std::uint64_t address, bool begins) {
  const auto* function = file.functions.around(address);
  return function && (!begins || function->address == address) ? file.functions.name(*function) : std::string_view();
}

}  // namespace tailcap::capture::go
