#include "analyze/query/yaml.h"

#include <yaml-cpp/yaml.h>

#include <set>

#include "formats/nearest.h"
#include "formats/printable.h"

namespace tailcap::query {
namespace {

using formats::printable;

// An alias stands for all that it names: a short file may be a large tree, or one without an end.
constexpr std::size_t kMostNodes = 100'000, kMostDepth = 64;

std::string placed(std::size_t line, std::size_t column, const std::string& why) {
  return line == 0 ? why : std::to_string(line) + ":" + std::to_string(column) + ": " + why;
}

class Copier {
 public:
  Yaml copy(const YAML::Node& node, std::size_t depth = 0) {
    Yaml out;
    if (const YAML::Mark mark = node.Mark(); !mark.is_null()) {
      out.line = static_cast<std::size_t>(mark.line + 1);
      out.column = static_cast<std::size_t>(mark.column + 1);
    }
    if (++nodes_ > kMostNodes) fail(out, "the file has more than 100,000 values");
    if (depth > kMostDepth) fail(out, "nested more than 64 deep");
    if (node.IsScalar()) {
      out.kind = Yaml::Kind::scalar;
      out.text = node.Scalar();
    } else if (node.IsSequence()) {
      out.kind = Yaml::Kind::list;
      for (const auto& item : node) out.items.push_back(copy(item, depth + 1));
    } else if (node.IsMap()) {
      out.kind = Yaml::Kind::map;
      for (const auto& entry : node)
        out.entries.emplace_back(copy(entry.first, depth + 1), copy(entry.second, depth + 1));
    }
    return out;
  }

 private:
  std::size_t nodes_ = 0;
};

}  // namespace

Yaml yaml_of(std::string_view text, const std::string& expected) {
  if (text.size() > kMostYamlBytes) throw YamlError("1:1: the file is larger than 1 MiB");
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() != 1) throw YamlError("1:1: one YAML document is expected, with " + expected);
    return Copier().copy(documents.front());
  } catch (const YAML::Exception& e) {
    throw YamlError(e.mark.is_null() ? printable(e.msg)
                                     : placed(static_cast<std::size_t>(e.mark.line + 1),
                                              static_cast<std::size_t>(e.mark.column + 1), printable(e.msg)));
  }
}

void fail(const Yaml& at, const std::string& why) { throw YamlError(placed(at.line, at.column, why)); }

const std::string& scalar(const Yaml& node, const std::string& what) {
  if (node.kind != Yaml::Kind::scalar || node.text.empty()) fail(node, what);
  return node.text;
}

const std::vector<Yaml>& list(const Yaml& node, const std::string& what, std::size_t most) {
  if (node.kind != Yaml::Kind::list) fail(node, what + " is a list");
  if (node.items.size() > most) fail(node.items[most], what + " has more than " + std::to_string(most) + " entries");
  return node.items;
}

void each(const Yaml& map, const std::string& what, std::span<const std::string_view> known,
          const std::function<void(const std::string&, const Yaml&, const Yaml&)>& take) {
  if (map.kind != Yaml::Kind::map) fail(map, what);
  std::set<std::string> seen;
  for (const auto& [at, value] : map.entries) {
    const std::string& key = scalar(at, "a key is expected here");
    bool any = false;
    for (const std::string_view name : known) any = any || name == key;
    if (!any) fail(at, "unknown key '" + printable(key) + "'" + formats::suggestion(key, known));
    if (!seen.insert(key).second) fail(at, "'" + key + "' is given twice");
    take(key, at, value);
  }
}

}  // namespace tailcap::query
