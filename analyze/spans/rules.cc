#include "analyze/spans/rules.h"

#include <algorithm>
#include <stdexcept>

#include "formats/printable.h"

namespace tailcap::spans {
namespace {

constexpr std::size_t kMaxKey = 256;

// Words, "=" among them where it stands alone; a quoted text is one word.
struct Word {
  std::string text;
  bool quoted = false;
};

// False: a quotation mark without its other.
bool words_of(std::string_view line, std::vector<Word>& out) {
  while (true) {
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == line.npos || line[begin] == '#') return true;
    line.remove_prefix(begin);
    if (line.front() == '"') {
      const auto close = line.find('"', 1);
      if (close == line.npos) return false;
      out.push_back({std::string(line.substr(1, close - 1)), true});
      line.remove_prefix(close + 1);
    } else {
      const auto end = std::min(line.find_first_of(" \t\r"), line.size());
      out.push_back({std::string(line.substr(0, end)), false});
      line.remove_prefix(end);
    }
  }
}

bool is(const std::vector<Word>& words, std::size_t i, std::string_view text) {
  return i < words.size() && !words[i].quoted && words[i].text == text;
}

}  // namespace

AttributeRules::AttributeRules(std::string_view text, const std::string& name) {
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    ++number;
    const auto refuse = [&](const std::string& why) {
      throw std::runtime_error(formats::printable(name) + ", line " + std::to_string(number) + ": " + why +
                               ". A line is like 'insert KEY = VALUE', 'set KEY = VALUE', 'copy KEY from KEY' or "
                               "'delete KEY', perhaps with 'where KEY = VALUE' behind it.");
    };
    std::vector<Word> words;
    if (!words_of(line, words)) refuse("a quotation mark is missing");
    if (words.empty()) continue;
    if (rules_.size() == kMaxRules) refuse("more than " + std::to_string(kMaxRules) + " rules");
    Rule rule;
    std::size_t i = 0;
    if (is(words, i, "span")) {
      rule.of_span = true;
      ++i;
    }
    std::size_t length = 4;  // action KEY = VALUE
    if (is(words, i, "insert"))
      rule.action = Action::insert;
    else if (is(words, i, "set"))
      rule.action = Action::set;
    else if (is(words, i, "copy"))
      rule.action = Action::copy;
    else if (is(words, i, "delete")) {
      rule.action = Action::remove;
      length = 2;
    } else
      refuse("'" + words[std::min(i, words.size() - 1)].text.substr(0, 40) + "' is no action");
    if (words.size() < i + length) refuse("something is missing");
    rule.key = words[i + 1].text;
    if (length == 4) {
      if (!is(words, i + 2, rule.action == Action::copy ? "from" : "="))
        refuse(std::string("'") + (rule.action == Action::copy ? "from" : "=") + "' is missing behind " +
               rule.key.substr(0, 40));
      rule.value = words[i + 3].text;
    }
    i += length;
    if (is(words, i, "where")) {
      if (words.size() < i + 4 || !is(words, i + 2, "=")) refuse("'where' wants KEY = VALUE");
      rule.where_key = words[i + 1].text;
      rule.where_value = words[i + 3].text;
      i += 4;
    }
    if (i < words.size())
      refuse("'" + words[i].text.substr(0, 40) + "' is one word too many; put a value with spaces into double quotes");
    if (rule.key.empty() || rule.key.size() > kMaxKey)
      refuse("a key has 1 to " + std::to_string(kMaxKey) + " characters");
    rules_.push_back(std::move(rule));
  }
}

void AttributeRules::apply(const Rule& rule, model::Attributes& attributes) {
  if (!rule.where_key.empty()) {
    const auto* value = attributes.find(rule.where_key);
    if (!value || model::text_of(*value) != rule.where_value) return;
  }
  switch (rule.action) {
    case Action::insert:
      if (!attributes.find(rule.key)) attributes.set(rule.key, rule.value);
      break;
    case Action::set:
      attributes.set(rule.key, rule.value);
      break;
    case Action::copy:
      if (const auto* from = attributes.find(rule.value); from && !attributes.find(rule.key))
        attributes.set(rule.key, model::AttributeValue(*from));
      break;
    case Action::remove:
      attributes.erase(rule.key);
      break;
  }
}

void AttributeRules::apply(model::SpanResource& resource) const {
  for (const Rule& rule : rules_) {
    if (!rule.of_span) {
      apply(rule, resource.attributes);
      continue;
    }
    for (model::Span& span : resource.spans) apply(rule, span.attributes);
  }
}

}  // namespace tailcap::spans
