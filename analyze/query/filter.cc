#include "analyze/query/filter.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "analyze/query/field.h"
#include "analyze/query/literal.h"
#include "analyze/query/pointer.h"
#include "analyze/query/token.h"
#include "formats/nearest.h"
#include "formats/printable.h"
#include "formats/utf8.h"

namespace tailcap::query {
namespace {

namespace columns = model::columns;
using columns::ColumnType;

constexpr int kMaxDepth = 64;  // of parentheses and negations; also bounds recursion

enum class Op : std::uint8_t { equal, unequal, less, less_equal, greater, greater_equal, contains, matches };

// * for any text, ? for one byte. Linear: on a mismatch only the last star is tried again.
bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, again = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      again = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++again;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool ordered(Op op, std::int64_t a, std::int64_t low, std::int64_t high) {
  switch (op) {  // [low, high]: one number, or a class like 5xx
    case Op::equal:
      return a >= low && a <= high;
    case Op::unequal:
      return a < low || a > high;
    case Op::less:
      return a < low;
    case Op::less_equal:
      return a <= high;
    case Op::greater:
      return a > high;
    case Op::greater_equal:
      return a >= low;
    default:
      return false;
  }
}

struct Node {
  enum class Kind : std::uint8_t { both, either, negation, comparison, is_null, is_true };
  Kind kind = Kind::is_true;
  Op op = Op::equal;
  const columns::RequestColumn* column = nullptr;
  std::size_t left = 0, right = 0;  // nodes
  std::int64_t low = 0, high = 0;
  bool truth = false;
  std::string text = {};
};

}  // namespace

struct Filter::Impl {
  std::string expression;
  std::vector<Token> tokens;
  std::size_t at = 0;
  std::vector<Node> nodes;
  std::size_t root = 0;
  int depth = 0;
  std::vector<std::string> old_names;
  std::vector<std::pair<unsigned, std::size_t>> asked;  // what columns need, and where they are named

  [[noreturn]] void fail(std::size_t place, const std::string& why) const {
    throw FilterError(pointing_at("in the filter", expression, place, why));
  }

  const Token& peek() const { return tokens[at]; }
  bool take(std::string_view symbol) {
    if (peek().kind == Token::Kind::quoted || peek().text != symbol) return false;
    ++at;
    return true;
  }
  bool take_either(std::string_view a, std::string_view b) { return take(a) || take(b); }

  std::size_t add(Node node) {
    nodes.push_back(std::move(node));
    return nodes.size() - 1;
  }

  std::size_t either() {
    std::size_t left = both();
    while (take_either("||", "or")) left = add({.kind = Node::Kind::either, .left = left, .right = both()});
    return left;
  }

  std::size_t both() {
    std::size_t left = term();
    while (take_either("&&", "and")) left = add({.kind = Node::Kind::both, .left = left, .right = term()});
    return left;
  }

  std::size_t term() {
    if (++depth > kMaxDepth) fail(peek().at, "nested more than " + std::to_string(kMaxDepth) + " deep");
    std::size_t node = 0;
    if (take_either("!", "not")) {
      node = add({.kind = Node::Kind::negation, .left = term()});
    } else if (take("(")) {
      node = either();
      if (!take(")")) fail(peek().at, "a ')' is missing here");
    } else {
      node = comparison();
    }
    --depth;
    return node;
  }

  std::size_t comparison() {
    const Token name = peek();
    if (name.kind == Token::Kind::end) fail(name.at, "something is missing at the end");
    if (name.kind != Token::Kind::word) fail(name.at, "a field is expected here, not '" + name.text + "'");
    const std::optional<Field> field = find_field(name.text);
    if (!field) {
      const std::string meant = suggested_field(name.text);
      fail(name.at,
           "there is no field '" + name.text + "'" + (meant.empty() ? ". There are: " + field_names() : meant));
    }
    ++at;
    asked.emplace_back(field->column->needs, name.at);
    if (field->name == field->column->old_name)
      old_names.push_back("'" + name.text + "' is now '" + std::string(field->column->name) + "'");
    constexpr std::pair<std::string_view, Op> ops[] = {
        {"==", Op::equal},       {"=", Op::equal},          {"!=", Op::unequal}, {"<=", Op::less_equal},
        {"<", Op::less},         {">=", Op::greater_equal}, {">", Op::greater},  {"contains", Op::contains},
        {"matches", Op::matches}};
    const std::size_t op_at = peek().at;
    for (const auto& [symbol, op] : ops)
      if (take(symbol)) return compare(*field, op, op_at);
    if (field->column->type != ColumnType::boolean && field->column->type != ColumnType::list)
      fail(op_at, "a comparison is expected after '" + name.text + "': == != < <= > >= contains matches");
    return add({.kind = Node::Kind::is_true, .column = field->column});
  }

  std::size_t compare(const Field& field, Op op, std::size_t op_at) {
    const Token value = peek();
    if (value.kind == Token::Kind::end) fail(value.at, "a value is missing here");
    if (value.kind == Token::Kind::symbol) fail(value.at, "a value is expected here, not '" + value.text + "'");
    ++at;
    Node node{.kind = Node::Kind::comparison, .op = op, .column = field.column};
    const bool equality = op == Op::equal || op == Op::unequal, textual = op == Op::contains || op == Op::matches;
    if (value.kind == Token::Kind::word && value.text == "null") {
      if (!equality) fail(op_at, "null can only be compared by == and !=");
      node.kind = Node::Kind::is_null;
      return add(std::move(node));
    }
    switch (field.column->type) {
      case ColumnType::number:
        if (textual) fail(op_at, "'" + std::string(field.name) + "' is a number");
        read_number(field, value, node);
        break;
      case ColumnType::boolean:
        if (!equality || (value.text != "true" && value.text != "false"))
          fail(value.at, "'" + std::string(field.name) + "' is true or false");
        node.truth = value.text == "true";
        break;
      case ColumnType::text:
        if (equality && field.column->values) check_name(field, value);
        node.text = value.text;
        break;
      case ColumnType::nested:
        fail(op_at, "'" + std::string(field.name) + "' cannot be compared");
      case ColumnType::list:
        if (!equality && op != Op::contains) fail(op_at, "a list can only be asked by == != contains");
        read_bit(field, value, node);
        break;
    }
    return add(std::move(node));
  }

  void read_number(const Field& field, const Token& value, Node& node) const {
    const std::string_view text = value.text;
    if (field.name == "status" && text.size() == 3 && text[0] >= '1' && text[0] <= '5' &&
        (text.ends_with("xx") || text.ends_with("XX"))) {
      node.low = (text[0] - '0') * 100;
      node.high = node.low + 99;
      return;
    }
    auto number = parse_number(text);
    if (!number && field.column->unit == columns::Unit::nanoseconds) number = parse_duration(text);
    if (!number && field.column->unit == columns::Unit::bytes) number = parse_size(text);
    if (field.column->unit == columns::Unit::nanoseconds && !field.name.ends_with("_ns") &&
        parse_number(text).value_or(0) != 0)
      fail(value.at, "'" + std::string(text) + "' has no unit: ns, us, ms, s, m or h");
    if (!number)
      fail(value.at, "'" + std::string(text) + "' is no " +
                         (field.column->unit == columns::Unit::nanoseconds ? "duration like 20ms"
                          : field.column->unit == columns::Unit::bytes     ? "size like 10kB"
                                                                           : "number"));
    node.low = node.high = *number;
  }

  void check_name(const Field& field, const Token& value) const {
    const std::vector<std::string_view> names = field.column->values();
    if (std::ranges::find(names, value.text) != names.end()) return;
    std::string all;
    for (const std::string_view name : names) all.append(all.empty() ? "" : ", ").append(name);
    const std::string meant = formats::suggestion(value.text, names);
    fail(value.at, "'" + std::string(field.name) + "' is never '" + value.text + "'" +
                       (meant.empty() ? ". It is one of " + all : meant));
  }

  // A name becomes its bit; a misspelt one would silently match nothing.
  void read_bit(const Field& field, const Token& value, Node& node) const {
    std::string all;
    std::int64_t bit = 1;
    for (const std::string_view name : field.column->values()) {
      if (name == value.text) {
        node.low = bit;
        return;
      }
      bit <<= 1;
      all.append(all.empty() ? "" : ", ").append(name);
    }
    fail(value.at, "'" + value.text + "' is no " + (field.name == "tainted" ? "reason for a taint" : "name in it") +
                       ". There are: " + all);
  }

  bool evaluate(std::size_t i, const columns::ColumnFacts& facts) const {
    const Node& node = nodes[i];
    switch (node.kind) {
      case Node::Kind::both:
        return evaluate(node.left, facts) && evaluate(node.right, facts);
      case Node::Kind::either:
        return evaluate(node.left, facts) || evaluate(node.right, facts);
      case Node::Kind::negation:
        return !evaluate(node.left, facts);
      default:
        break;
    }
    const columns::ColumnValue value = node.column->get(facts);
    const bool unknown = !columns::known(value);
    if (node.kind == Node::Kind::is_null) return unknown == (node.op == Op::equal);
    if (unknown) return false;
    if (node.kind == Node::Kind::is_true) {
      const auto* const flags = std::get_if<columns::Flags>(&value);
      return flags ? flags->bits != 0 : std::get<bool>(value);
    }
    switch (node.column->type) {
      case ColumnType::number:
        return ordered(node.op, std::get<std::int64_t>(value), node.low, node.high);
      case ColumnType::boolean:
        return (std::get<bool>(value) == node.truth) == (node.op == Op::equal);
      case ColumnType::list:
        return ((std::get<columns::Flags>(value).bits & node.low) != 0) == (node.op != Op::unequal);
      case ColumnType::text:
      case ColumnType::nested:
        break;
    }
    const std::string_view text = std::get<std::string_view>(value);
    switch (node.op) {
      case Op::contains:
        return text.find(node.text) != text.npos;
      case Op::matches:
        return glob(node.text, text);
      default:
        break;
    }
    const int order = text.compare(node.text);
    return ordered(node.op, order < 0 ? -1 : order > 0 ? 1 : 0, 0, 0);
  }
};

Filter::Filter(std::string_view expression) : impl_(std::make_unique<Impl>()) {
  impl_->expression = expression;
  if (const auto bad = tokenize(expression, impl_->tokens)) impl_->fail(bad->at, bad->why);
  impl_->root = impl_->either();
  if (impl_->peek().kind != Token::Kind::end)
    impl_->fail(impl_->peek().at,
                "'" + impl_->peek().text + "' is not expected here; comparisons are joined by && and ||");
}
Filter::~Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;

bool Filter::matches(const columns::ColumnFacts& facts) const { return impl_->evaluate(impl_->root, facts); }

unsigned Filter::needs() const {
  unsigned out = 0;
  for (const auto& [asked, at] : impl_->asked) out |= asked;
  return out;
}

void Filter::refuse(unsigned needs, const std::string& why) const {
  for (const auto& [asked, at] : impl_->asked)
    if ((asked & needs) != 0) impl_->fail(at, why);
}

bool Filter::needs_account() const { return (needs() & columns::kAccount) != 0; }

std::vector<std::string> Filter::old_names() const { return impl_->old_names; }

Filter policy_filter(std::string_view expression) {
  Filter out(expression);
  out.refuse(~unsigned{columns::kAccount},
             "policies and watches know no wall-clock times, endpoints, names of services and splits");
  return out;
}

}  // namespace tailcap::query
