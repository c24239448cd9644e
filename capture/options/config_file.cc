#include "capture/options/config_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <vector>

#include "capture/options/options.h"
#include "formats/nearest.h"
#include "formats/printable.h"

namespace tailcap::capture {

namespace po = boost::program_options;

namespace {

// They ask for something else than a recording, or are of the process that starts the recorder.
constexpr std::array<std::string_view, 8> kOnlyOnTheCommandLine{"config",      "help",         "version",  "list",
                                                                "list-probes", "list-headers", "ready-fd", "dry-run"};

class ConfigText {
 public:
  ConfigText(const std::string& shown, const po::options_description& known) : shown_(shown), known_(known) {}

  void take(const toml::key& key, const toml::node& value, po::parsed_options& out) const {
    const std::string name(key.str());
    const auto place = key.source();
    const po::option_description* option = known_.find_nothrow(name, false);
    if (!option || option->long_name() != name) fail(place, unknown(name));
    if (std::ranges::count(kOnlyOnTheCommandLine, name) > 0) fail(place, "--" + name + " is only for the command line");
    po::option found;
    found.string_key = name;
    if (option->semantic()->max_tokens() == 0) {
      const auto* on = value.as_boolean();
      if (!on) fail(place, "'" + name + "' is true or false");
      if (on->get()) out.options.push_back(found);
      return;
    }
    if (const auto* several = value.as_array()) {
      for (const toml::node& one : *several) found.value.push_back(text_of(name, one));
      if (found.value.empty()) fail(place, "'" + name + "' has no value");
      if (found.value.size() > 1 &&
          !dynamic_cast<const po::typed_value<std::vector<std::string>>*>(option->semantic().get()))
        fail(place, "'" + name + "' has one value");
    } else {
      found.value.push_back(text_of(name, value));
    }
    out.options.push_back(found);
  }

  [[noreturn]] void fail(const toml::source_region& where, const std::string& what) const {
    throw UsageError(shown_ + ", line " + std::to_string(where.begin.line) + ": " + what);
  }

 private:
  std::string text_of(const std::string& name, const toml::node& value) const {
    if (const auto* text = value.as_string()) return text->get();
    if (const auto* number = value.as_integer()) return std::to_string(number->get());
    fail(value.source(), "'" + name + "' is a string or a whole number, or an array of these");
  }

  std::string unknown(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& each : known_.options()) names.push_back(each->long_name());
    const std::vector<std::string_view> views(names.begin(), names.end());
    return "'" + formats::printable(name) + "' is no option of tailcap record" + formats::suggestion(name, views, "");
  }

  const std::string& shown_;
  const po::options_description& known_;
};

}  // namespace

po::parsed_options parse_config(std::string_view text, const std::string& shown, const po::options_description& known) {
  const std::string name = formats::printable(shown);
  const ConfigText config(name, known);
  po::parsed_options out(&known);
  try {
    for (const toml::table table = toml::parse(text); const auto& [key, value] : table) config.take(key, value, out);
  } catch (const toml::parse_error& e) {
    config.fail(e.source(), formats::printable(std::string(e.description())));
  }
  return out;
}

}  // namespace tailcap::capture
