// The command line of one command: which words and options it takes, whether they were given rightly, and its help,
// which is made of the same definitions.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "analyze/cli/options/definitions.h"
#include "formats/time.h"

namespace tailcap::cli {

// Bad usage: what is wrong. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class CommandLine {
 public:
  // Where the value of an option goes. A number is decimal, from Definition::least on; a duration is like 100ms or 2s.
  using Target = std::variant<bool*, std::string*, std::vector<std::string>*, std::size_t*,
                              std::optional<std::uint64_t>*, std::vector<std::uint32_t>*, formats::Duration*, double*>;

  // `about` says what the command does, in a sentence or a few.
  CommandLine(const char* command, const char* about) : command_(command), about_(about) {}

  // FILE, the first word: a capture that is only read. Where it is left out, the newest one in the working directory
  // is meant, except with these options, which need none.
  void capture(std::string& target, std::vector<const Definition*> not_with = {}) {
    words_.push_back({"FILE", &target, nullptr, true});
    no_capture_with_ = std::move(not_with);
  }
  // The next word of the line. `missing` says what is wrong where it is not there; null: it may be left out.
  void word(const char* name, std::string& target, const char* missing);
  // All words, at least `least`.
  void words(const char* names, std::vector<std::string>& target, std::size_t least, const char* missing);

  // A question in the help; the options that follow answer it.
  void group(const char* question) { items_.push_back({question, {}, {}, {}, {}}); }
  // `text` replaces that of the definition.
  void option(const Definition& definition, Target target, const std::string& text = {}) {
    items_.push_back({nullptr, &definition, target, text.empty() ? definition.text : text, {}});
  }
  // An option that takes one of these words.
  void choice(const Definition& definition, std::string& target, std::vector<std::string_view> choices,
              const std::string& text = {});
  // Words that a shell completes the value of an option to, where the option takes others, too, or several.
  void completes(const Definition& definition, std::vector<std::string_view> words);
  // --format with these words, --json where json is one of them, and --output. The first is taken where neither of them
  // nor the ending of OUT says otherwise. `output` null: there is no --output.
  void format(std::string& target, std::vector<std::string_view> formats, std::string* output,
              const std::string& text = {}, const std::string& output_text = {});
  // --width, of a text that takes the terminal's where it is not given, and this many columns where there is none.
  void width(std::size_t& target, std::size_t otherwise);
  // --schema prints this.
  void schema(std::string (*text)());
  // Behind the options: what else is to be known, and examples.
  void notes(const char* text) { notes_ = text; }

  // Set: help or a schema was printed (0) or the usage was wrong (2), and that was said; return it.
  std::optional<int> parse(int argc, char** argv);
  bool given(const Definition& definition) const { return given_.contains(definition.name); }
  bool chosen_by_name() const { return by_name_; }  // the ending of OUT said which format

  std::string help() const;
  // The same as JSON, for manual pages and completions (scripts/help-files): what `COMMAND --describe-options` prints.
  std::string described() const;

 private:
  struct Item {
    const char* question;  // of a group; the others are options
    const Definition* definition;
    Target target;
    std::string text;
    std::vector<std::string_view> choices;
    std::vector<std::string_view> completed{};
  };
  struct Word {
    const char* name;
    std::string* target;
    const char* missing;
    bool newest;  // where it is left out, the newest capture in the working directory is meant
  };

  void read(int argc, char** argv);
  void take(const Item& item, const std::vector<std::string>& values) const;
  void choose_format();
  void read_words(std::vector<std::string> words) const;
  void place_moments() const;
  std::string* text_of(const Definition& definition) const;
  std::string unknown(const std::string& option) const;

  const char* command_;
  const char* about_;
  const char* notes_ = "";
  std::vector<Item> items_;
  std::vector<Word> words_;
  std::vector<const Definition*> no_capture_with_;
  const char* all_names_ = "";
  std::vector<std::string>* all_words_ = nullptr;
  std::size_t least_words_ = 0;
  const char* too_few_ = nullptr;
  std::set<std::string_view> given_;
  bool json_ = false, by_name_ = false;
  std::string (*schema_)() = nullptr;
  bool schema_asked_ = false;
  std::string* format_ = nullptr;
  std::string* output_ = nullptr;
  std::vector<std::string_view> formats_;
};

// Says what is wrong with the arguments of `command`. Returns the exit code.
int wrong_usage(const char* command, const std::string& why);

}  // namespace tailcap::cli
