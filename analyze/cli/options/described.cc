#include "analyze/cli/options/command_line.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::cli {

std::string CommandLine::described() const {
  std::string out;
  report::JsonWriter json(out);
  json.begin_object();
  json.field("command", command_);
  json.field("about", about_);
  json.field("notes", notes_);
  json.key("words");
  json.begin_array();
  const auto word = [&](std::string_view name, bool needed) {
    json.begin_object();
    json.field("name", name);
    json.field("needed", needed);
    json.end_object();
  };
  if (all_words_) word(all_names_, least_words_ > 0);
  for (const Word& w : words_) word(w.name, w.missing != nullptr);
  json.end_array();
  json.key("items");
  json.begin_array();
  for (const Item& item : items_) {
    json.begin_object();
    if (!item.definition) {
      json.field("question", item.question);
      json.end_object();
      continue;
    }
    json.field("name", item.definition->name);
    json.field("letter", item.definition->letter == 0 ? std::string() : std::string(1, item.definition->letter));
    json.key("value");
    item.definition->value ? json.text(item.definition->value) : json.null();
    json.field("text", item.text);
    json.key("choices");
    json.begin_array();
    for (const std::string_view choice : item.choices) json.text(choice);
    json.end_array();
    json.key("completed");
    json.begin_array();
    for (const std::string_view completed : item.completed) json.text(completed);
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

}  // namespace tailcap::cli
