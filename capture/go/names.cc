#include "capture/go/names.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "capture/symbols/go_methods.h"

namespace tailcap::capture::go {

namespace {

constexpr std::size_t kMaxValues = 65536;  // more function values than that are none

std::string_view at(const std::vector<std::string>& texts, std::size_t number) {
  return number < texts.size() ? std::string_view(texts[number]) : std::string_view();
}

}  // namespace

void Names::add(std::uint16_t file, const Program& program, std::optional<symbols::GoFunctions> functions,
                const std::string& path) {
  auto fresh = std::make_unique<File>();
  fresh->handlers = program.handlers;
  fresh->wait_reasons = program.wait_reasons;
  fresh->stop_reasons = program.stop_reasons;
  fresh->anchors = program.anchors;
  if (functions) fresh->functions.emplace(std::move(*functions));
  const bool methods = std::any_of(program.handlers.begin(), program.handlers.end(), [](const auto& h) { return h.is == HandlerIs::method; });
  try {
    if (methods && fresh->functions) fresh->types.emplace(symbols::ElfFile::open(path));
  } catch (const std::exception&) {
    // It is gone: handlers have the names of the functions that call them.
  }
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

Names::Handler Names::handler(std::uint16_t file, std::uint16_t number, std::uint64_t what, std::uint64_t place) const {
  const std::lock_guard lock(mutex_);
  File* known = of(file);
  if (!known || number >= known->handlers.size()) return {what, {}};
  const HandlerPlace& here = known->handlers[number];
  const std::uint64_t moved = place - here.place;  // where the loader has put the file
  if (here.is == HandlerIs::value && what != 0) return {what, name(*known, what - moved, true)};
  if (here.is == HandlerIs::method) {
    if (const auto& found = method(*known, number, what - moved); !found.name.empty()) return {found.address + moved, found.name};
  }
  return {here.function + moved, here.name};
}

// Of the type's methods the one that the handler calls, by its name; two that it might be are none.
const symbols::GoFunction& Names::method(File& file, std::uint16_t number, std::uint64_t type) {
  static const symbols::GoFunction none;
  const auto told = file.methods.find({number, type});
  if (told != file.methods.end()) return told->second;
  if (!file.types || file.methods.size() >= kMaxValues) return none;
  symbols::GoFunction found;
  std::size_t count = 0;
  for (const std::uint64_t offset : symbols::go_methods(*file.types, type)) {
    auto function = file.functions->around(file.functions->text() + offset);
    if (!function || function->address != file.functions->text() + offset || !may_call(file.handlers[number].name, function->name)) continue;
    found = *std::move(function);
    ++count;
  }
  if (count != 1) found = {};
  return file.methods.emplace(std::pair{number, type}, std::move(found)).first->second;
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
