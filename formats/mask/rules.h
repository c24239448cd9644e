// What the writer of a capture keeps of what this folder's machines have understood: of the values of header fields, of
// targets, of hellos. The recorder's rules are in capture/mask, those of redaction in analyze/redact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "formats/mask/field_memo.h"
#include "formats/mask/value.h"
#include "ground/http/http_text.h"

namespace tailcap::formats::mask {

using ground::is_token;
using ground::lower;

// How much of a value is known.
struct Extent {
  std::size_t judged = 0;  // characters that were written before, and stay as they are
  bool first = true;       // nothing of the value was judged before
  bool last = true;        // it ends here
};

// What is kept of a statement or of the key of a call.
enum class Kept : std::uint8_t { nothing, shape, whole };

class Rules {
 public:
  virtual ~Rules() = default;

  // The shape of a statement of SQL is the statement with its literals replaced; that of a key is calls/key_shape.h's.
  virtual Kept statements() const { return Kept::shape; }
  virtual Kept keys() const { return Kept::shape; }
  // What is read was written by these machines before: behind bytes that they blotted, a request of a call needs no
  // answer to be believed.
  virtual bool reads_masked() const { return false; }

  // `name` in lower case.
  virtual Value of(std::string_view name) const = 0;
  // What a field's name in HTTP/1 begins with is kept although no colon is seen yet: some name that is known begins so.
  virtual bool begins_name(std::string_view begin) const = 0;
  // Whether all names of fields are kept where they are certain, or which; and methods.
  virtual bool keeps_names() const { return true; }
  virtual bool keeps_name(std::string_view) const { return true; }
  virtual bool keeps_method(std::string_view) const { return true; }
  // `text` is a value as far as it was seen. Replaces what is not to be kept of it behind the characters that were
  // judged before, in place: by '*', or by characters whose code in HPACK is as long. Returns whether a character that
  // follows would be hidden. In a header block that has the whole of it a masked value is judged, too.
  virtual bool judge(Value value, std::string& text, const Extent& extent) const = 0;
  // Reasons of responses and the addresses that the PROXY protocol says; they are hidden otherwise.
  virtual bool keeps_reasons() const = 0;
  // Hellos of TLS. Otherwise those that are visible in one piece are rewritten in place, and others are hidden.
  virtual bool keeps_hellos() const = 0;
  virtual void hello(std::string& body, bool client) const = 0;
  // The memo of field lines; nullptr where a result depends on more than the line.
  virtual FieldMemo* memo() const { return nullptr; }
};

}  // namespace tailcap::formats::mask
