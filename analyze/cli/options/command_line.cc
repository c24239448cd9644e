#include "analyze/cli/options/command_line.h"

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <tuple>
#include <utility>

#include "analyze/cli/options/capture_here.h"
#include "analyze/cli/options/help_text.h"
#include "analyze/cli/options/moments.h"
#include "analyze/cli/options/named_request.h"
#include "analyze/cli/options/read_options.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/query/literal.h"
#include "formats/nearest.h"
#include "formats/printable.h"

namespace po = boost::program_options;

namespace tailcap::cli {
namespace {

using formats::printable;

constexpr Definition kHelp{"help", 'h', nullptr, "print this help", 0};

std::string boost_name(const Definition& d) {
  return d.letter == 0 ? std::string(d.name) : std::string(d.name) + "," + d.letter;
}

std::string listed(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i]);
  return out;
}

std::uint64_t number_of(const Definition& d, const std::string& text, std::uint64_t most) {
  const auto n = query::parse_number(text);
  if (n && static_cast<std::uint64_t>(*n) >= d.least && static_cast<std::uint64_t>(*n) <= most)
    return static_cast<std::uint64_t>(*n);
  if (n && static_cast<std::uint64_t>(*n) < d.least)
    throw UsageError("--" + std::string(d.name) + " must be at least " + std::to_string(d.least));
  throw UsageError("--" + std::string(d.name) + " is a number, not '" + printable(text) + "'");
}

double share_of(const Definition& d, const std::string& text) {
  double value = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%lf%c", &value, &rest) != 1 || !std::isfinite(value) || !(value > 0))
    throw UsageError("--" + std::string(d.name) + " is a share like 0.95, not '" + printable(text) + "'");
  return value;
}

// Where a file's name ends like this, the format is meant.
constexpr std::array kEndings = std::to_array<std::pair<std::string_view, std::string_view>>({
    {".html", "html"},
    {".htm", "html"},
    {".md", "md"},
    {".json", "json"},
    {".svg", "svg"},
    {".dot", "dot"},
    {".tcs", "tcs"},
    {".mmd", "mermaid"},
    {".txt", "text"},
    {".folded", "folded"},
    {".csv", "csv"},
    {".jsonl", "json"},
    {".speedscope.json", "speedscope"},
    {".jaeger.json", "jaeger"},
    {".pftrace", "perfetto"},
    {".perfetto-trace", "perfetto"},
    {".har", "har"},
    {".om", "openmetrics"},
    {".pcapng", "pcapng"},
    {".xml", "junit"},
    {".yaml", "prometheus-rules"},
    {".yml", "prometheus-rules"},
});
// They say nothing of the format. Captures and packs are never written over, which is said where it is tried.
constexpr std::array<std::string_view, 6> kPlainEndings = {".txt", ".log", ".out", ".tmp", ".tcap", ".zip"};

}  // namespace

int wrong_usage(const char* command, const std::string& why) {
  complain(command, why + (why.ends_with('?') ? "" : ".") + " `tailcap " + command + " --help` shows what it takes.");
  return 2;
}

void CommandLine::word(const char* name, std::string& target, const char* missing) {
  words_.push_back({name, &target, missing, false});
}

void CommandLine::words(const char* names, std::vector<std::string>& target, std::size_t least, const char* missing) {
  all_names_ = names;
  all_words_ = &target;
  least_words_ = least;
  too_few_ = missing;
}

void CommandLine::choice(const Definition& definition, std::string& target, std::vector<std::string_view> choices,
                         const std::string& text) {
  items_.push_back({nullptr, &definition, &target, text.empty() ? definition.text : text, std::move(choices)});
}

void CommandLine::completes(const Definition& definition, std::vector<std::string_view> words) {
  const auto item = std::ranges::find(items_, &definition, &Item::definition);
  if (item != items_.end()) item->completed = std::move(words);
}

void CommandLine::format(std::string& target, std::vector<std::string_view> formats, std::string* output,
                         const std::string& text, const std::string& output_text) {
  format_ = &target;
  formats_ = formats;
  output_ = output;
  const bool json = std::find(formats.begin(), formats.end(), "json") != formats.end();
  choice(option::kFormat, target, std::move(formats), text);
  if (json) option(option::kJson, &json_);
  if (output) option(option::kOutput, output, output_text);
}

void CommandLine::width(std::size_t& target, std::size_t otherwise) {
  target = terminal_width(otherwise);
  option(option::kWidth, &target,
         "columns of the text (default: the terminal's, else " + std::to_string(otherwise) + ")");
}

void CommandLine::schema(std::string (*text)()) {
  schema_ = text;
  option(option::kSchema, &schema_asked_);
}

std::string CommandLine::help() const {
  std::string words = all_words_ && least_words_ == 0 ? "[" + std::string(all_names_) + "]" : all_names_;
  for (const Word& word : words_)
    words += (words.empty() ? "" : " ") + (word.missing ? std::string(word.name) : "[" + std::string(word.name) + "]");
  if (!words.empty()) words += " ";
  std::string out = wrapped(about_, 0, 0) + "\nusage: tailcap " + command_ + " " + words + "[OPTION...]\n";
  std::size_t column = option_text(kHelp, {}).size();
  for (const Item& item : items_)
    if (item.definition) column = std::max(column, option_text(*item.definition, item.choices).size());
  column = std::min<std::size_t>(column + 2, 26);
  if (!items_.empty() && items_.front().definition) out += "\n";
  for (const Item& item : items_)
    out += item.definition ? option_lines(*item.definition, item.choices, item.text, column)
                           : "\n" + std::string(item.question) + "\n";
  out += "\n";
  out += option_lines(kHelp, {}, "print this help; `tailcap --help` has the options of all commands and the exit codes",
                      column);
  if (*notes_ != 0) out += "\n" + std::string(notes_);
  return out;
}

std::string CommandLine::unknown(const std::string& option) const {
  std::vector<std::string_view> names = {"help", option::kMaxMemory.name, option::kMaxCpu.name,
                                         option::kMaxRequests.name, option::kTraceKeys.name};
  for (const Item& item : items_)
    if (item.definition) names.push_back(item.definition->name);
  const std::string word = option.substr(std::min(option.find_first_not_of('-'), option.size()));
  std::string meant;
  if (option.size() > 2) meant = formats::suggestion(word, names, "--");
  if (option.size() > 2 && meant.empty()) meant = formats::suggestion(word, formats_, "--format ");
  return "unrecognised option '" + printable(option) + "'" + meant;
}

void CommandLine::take(const Item& item, const std::vector<std::string>& values) const {
  const Definition& d = *item.definition;
  const std::string& value = values.front();
  const auto whole = [&](std::uint64_t most) { return number_of(d, value, most); };
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (!item.choices.empty() && std::find(item.choices.begin(), item.choices.end(), value) == item.choices.end())
    throw UsageError("--" + std::string(d.name) + " is " + listed(item.choices) + ", not '" + printable(value) + "'" +
                     formats::suggestion(value, item.choices));
  if (auto* const* text = std::get_if<std::string*>(&item.target)) **text = value;
  if (auto* const* texts = std::get_if<std::vector<std::string>*>(&item.target)) **texts = values;
  if (auto* const* n = std::get_if<std::size_t*>(&item.target)) **n = whole(kMost);
  if (auto* const* n = std::get_if<std::optional<std::uint64_t>*>(&item.target)) **n = whole(kMost);
  if (auto* const* share = std::get_if<double*>(&item.target)) **share = share_of(d, value);
  if (auto* const* all = std::get_if<std::vector<std::uint32_t>*>(&item.target))
    for (const auto& text : values)
      (*all)->push_back(static_cast<std::uint32_t>(number_of(d, text, std::numeric_limits<std::uint32_t>::max())));
  if (auto* const* length = std::get_if<formats::Duration*>(&item.target)) {
    const auto ns = query::parse_duration(value);
    if (!ns)
      throw UsageError("--" + std::string(d.name) + " is a time like 500ms, 2s or 1m30s, not '" + printable(value) +
                       "'");
    **length = formats::Duration{*ns};
  }
}

void CommandLine::choose_format() {
  if (!format_) return;
  if (json_ && given(option::kFormat) && *format_ != "json")
    throw UsageError("--json and --format " + *format_ + " contradict each other");
  if (json_) *format_ = "json";
  if (json_ || given(option::kFormat)) return;
  *format_ = formats_.front();
  if (!output_) return;
  const std::string name = output_->ends_with(".gz") ? output_->substr(0, output_->size() - 3) : *output_;
  for (const auto& [ending, format] : kEndings)
    if (name.ends_with(ending) && std::find(formats_.begin(), formats_.end(), format) != formats_.end()) {
      *format_ = format;
      by_name_ = true;
    }
  if (by_name_ || name.starts_with("/dev/")) return;
  // "page.pdf", not "page.2026-11-25" or "page.txt".
  const std::string ending = std::filesystem::path(name).extension().string();
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  constexpr std::size_t kLongest = sizeof ".html" - 1;
  if (ending.size() < 2 || ending.size() > kLongest || !std::all_of(ending.begin() + 1, ending.end(), letter)) return;
  if (std::ranges::find(kPlainEndings, ending) != std::end(kPlainEndings)) return;
  std::string takes;
  for (const auto& [known, format] : kEndings)
    if (std::find(formats_.begin(), formats_.end(), format) != formats_.end())
      takes += (takes.empty() ? "" : ", ") + std::string(known);
  throw UsageError("'" + printable(*output_) + "' ends in no format of this command" +
                   (takes.empty() ? "" : " (" + takes + ")") + "; --format chooses one whatever the name");
}

void CommandLine::read(int argc, char** argv) {
  std::string max_memory, trace_keys;
  formats::Duration max_cpu{};
  std::optional<std::uint64_t> max_requests;
  std::vector<Item> items = items_;
  for (const auto& [definition, target] : {std::pair<const Definition*, Target>{&option::kMaxMemory, &max_memory},
                                           {&option::kMaxCpu, &max_cpu},
                                           {&option::kMaxRequests, &max_requests},
                                           {&option::kTraceKeys, &trace_keys}})
    items.push_back({nullptr, definition, target, {}, {}});
  po::options_description described;
  described.add_options()("help,h", "")("words", po::value<std::vector<std::string>>());
  for (const Item& item : items) {
    if (!item.definition) continue;
    const std::string name = boost_name(*item.definition);
    const bool several = std::holds_alternative<std::vector<std::string>*>(item.target) ||
                         std::holds_alternative<std::vector<std::uint32_t>*>(item.target);
    if (std::holds_alternative<bool*>(item.target))
      described.add_options()(name.c_str(), "");
    else if (several)
      described.add_options()(name.c_str(), po::value<std::vector<std::string>>());
    else
      described.add_options()(name.c_str(), po::value<std::string>());
  }
  po::positional_options_description positional;
  positional.add("words", -1);
  using namespace po::command_line_style;
  // Whole names only: an abbreviation that works today is ambiguous tomorrow.
  const int style = unix_style & ~allow_guessing;
  po::variables_map values;
  po::store(po::command_line_parser(argc, argv).options(described).positional(positional).style(style).run(), values);
  if (values.count("help") > 0) {
    given_.insert("help");
    return;
  }
  if (schema_ && values.count(option::kSchema.name) > 0) {
    if (values.size() > 1) throw UsageError("--schema takes no FILE and no other option: it is always the same");
    given_.insert(option::kSchema.name);
    return;
  }
  for (const Item& item : items) {
    if (!item.definition || values.count(item.definition->name) == 0) continue;
    given_.insert(item.definition->name);
    const auto& value = values[item.definition->name];
    if (bool* const* on = std::get_if<bool*>(&item.target))
      **on = true;
    else if (const auto* list = boost::any_cast<std::vector<std::string>>(&value.value()))
      take(item, *list);
    else
      take(item, {value.as<std::string>()});
  }
  set_read_options(command_, max_memory, max_cpu, max_requests, trace_keys);
  choose_format();
  read_words(values.count("words") > 0 ? values["words"].as<std::vector<std::string>>() : std::vector<std::string>());
  place_moments();
}

void CommandLine::read_words(std::vector<std::string> words) const {
  if (all_words_) {
    if (words.size() < least_words_) throw UsageError(too_few_);
    *all_words_ = words;
    return;
  }
  std::error_code error;
  const auto is_no_file = [&](const std::string& word) {
    return (names_request(word) || word.find(' ') != word.npos) && !std::filesystem::exists(word, error);
  };
  if (words_.size() >= 2 && words.size() == 2 && names_request(words[0]) && !names_request(words[1]) &&
      !std::filesystem::exists(words[0], error))
    throw UsageError("the file comes first: tailcap " + std::string(command_) + " " + printable(words[1]) + " " +
                     words[0]);
  const bool needed = std::ranges::none_of(no_capture_with_, [&](const Definition* d) { return given(*d); });
  if (needed && !words_.empty() && words_.front().newest &&
      (words.empty() || (words.size() < words_.size() && is_no_file(words.front()))))
    words.insert(words.begin(), capture_here(command_));
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (i < words.size())
      *words_[i].target = words[i];
    else if (words_[i].missing)
      throw UsageError(words_[i].missing);
  }
  if (words.size() > words_.size()) throw UsageError("unexpected argument '" + printable(words[words_.size()]) + "'");
}

std::string* CommandLine::text_of(const Definition& definition) const {
  for (const Item& item : items_)
    if (item.definition == &definition) return *std::get_if<std::string*>(&item.target);
  return nullptr;
}

// What --from, --to and --around mean in the capture that was named.
void CommandLine::place_moments() const {
  std::string* const from = text_of(option::kFrom);
  std::string* const to = text_of(option::kTo);
  if (!from || !to || words_.empty() || words_.front().target->empty()) return;
  const std::string& file = *words_.front().target;
  if (given(option::kAround)) {
    if (given(option::kFrom) || given(option::kTo))
      throw UsageError("--around and --from or --to both say which time is meant; choose one");
    std::tie(*from, *to) = around(*text_of(option::kAround), file);
    return;
  }
  *from = placed(*from, file);
  *to = placed(*to, file);
}

std::optional<int> CommandLine::parse(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string_view("--describe-options")) {
    std::fputs(described().c_str(), stdout);
    return 0;
  }
  try {
    read(argc, argv);
  } catch (const UsageError& e) {
    return wrong_usage(command_, e.what());
  } catch (const po::unknown_option& e) {
    return wrong_usage(command_, unknown(e.get_option_name()));
  } catch (const po::error& e) {
    return wrong_usage(command_, printable(e.what()));
  }
  if (given_.contains("help")) {
    std::fputs(help().c_str(), stdout);
    return 0;
  }
  if (given(option::kSchema)) {
    std::fputs(schema_().c_str(), stdout);
    return 0;
  }
  return std::nullopt;
}

}  // namespace tailcap::cli
