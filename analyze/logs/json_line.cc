#include "analyze/logs/json_line.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tailcap::logs {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDeep = 3, kDeepest = 64;

// The library's parser keeps one bit for each level, and calls this for each value: nothing is built.
class FieldGiver : public nlohmann::json_sax<Json> {
 public:
  explicit FieldGiver(Fields& fields) : fields_(fields) {}

  bool null() override { return true; }
  bool boolean(bool) override { return !outside(); }
  bool number_integer(number_integer_t n) override { return give(std::to_string(n), true); }
  bool number_unsigned(number_unsigned_t n) override { return give(std::to_string(n), true); }
  bool number_float(number_float_t, const string_t& text) override { return give(text, true); }
  bool string(string_t& text) override { return give(text, false); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(true); }
  bool key(string_t& name) override {
    if (!levels_.empty()) levels_.back().key = name.size() > Fields::kMostKey ? "" : name;
    return true;
  }
  bool end_object() override { return levels_.pop_back(), true; }
  bool start_array(std::size_t) override { return !outside() && open(false); }
  bool end_array() override { return levels_.pop_back(), true; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

 private:
  struct Level {
    bool object = false;
    std::string key;
  };

  bool outside() const { return levels_.empty(); }
  bool open(bool object) {
    if (levels_.size() >= kDeepest) return false;
    levels_.push_back({object, {}});
    return true;
  }
  bool give(std::string_view value, bool number) {
    if (outside()) return false;
    if (levels_.size() > kDeep) return true;
    std::string name;
    for (const Level& level : levels_) {
      if (!level.object || level.key.empty()) return true;
      if (!name.empty()) name += '.';
      name += level.key;
    }
    fields_.add(name, value, number);
    return true;
  }

  Fields& fields_;
  std::vector<Level> levels_;
};

}  // namespace

bool read_json_line(std::string_view text, Fields& fields) {
  if (text.empty() || text.front() != '{') return false;
  FieldGiver giver(fields);
  return Json::sax_parse(text.begin(), text.end(), &giver);
}

}  // namespace tailcap::logs
