#include <algorithm>
#include <map>

#include "analyze/report/json/json_type.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report {
namespace {

std::string_view word_of(JsonType::Kind kind) {
  constexpr std::string_view words[] = {"boolean", "integer", "number", "string", "object", "array", "object"};
  return words[static_cast<std::size_t>(kind)];
}

class SchemaWriter {
 public:
  SchemaWriter(std::string& out, bool open) : json_(out), open_(open) {}

  void documents(std::span<const Description* const> all, std::string_view title, std::string_view says) {
    for (const Description* document : all) count(*document);
    json_.begin_object();
    json_.field("$schema", "https://json-schema.org/draft/2020-12/schema");
    json_.field("title", title);
    json_.field("description", says);
    if (all.size() == 1) {
      members(*all.front(), false);
    } else {
      json_.key("anyOf");
      json_.begin_array();
      for (const Description* document : all) {
        json_.begin_object();
        members(*document, false);
        json_.end_object();
      }
      json_.end_array();
    }
    if (std::ranges::any_of(uses_, [](const auto& use) { return use.second > 1; })) {
      json_.key("$defs");
      json_.begin_object();
      for (const Description* object : met_) {
        if (uses_[object] < 2) continue;
        json_.key(object->name);
        json_.begin_object();
        members(*object, false);
        json_.end_object();
      }
      json_.end_object();
    }
    json_.end_object();
  }

 private:
  void count(const Description& object) {
    if (++uses_[&object] > 1) return;
    met_.push_back(&object);
    for (const auto& member : object.members)
      for (const JsonType* type = &member.type; type; type = type->each.get())
        if (type->object) count(*type->object);
  }

  void members(const Description& object, bool or_null) {
    type(JsonType::Kind::object, or_null);
    json_.key("required");
    json_.begin_array();
    for (const auto& member : object.members)
      if (member.required) json_.text(member.name);
    json_.end_array();
    if (!open_) json_.field("additionalProperties", false);
    json_.key("properties");
    json_.begin_object();
    for (const auto& member : object.members) {
      json_.key(member.name);
      json_.begin_object();
      if (!member.says.empty()) json_.field("description", member.says);
      value(member.type);
      json_.end_object();
    }
    json_.end_object();
  }

  void type(JsonType::Kind kind, bool or_null) {
    json_.key("type");
    if (or_null) json_.begin_array();
    json_.text(word_of(kind));
    if (!or_null) return;
    json_.text("null");
    json_.end_array();
  }

  void value(const JsonType& t) {
    if (t.object && uses_[t.object] > 1) {
      reference(*t.object, t.or_null);
    } else if (t.object) {
      members(*t.object, t.or_null);
    } else if (t.bounds.is) {
      json_.field("const", *t.bounds.is);
    } else if (!t.bounds.values.empty()) {
      json_.key("enum");
      json_.begin_array();
      for (const auto word : t.bounds.values) json_.text(word);
      if (t.or_null) json_.null();
      json_.end_array();
    } else {
      type(t.kind, t.or_null);
      bounds(t.bounds);
      if (!t.each) return;
      json_.key(t.kind == JsonType::Kind::map ? "additionalProperties" : "items");
      json_.begin_object();
      value(*t.each);
      json_.end_object();
    }
  }

  void reference(const Description& object, bool or_null) {
    if (or_null) {
      json_.key("anyOf");
      json_.begin_array();
      json_.begin_object();
      type_null();
      json_.end_object();
      json_.begin_object();
    }
    json_.field("$ref", "#/$defs/" + std::string(object.name));
    if (!or_null) return;
    json_.end_object();
    json_.end_array();
  }
  void type_null() { json_.field("type", "null"); }

  void bounds(const JsonBounds& b) {
    if (b.least) json_.field("minimum", *b.least);
    if (b.most) json_.field("maximum", *b.most);
    if (!b.pattern.empty()) json_.field("pattern", b.pattern);
    if (b.least_length > 0) json_.field("minLength", std::uint64_t{b.least_length});
    if (b.least_items > 0) json_.field("minItems", std::uint64_t{b.least_items});
    if (b.most_items > 0) json_.field("maxItems", std::uint64_t{b.most_items});
    if (b.unique) json_.field("uniqueItems", true);
  }

  JsonWriter json_;
  const bool open_;
  std::map<const Description*, int> uses_;
  std::vector<const Description*> met_;  // in order
};

}  // namespace

Description::Member described(std::string_view name, std::string_view says, JsonType type, JsonBounds bounds) {
  JsonBounds& of_list = type.bounds;
  if (bounds.least_items > 0) of_list.least_items = bounds.least_items;
  if (bounds.most_items > 0) of_list.most_items = bounds.most_items;
  of_list.unique = bounds.unique;
  if (bounds.known) type.or_null = false;
  JsonType* item = &type;
  while (item->each) item = item->each.get();
  JsonBounds& of_item = item->bounds;
  if (bounds.is) of_item.is = bounds.is;
  if (bounds.least) of_item.least = bounds.least;
  if (bounds.most) of_item.most = bounds.most;
  if (!bounds.pattern.empty()) of_item.pattern = bounds.pattern;
  if (bounds.least_length > 0) of_item.least_length = bounds.least_length;
  if (!bounds.values.empty()) of_item.values = std::move(bounds.values);
  return {name, says, std::move(type)};
}

std::string json_schema(const Description& document, std::string_view title, std::string_view says, bool open) {
  const Description* const one = &document;
  return json_schema_of_any({&one, 1}, title, says, open);
}

std::string json_schema_of_any(std::span<const Description* const> documents, std::string_view title,
                               std::string_view says, bool open) {
  std::string out;
  SchemaWriter(out, open).documents(documents, title, says);
  return out + "\n";
}

}  // namespace tailcap::report
