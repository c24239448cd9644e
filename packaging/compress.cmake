# CPack runs this on the staged files: Debian's policy wants pages and changelogs compressed, and the same bytes every time.
file(GLOB_RECURSE files LIST_DIRECTORIES false ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*)
foreach(file IN LISTS files)
  if(file MATCHES "/share/man/man[1-8]/[^/]*[1-8]$" OR file MATCHES "/share/doc/tailcap/changelog[^/]*$")
    execute_process(COMMAND gzip -9n ${file} COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
