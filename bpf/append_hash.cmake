# cmake -DOBJECT=... -DHEADER=... -P append_hash.cmake: adds the object's SHA-256 to the header that holds it.
file(SHA256 ${OBJECT} hash)
file(APPEND ${HEADER} "#define TAILCAP_OBJECT_SHA256 \"${hash}\"\n")
