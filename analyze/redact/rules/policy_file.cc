// Policy::from_file: a level, and what differs from it.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <stdexcept>

#include "analyze/redact/rules/rules.h"
#include "formats/printable.h"

namespace tailcap::redact {
namespace {

Treatment treatment_of(const std::string& word) {
  for (const Treatment t :
       {Treatment::drop, Treatment::keep, Treatment::words, Treatment::pseudonym, Treatment::path, Treatment::symbols})
    if (word == name_of(t)) return t;
  throw std::runtime_error("'" + word + "' is none of keep, words, path, symbols, pseudonym, drop");
}

}  // namespace

Policy Policy::from_file(const std::string& path) {
  Policy policy;
  int line = 0;
  try {
    const YAML::Node all = YAML::LoadFile(path);
    if (!all.IsMap()) throw std::runtime_error("it is no map of level, fields and headers");
    for (const auto& entry : all) {
      line = entry.first.Mark().line + 1;
      const auto key = entry.first.as<std::string>();
      if (key == "level") {
        const auto level = entry.second.as<std::string>();
        if (level != "default" && level != "strict") throw std::runtime_error("level is default or strict");
        policy.set_level(level == "strict" ? Level::strict : Level::standard);
      } else if (key == "fields") {
        for (const auto& field : entry.second) {
          line = field.first.Mark().line + 1;
          const auto name = field.first.as<std::string>();
          const std::size_t dot = std::min(name.find('.'), name.size());
          policy.set(name.substr(0, dot), name.substr(std::min(dot + 1, name.size())),
                     treatment_of(field.second.as<std::string>()));
        }
      } else if (key == "mask_headers") {
        for (const auto& header : entry.second) {
          line = header.Mark().line + 1;
          policy.mask_header(header.as<std::string>());
        }
      } else {
        throw std::runtime_error("'" + key + "' is none of level, fields, mask_headers");
      }
    }
  } catch (const YAML::BadFile&) {
    throw std::runtime_error("cannot read the policy " + formats::printable(path));
  } catch (const std::exception& e) {
    throw std::runtime_error(formats::printable(path) + (line > 0 ? ", line " + std::to_string(line) : "") + ": " +
                             formats::printable(e.what()));
  }
  return policy;
}

}  // namespace tailcap::redact
