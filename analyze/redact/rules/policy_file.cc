// RedactionPolicy::from_file: a level, and what differs from it.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <stdexcept>

#include "analyze/redact/rules/rules.h"
#include "formats/printable.h"
#include "ground/text.h"

namespace tailcap::redact {
namespace {

Treatment treatment_of(const std::string& word) {
  for (const Treatment t :
       {Treatment::drop, Treatment::keep, Treatment::words, Treatment::pseudonym, Treatment::path, Treatment::symbols})
    if (word == name_of(t)) return t;
  throw std::runtime_error("'" + word + "' is none of keep, words, path, symbols, pseudonym, drop");
}

constexpr std::string_view kKeys[] = {"level",        "fields",       "mask_headers",
                                      "keep_headers", "keep_queries", "allow_credentials"};
}  // namespace

RedactionPolicy RedactionPolicy::from_file(const std::string& path) {
  RedactionPolicy policy;
  int line = 0;
  try {
    const YAML::Node all = YAML::LoadFile(path);
    if (!all.IsMap()) throw std::runtime_error("it is no map of level, fields and headers");
    const auto each = [&](const char* list, auto take) {
      if (!all[list]) return;
      if (!all[list].IsSequence()) throw std::runtime_error(std::string(list) + " is no list");
      for (const auto& name : all[list]) {
        line = name.Mark().line + 1;
        take(name.template as<std::string>());
      }
    };
    for (const auto& entry : all) {
      line = entry.first.Mark().line + 1;
      const auto key = entry.first.as<std::string>();
      if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys))
        throw std::runtime_error("'" + key + "' is none of " + ground::joined(kKeys));
    }
    if (all["level"]) {
      line = all["level"].Mark().line + 1;
      const auto level = all["level"].as<std::string>();
      if (level != "default" && level != "strict") throw std::runtime_error("level is default or strict");
      policy.set_level(level == "strict" ? RedactionLevel::strict : RedactionLevel::standard);
    }
    each("allow_credentials", [&](const std::string& name) { policy.allow_credentials(name); });
    for (const auto& field : all["fields"]) {
      line = field.first.Mark().line + 1;
      const auto name = field.first.as<std::string>();
      const std::size_t dot = std::min(name.find('.'), name.size());
      policy.set(name.substr(0, dot), name.substr(std::min(dot + 1, name.size())),
                 treatment_of(field.second.as<std::string>()));
    }
    each("keep_headers", [&](const std::string& name) { policy.keep_header(name); });
    each("keep_queries", [&](const std::string& key) { policy.keep_query(key); });
    each("mask_headers", [&](const std::string& name) { policy.mask_header(name); });
  } catch (const YAML::BadFile&) {
    throw std::runtime_error("cannot read the policy " + formats::printable(path));
  } catch (const std::exception& e) {
    throw std::runtime_error(formats::printable(path) + (line > 0 ? ", line " + std::to_string(line) : "") + ": " +
                             formats::printable(e.what()));
  }
  return policy;
}

}  // namespace tailcap::redact
