#include "analyze/query/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <optional>
#include <set>
#include <sstream>

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

// The library's own trees have no bound: of some texts its parser makes documents without an end.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& expected, std::size_t most) : expected_(expected), most_(most) {}

  std::vector<Yaml> take() {
    if (documents_.empty()) wrong_number();
    return std::move(documents_);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_.size() < most_) return;
    if (most_ == 1) wrong_number();
    fail(node(mark, Yaml::Kind::nothing), "the file has more than " + std::to_string(most_) + " documents");
  }
  void OnDocumentEnd() override {
    documents_.push_back(std::move(root_));
    root_ = {};
    named_.clear();
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(node(mark, Yaml::Kind::nothing), anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& value) override {
    Yaml made = node(mark, Yaml::Kind::scalar);
    made.text = value;
    add(std::move(made), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto named = named_.find(anchor);
    if (named == named_.end()) fail(node(mark, Yaml::Kind::nothing), "an alias within what it names");
    count(named->second);
    add(named->second, 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(node(mark, Yaml::Kind::list), anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(node(mark, Yaml::Kind::map), anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    Yaml node;
    YAML::anchor_t anchor = 0;
    std::optional<Yaml> key = std::nullopt;  // of a map: its value comes next
  };

  [[noreturn]] void wrong_number() const { throw YamlError("1:1: one YAML document is expected, with " + expected_); }

  Yaml node(const YAML::Mark& mark, Yaml::Kind kind) {
    Yaml made;
    made.kind = kind;
    if (!mark.is_null()) {
      made.line = static_cast<std::size_t>(mark.line + 1);
      made.column = static_cast<std::size_t>(mark.column + 1);
    }
    count_one(made);
    return made;
  }
  void count_one(const Yaml& at) {
    if (++nodes_ > kMostNodes) fail(at, "the file has more than 100,000 values");
  }
  void count(const Yaml& tree) {
    count_one(tree);
    for (const Yaml& item : tree.items) count(item);
    for (const auto& [key, value] : tree.entries) {
      count(key);
      count(value);
    }
  }

  void begin(Yaml made, YAML::anchor_t anchor) {
    if (open_.size() >= kMostDepth) fail(made, "nested more than 64 deep");
    open_.push_back({std::move(made), anchor});
  }
  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }
  void add(Yaml made, YAML::anchor_t anchor) {
    if (anchor != 0) {
      count(made);
      named_[anchor] = made;
    }
    if (open_.empty()) {
      root_ = std::move(made);
      return;
    }
    Open& into = open_.back();
    if (into.node.kind == Yaml::Kind::list) {
      into.node.items.push_back(std::move(made));
    } else if (!into.key) {
      into.key = std::move(made);
    } else {
      into.node.entries.emplace_back(std::move(*into.key), std::move(made));
      into.key.reset();
    }
  }

  const std::string& expected_;
  const std::size_t most_;
  std::size_t nodes_ = 0;
  std::vector<Yaml> documents_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Yaml> named_;
  Yaml root_;
};

}  // namespace

std::vector<Yaml> yaml_documents_of(std::string_view text, const std::string& expected, std::size_t most) {
  if (text.size() > kMostYamlBytes) throw YamlError("1:1: the file is larger than 1 MiB");
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(expected, most);
    while (parser.HandleNextDocument(builder)) {
    }
    std::vector<Yaml> out = builder.take();
    if (most > 1) std::erase_if(out, [](const Yaml& document) { return document.kind == Yaml::Kind::nothing; });
    return out;
  } catch (const YAML::Exception& e) {
    throw YamlError(e.mark.is_null() ? printable(e.msg)
                                     : placed(static_cast<std::size_t>(e.mark.line + 1),
                                              static_cast<std::size_t>(e.mark.column + 1), printable(e.msg)));
  }
}

Yaml yaml_of(std::string_view text, const std::string& expected) {
  return std::move(yaml_documents_of(text, expected, 1).front());
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

const Yaml* entry_of(const Yaml& map, std::string_view key) {
  for (const auto& [name, value] : map.entries)
    if (name.text == key) return &value;
  return nullptr;
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
