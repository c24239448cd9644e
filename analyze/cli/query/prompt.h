// `tailcap query FILE` at a terminal: SQL that a person types, one statement after another.
#pragma once

#include <functional>
#include <string>

namespace tailcap::cli {

struct PromptAnswers {
  // Each throws std::exception with what is wrong with it.
  std::function<void(const std::string& sql)> query;  // without the semicolon
  std::function<void()> tables;
  std::function<void(const std::string& table)> schema;  // empty: of all
};

// Until Ctrl-D or .quit.
void run_prompt(const std::string& file, const PromptAnswers& answers);

// Ctrl-C was pressed since the last line was typed.
bool cancelled_at_prompt();

}  // namespace tailcap::cli
