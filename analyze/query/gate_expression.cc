#include "analyze/query/gate_expression.h"

#include <optional>
#include <string>
#include <vector>

#include "analyze/query/filter.h"
#include "analyze/query/literal.h"
#include "analyze/query/pointer.h"
#include "analyze/query/token.h"
#include "formats/nearest.h"

namespace tailcap::query {
namespace {

using model::gate::Gate;
using model::gate::Metric;

class Parser {
 public:
  explicit Parser(std::string_view expression) : expression_(expression) {
    if (const auto misread = tokenize(expression, tokens_)) fail(misread->at, misread->why);
  }

  Gate parse() {
    Gate gate;
    gate.text = expression_;
    if (here().kind == Token::Kind::end) fail(here().at, "a metric is expected here, like p99(/pay) > +10%");
    const Token metric = next();
    const auto known = metric.kind == Token::Kind::word ? model::gate::metric_of(metric.text) : std::nullopt;
    if (!known)
      fail(metric.at,
           "'" + metric.text + "' is not a metric" + formats::suggestion(metric.text, model::gate::metric_names()));
    gate.metric = *known;
    if (is("(")) {
      next();
      gate.route = route();
    }
    if (!is(">")) fail(here().at, "a '>' is expected here, as in p99(/pay) > +10%");
    next();
    amount(gate);
    if (here().kind != Token::Kind::end) fail(here().at, "the gate should end here; give each its own --fail-on");
    return gate;
  }

 private:
  [[noreturn]] void fail(std::size_t place, const std::string& why) const {
    const std::string where = "in the gate, column " + std::to_string(column_of(expression_, place) + 1);
    throw FilterError(pointing_at(where, expression_, place, why));
  }
  const Token& here() const { return tokens_[at_]; }
  const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool is(std::string_view symbol) const { return here().kind == Token::Kind::symbol && here().text == symbol; }

  // "POST /pay": up to the closing bracket. "(other)" has brackets of its own.
  std::string route() {
    const std::size_t begin = here().at;
    if (here().kind == Token::Kind::quoted) {
      const std::string text = next().text;
      if (!is(")")) fail(here().at, "a ')' is expected here");
      next();
      return text;
    }
    int depth = 1;
    for (; here().kind != Token::Kind::end; next()) {
      if (is("(")) ++depth;
      if (is(")") && --depth == 0) break;
    }
    if (here().kind == Token::Kind::end) fail(begin > 0 ? begin - 1 : 0, "this '(' is never closed");
    std::string text(expression_.substr(begin, here().at - begin));
    while (text.ends_with(' ')) text.pop_back();
    if (text.empty()) fail(begin, "a route is expected here, like /pay or POST /pay; * is all of them");
    next();
    return text;
  }

  void amount(Gate& gate) {
    const Token token = next();
    const std::string metric(model::gate::name_of(gate.metric));
    std::string_view text = token.text;
    if (token.kind != Token::Kind::word || !text.starts_with('+'))
      fail(token.at, "an increase is expected here, with its sign, like " + example(gate.metric) +
                         "; `tailcap assert` holds values against limits");
    text.remove_prefix(1);
    if (text.ends_with('%') && !gate.metric.share()) {
      const auto value = parse_decimal(text.substr(0, text.size() - 1));
      if (!value) fail(token.at, "'" + token.text + "' is not a percentage");
      gate.unit = Gate::Unit::ratio;
      gate.threshold = *value / 100;
      return;
    }
    gate.unit = Gate::Unit::absolute;
    if (gate.metric.share()) {
      const auto value = text.ends_with("pt") ? parse_decimal(text.substr(0, text.size() - 2)) : std::nullopt;
      if (!value) fail(token.at, "an increase of " + metric + " is in percentage points, like " + example(gate.metric));
      gate.threshold = *value / 100;
    } else if (gate.metric.timed()) {
      const auto value = parse_duration(text);
      if (!value) fail(token.at, "an increase of " + metric + " is like " + example(gate.metric) + " or +5ms");
      gate.threshold = static_cast<double>(*value);
    } else {
      auto value = parse_decimal(text);
      if (!value)
        if (const auto size = parse_size(text)) value = static_cast<double>(*size);
      if (!value) fail(token.at, "an increase of " + metric + " is a number like +0 or +0.5, or a percentage");
      gate.threshold = *value;
    }
  }

  static std::string example(const Metric& metric) {
    if (metric.share()) return "+0.5pt";
    return metric.timed() ? "+10%" : "+0";
  }

  std::string_view expression_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

}  // namespace

Gate gate_of(std::string_view expression) { return Parser(expression).parse(); }

}  // namespace tailcap::query
