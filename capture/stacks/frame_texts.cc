#include "capture/stacks/frame_texts.h"

#include <algorithm>
#include <charconv>
#include <ranges>

#include "capture/stacks/scripts/frame_name.h"

namespace tailcap::capture::stacks {

namespace {

constexpr std::size_t kLongText = 65536;  // bytes of names; then functions that were put into others are left out
constexpr std::string_view kInlined = " (inlined)";

template <class T>
bool number(std::string_view text, int base, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::vector<CodeFrame> code_frames(std::string_view function, const symbols::SourceLines& lines,
                                   std::uint64_t address) {
  std::vector<CodeFrame> out;
  for (const symbols::SourceFrame& frame : lines.at(address)) {
    CodeFrame& each = out.emplace_back();
    each.name = frame.function.empty() ? std::string(function) : frame_name(frame.function) + std::string(kInlined);
    if (!frame.file.empty()) each.line = frame_name(frame.file) + ":" + std::to_string(frame.line);
  }
  if (out.empty()) out.push_back({std::string(function), {}});
  return out;
}

void FrameTexts::add(std::string_view name, std::string_view line, const CodeAddress* place) {
  for (std::string* text : {&user_, &lines_, &places_}) {
    if (count_ > 0) *text += ';';
  }
  ++count_;
  user_ += name;
  lines_ += line;
  lined_ = lined_ || !line.empty();
  if (!place) return;
  const auto same = [&](const CodeAddress& k) { return k.build_id == place->build_id && k.file == place->file; };
  const auto known = std::find_if(known_.begin(), known_.end(), same);
  const auto index = known - known_.begin();
  if (known == known_.end()) {
    if (!known_.empty()) {
      build_ids_ += ';';
      files_ += ';';
    }
    build_ids_ += place->build_id;
    files_ += frame_name(place->file);
    known_.push_back({place->build_id, place->file, 0});
  }
  char digits[17];
  const auto end = std::to_chars(digits, digits + sizeof digits, place->address, 16).ptr;
  places_ += std::to_string(index) + "+" + std::string(digits, end);
}

void FrameTexts::add(const std::vector<CodeFrame>& frames, const CodeAddress* place) {
  const bool all = user_.size() < kLongText;
  for (const CodeFrame& frame : frames | std::views::reverse) {
    if (all || &frame == &frames.back()) add(frame.name, frame.line, &frame == &frames.front() ? place : nullptr);
  }
}

void FrameTexts::put(formats::Sample& sample) const {
  sample.user = user_;
  sample.lines = lined_ ? std::string_view(lines_) : std::string_view();
  sample.places = known_.empty() ? std::string_view() : std::string_view(places_);
  sample.build_ids = build_ids_;
  sample.files = files_;
}

std::vector<std::string_view> entries_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = text.find(';');
    out.push_back(text.substr(0, end));
    if (end == text.npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::vector<CodeAddress> FrameTexts::places_of(const formats::Sample& sample, std::size_t frames) {
  if (sample.places.empty()) return {};
  const auto places = entries_of(sample.places), ids = entries_of(sample.build_ids), files = entries_of(sample.files);
  if (places.size() != frames || ids.size() != files.size()) return {};
  std::vector<CodeAddress> out(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    const auto plus = places[i].find('+');
    std::size_t file = 0;
    std::uint64_t address = 0;
    if (plus == places[i].npos || !number(places[i].substr(0, plus), 10, file) || file >= files.size() ||
        !number(places[i].substr(plus + 1), 16, address))
      continue;
    out[i] = {std::string(ids[file]), std::string(files[file]), address};
  }
  return out;
}

}  // namespace tailcap::capture::stacks
