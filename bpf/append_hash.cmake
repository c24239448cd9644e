# cmake -DOBJECT=... -DNAME=... -DHEADER=... -P append_hash.cmake: adds the object's SHA-256, under this name, to the header
# that holds it.
file(SHA256 ${OBJECT} hash)
file(APPEND ${HEADER} "#define ${NAME} \"${hash}\"\n")
